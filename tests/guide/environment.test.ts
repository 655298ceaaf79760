/** The guide's environment variables, as the server, the dashboard's build and the SDK take them. */

import { createHmac } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Fake, KEY, TrackerServer } from "../../sdk/typescript/tests/servers.js";
import { block } from "./guide.js";
import { runProgram } from "./package.js";
import { startServer } from "./server.js";

/** The variables of each part: `# Backend Configuration` and the lines below it. */
function variables(part: string): Record<string, string> {
  const section = block("Environment Variables")
    .split(/^# /m)
    .find((text) => text.startsWith(part));
  const lines = section?.trim().split("\n").slice(1) ?? [];
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

const data = mkdtempSync(join(tmpdir(), "guide-"));
afterAll(() => rmSync(data, { recursive: true }));

const backend = variables("Backend");
const STRONG = {
  JWT_SECRET: "Yk3v7mQ0s9Wb2xTqLr8dZfHn5cJpUeA1",
  ENCRYPTION_KEY: "p4Gz8VnB1kXw6RyTq0MsLd3HfJcUe7Ao",
};

test("the server refuses the guide's placeholders, each by its name", async () => {
  expect(Object.keys(backend)).toEqual(["JWT_SECRET", "ENCRYPTION_KEY", "MONGODB_URI"]);
  const { text, url } = await startServer(data, backend);
  expect(url).toBeUndefined();
  expect(text).toContain("JWT_SECRET: auth.jwt_secret is a placeholder");
  expect(text).toContain("ENCRYPTION_KEY: auth.encryption_key is a placeholder");
  expect(text).toContain("MONGODB_URI: store.uri asks for MongoDB");
});

test("a store that is not there is not passed over in silence", async () => {
  const { text, url } = await startServer(data, { ...backend, ...STRONG });
  expect(url).toBeUndefined();
  expect(text).toContain("does not support MongoDB yet; unset MONGODB_URI to use the embedded store");
});

test("with secrets of one's own it starts, keeps none, and signs tokens of user and role with them", async () => {
  const { url, text, stop } = await startServer(data, STRONG);
  expect([text, url]).toEqual([expect.stringContaining("listening"), expect.any(String)]);
  try {
    const owner = { email: "ada@example.com", password: "correct horse", name: "Ada" };
    const response = await fetch(`${url}/api/auth/register`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(owner),
    });
    const { user, accessToken } = ((await response.json()) as { data: { user: { id: string }; accessToken: string } })
      .data;
    const [head, claims = "", signature] = accessToken.split(".");
    expect(createHmac("sha256", STRONG.JWT_SECRET).update(`${head}.${claims}`).digest("base64url")).toBe(signature);
    expect(JSON.parse(Buffer.from(claims, "base64url").toString())).toMatchObject({ sub: user.id, role: "owner" });
    expect(existsSync(join(data, "data/secrets.toml"))).toBe(false);
  } finally {
    stop();
  }
});

let fake: Fake;
let tracker: TrackerServer;
beforeAll(async () => {
  fake = await Fake.start();
  tracker = await (await TrackerServer.start()).setUp();
});
afterAll(async () => {
  await fake.stop();
  await tracker.remove();
});

test("the SDK's variables are enough to ask a provider; a tracker key is what the guide keeps in the code", async () => {
  const named = variables("SDK");
  expect(Object.keys(named)).toEqual(["OPENAI_API_KEY", "API_KEY", "PROJECT_ID"]);
  expect(named.API_KEY).toBe("http://localhost:8000/api");
  const program = `import { AICostOptimizer } from "ai-cost-optimizer";
    const optimizer = new AICostOptimizer({ dashboardConfig: { apiKey: ${JSON.stringify(tracker.key)} } });
    console.log(JSON.stringify(await optimizer.optimize({ prompt: "hello", model: "gpt-4o-mini" })));`;
  const values = { OPENAI_API_KEY: KEY, API_KEY: `${tracker.url}/api`, PROJECT_ID: tracker.project };
  const { stdout } = await runProgram(program, { ...values, OPENAI_BASE_URL: `${fake.url}/v1` });
  const { id, cost } = JSON.parse(stdout);
  expect(await tracker.send("GET", `/api/usage/${id}`)).toMatchObject({ projectId: tracker.project, cost });
});
