/** The guide's programs of the SDK: each compiles strictly against the published package, and runs. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { Fake, KEY, TrackerServer } from "../../sdk/typescript/tests/servers.js";
import { block, filled } from "./guide.js";
import { problemsOf, runProgram } from "./package.js";

const tracking = block("Integration Examples › 1. Basic Usage Tracking");
const bulk = block("Integration Examples › 3. Bulk Usage Import");
const analytics = block("Integration Examples › 4. Project Analytics");
const allocation = block("Cost Allocation & Tagging › Cost Allocation");
const tags = block("Cost Allocation & Tagging › Tags");

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

/** What the guide's back-end has at hand. */
const BACKEND = `import { AICostTrackerService, AnalyticsService } from "ai-cost-optimizer";
  const request = { model: "gpt-4o-mini", messages: [{ role: "user", content: "Say hello" }] };
  const response = {
    id: "chatcmpl-1", object: "chat.completion", model: "gpt-4o-mini-2024-07-18",
    choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
    usage: { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 },
  };
  const userId = "ada@example.com", projectId = "project-id", filters = { groupBy: "day" };`;

/** What the server is told of, in the order in which it was. */
const recorded = async (sessionId: string) =>
  (await tracker.records()).filter((record) => record.sessionId === sessionId);

test.each([
  ["basic usage tracking", tracking],
  // The guide goes on with the optimizer of its first example.
  ["bulk import", `${tracking}\n${bulk}`],
  ["analytics", `${tracking}\n${analytics}`],
])("%s compiles as written", (_, code) => {
  expect(problemsOf(code)).toEqual([]);
});

test("a wrong name does not compile, so that the test above says something", () => {
  expect(problemsOf(tracking.replace("defaultProjectId", "projectIdByDefault"))[0]).toContain("projectIdByDefault");
});

test("tracking, import and analytics run, with the placeholders filled in", async () => {
  const code = filled(`${tracking}\n${bulk}\n${analytics}\nconsole.log(JSON.stringify({ response }));`, {
    "your-openai-api-key": KEY,
    "your-dashboard-api-key": tracker.key,
    "your-project-id": tracker.project,
    "http://localhost:8000": tracker.url,
  });
  const { stdout, stderr } = await runProgram(code, { OPENAI_BASE_URL: `${fake.url}/v1` });
  expect(stderr).toBe("");
  const { response } = JSON.parse(stdout.trim().split("\n").at(-1) as string);
  // gpt-4: 30 in, 60 out. (4 + 8) × 30 + 16 × 60 = 1320
  expect(response).toMatchObject({ cost: 0.00132, usage: { promptTokens: 12, completionTokens: 16, totalTokens: 28 } });
  expect(response.text).toContain("Every call has its price");
  // January 2024: the imported record. Its model tells whose it is.
  expect(stdout).toContain("Total cost: 0.002\n");
  // 0.00132 of 100 dollars this month.
  expect(stdout).toMatch(/Budget utilization: [\d.]+\n/);
  expect(stdout).toMatch(/Service breakdown: \[\s*{[^}]*name: 'openai'/);
  const [imported, tracked] = await tracker.records();
  expect(imported).toMatchObject({
    cost: 0.002,
    totalTokens: 150,
    service: "openai",
    timestamp: "2024-01-15T10:30:00Z",
    costAllocation: { department: "sales", team: "outreach" },
  });
  expect(tracked).toMatchObject({
    cost: 0.00132,
    projectId: tracker.project,
    tags: ["marketing", "product"],
    costAllocation: { department: "marketing", team: "content", purpose: "product-descriptions" },
  });
});

test("allocation and tags are what a record takes and has, and what costs are asked for by", async () => {
  const code = `import { AICostOptimizer, type CostAllocation, type UsageRecord } from "ai-cost-optimizer";
    ${allocation}
    ${tags}
    const allocated: CostAllocation = costAllocation;
    const record: UsageRecord = { model: "gpt-4o-mini", cost: 1, sessionId: "allocated", tags, costAllocation: allocated };
    const optimizer = new AICostOptimizer({ dashboardConfig: { baseUrl: "BASE", apiKey: "KEY" } });
    await optimizer.trackUsage({ ...record, projectId: "PROJECT" });`;
  expect(problemsOf(code)).toEqual([]);
  await runProgram(filled(code, { BASE: `${tracker.url}/api`, KEY: tracker.key, PROJECT: tracker.project }), {});
  const [record] = await recorded("allocated");
  expect(record.costAllocation).toMatchObject({
    department: "engineering",
    team: "ai-team",
    purpose: "feature-dev",
    client: "acme-corp",
    campaign: "q1-2024",
  });
  expect(record.tags).toEqual(["automated", "customer-facing", "high-priority", "product-description"]);
  for (const [groupBy, name] of Object.entries({ client: "acme-corp", campaign: "q1-2024", tag: "high-priority" })) {
    const path = `/api/projects/${tracker.project}/cost-allocation?groupBy=${groupBy}`;
    expect(JSON.stringify(await tracker.send("GET", path))).toContain(`"${name}"`);
  }
});

test("the back-end services record a reply, and ask what its project cost", async () => {
  const code = `${BACKEND}\n${block("Project ID System › Backend Implementation")}`;
  expect(problemsOf(code)).toEqual([]);
  const { id } = await tracker.send("POST", "/api/projects", { name: "services" });
  const program = filled(code, { "project-id": id });
  const env = { API_KEY: `${tracker.url}/api`, AICT_API_KEY: tracker.key };
  const { stdout } = await runProgram(`${program}\nconsole.log(JSON.stringify(analytics.summary));`, env);
  // Whoever does not say the service tells of the same call.
  await runProgram(filled(program, { "service: 'openai',": "" }), env);
  // 1000 × 0.15 + 500 × 0.60 millionths of a dollar
  expect(JSON.parse(stdout)).toMatchObject({ totalCost: 0.00045, totalRequests: 1, totalTokens: 1500 });
  const [record, ...others] = await tracker.send("GET", `/api/usage?project=${id}`);
  expect(others).toEqual([]);
  expect(record).toMatchObject({
    service: "openai",
    userEmail: "ada@example.com",
    tags: ["tag1", "tag2"],
    costAllocation: { department: "engineering", team: "ai-team" },
  });
});
