/** The guide's lists of endpoints, and its call by curl. */

import { execFile } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TrackerServer } from "../../sdk/typescript/tests/servers.js";
import { block, endpointsOf, filled } from "./guide.js";

const run = promisify(execFile);
const SECRET = "sk-proj-that-nobody-may-read-1234";
let tracker: TrackerServer;
beforeAll(async () => {
  tracker = await (await TrackerServer.start()).setUp();
});
afterAll(() => tracker.remove());

async function call(endpoint: string, body?: unknown, token: string | null = tracker.token) {
  const [method = "", path = ""] = endpoint.split(" ");
  const url = tracker.url + path.replace(":service", "openai").replace(":projectId", tracker.project);
  const response = await fetch(url, {
    method,
    headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: body === undefined ? null : JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

/** What each endpoint takes, and what it answers. */
const BODIES: Record<string, unknown> = {
  "POST /api/user/api-keys": { service: "openai", key: "sk-proj-abcdefghijklmnop" },
  "POST /api/usage/track": { model: "gpt-4o-mini", promptTokens: 1000, completionTokens: 500 },
};
const STATUSES: Record<string, number> = {
  "GET /api/user/api-keys": 200,
  "POST /api/user/api-keys": 201,
  "DELETE /api/user/api-keys/:service": 200,
  "GET /api/projects/:projectId": 200,
  "POST /api/usage/track": 201,
  "GET /api/analytics/projects/:projectId": 200,
};

test.each([
  ["keys", block("API Key Management › Backend Implementation"), 3],
  ["debugging", block("Troubleshooting › Debug Endpoints"), 4],
])("endpoints for %s", async (_, code, count) => {
  const endpoints = endpointsOf(code);
  expect(endpoints).toHaveLength(count);
  for (const endpoint of endpoints) {
    const refused = await call(endpoint, BODIES[endpoint], null);
    expect([endpoint, refused.status, refused.body.error.code]).toEqual([endpoint, 401, "unauthenticated"]);
    const { status, body } = await call(endpoint, BODIES[endpoint]);
    expect([endpoint, status, body.success]).toEqual([endpoint, STATUSES[endpoint], true]);
  }
});

test("a key is shown masked, and is gone when it was removed", async () => {
  const [list = "", add = "", remove = ""] = endpointsOf(block("API Key Management › Backend Implementation"));
  expect((await call(add, BODIES[add])).body.data).toMatchObject({ service: "openai", maskedKey: "sk-p…mnop" });
  const { body } = await call(list);
  expect(body.data).toMatchObject([{ service: "openai", maskedKey: "sk-p…mnop" }]);
  expect(JSON.stringify(body)).not.toContain("abcdefgh");
  expect((await call(remove)).status).toBe(200);
  expect((await call(list)).body.data).toEqual([]);
  expect(await call(remove)).toMatchObject({ status: 404, body: { error: { code: "key_not_found" } } });
});

test("the guide's providers take a key, by their names in it, too", async () => {
  const add = "POST /api/user/api-keys";
  const aws = JSON.stringify({
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMIEXAMPLE",
    region: "us-east-1",
  });
  const services = { openai: "openai", anthropic: "anthropic", "google-ai": "google", "aws-bedrock": "bedrock" };
  for (const [service, kept] of Object.entries(services)) {
    const { status, body } = await call(add, { service, key: kept === "bedrock" ? aws : SECRET });
    expect([service, status, body.data.service]).toEqual([service, 201, kept]);
  }
});

test("nothing in the data folder holds a key, of a provider or of the tracker", async () => {
  await call("POST /api/user/api-keys", { service: "openai", key: SECRET });
  for (const name of readdirSync(tracker.dataDir)) {
    const path = join(tracker.dataDir, name);
    const content = statSync(path).isFile() ? readFileSync(path) : Buffer.alloc(0);
    expect([name, content.includes(SECRET), content.includes(tracker.key)]).toEqual([name, false, false]);
  }
});

test("the call by curl is recorded as it says", async () => {
  const script = filled(block("Integration Examples › 2. Direct API Integration"), {
    "http://localhost:8000": tracker.url,
    YOUR_JWT_TOKEN: tracker.token,
    "your-project-id": tracker.project,
  });
  const { stdout } = await run("bash", ["-c", script]);
  const { success, data } = JSON.parse(stdout);
  expect([success, data]).toMatchObject([
    true,
    { cost: 0.0035, totalTokens: 175, costSource: "reported", duplicate: false },
  ]);
  expect(await tracker.send("GET", `/api/usage/${data.id}`)).toMatchObject({
    projectId: tracker.project,
    service: "openai",
    model: "gpt-4",
    promptTokens: 25,
    completionTokens: 150,
    totalTokens: 175,
    cost: 0.0035,
    // 25 × 30 + 150 × 60 dollars a million: what the catalog says beside it.
    listCost: 0.00975,
    responseTime: 1200,
    costAllocation: { department: "marketing", team: "content" },
    tags: ["marketing", "product"],
  });
});

test("a project id that is none says what it must be, and one of nobody's project does not exist", async () => {
  const track = "POST /api/usage/track";
  const wrong = await call(track, { model: "gpt-4", projectId: "your-project-id" });
  expect(wrong).toMatchObject({ status: 422, body: { error: { code: "invalid_input" } } });
  expect(wrong.body.error.details).toEqual([
    { field: "projectId", message: expect.stringContaining("24 hexadecimal digits") },
  ]);
  const absent = await call(track, { model: "gpt-4", projectId: "507f1f77bcf86cd799439011" });
  expect(absent).toMatchObject({ status: 404, body: { error: { code: "project_not_found" } } });
  expect(tracker.project).toMatch(/^[0-9a-f]{24}$/);
});

test("the page that describes the API, and the dashboard's page on integration, are where the guide says", async () => {
  const page = await fetch(`${tracker.url}/docs/api`);
  expect([page.status, page.headers.get("content-type")]).toEqual([200, expect.stringContaining("text/html")]);
  // As a browser asks for a page; Node's own fetch says that it does not.
  const { stdout } = await run("curl", ["-sf", "-H", "accept: text/html", `${tracker.url}/integration`]);
  expect(stdout).toContain('<div id="root">');
});
