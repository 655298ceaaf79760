/** The integration guide's snippets, word by word: they compile against the package as it is published, and run. */

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { problemsOf, run } from "./programs.js";
import { Fake, KEY, TrackerServer } from "./servers.js";

const text = readFileSync(new URL("guide/snippets.md", import.meta.url), "utf8");
const snippets = Object.fromEntries(
  [...text.matchAll(/^### (.+)\n\n```typescript\n([\s\S]*?)```/gm)].map(([, title, code]) => [title, code]),
) as Record<string, string>;
const tracking = snippets["1. Basic Usage Tracking"] as string;
const bulk = snippets["3. Bulk Usage Import"] as string;
const analytics = snippets["4. Project Analytics"] as string;

/** What the guide's back-end has at hand. */
const backend = `import { AICostTrackerService, AnalyticsService } from "ai-cost-optimizer";
const request = { model: "gpt-4o-mini", messages: [{ role: "user", content: "Say hello" }] };
const response = {
  id: "chatcmpl-1", object: "chat.completion", model: "gpt-4o-mini-2024-07-18",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 },
};
const userId = "user-7", projectId = "project-id", filters = { groupBy: "day" };
`;
const services = snippets["Key Backend Services"] as string;

test("there are seven", () => {
  expect(Object.keys(snippets)).toHaveLength(7);
});

test.each([
  ["back-end services", backend + services],
  ["basic usage tracking", tracking],
  ["bulk import", tracking + bulk],
  ["analytics", tracking + analytics],
  [
    "allocation and tags",
    `import type { CostAllocation, UsageRecord } from "ai-cost-optimizer";\n${snippets["Cost Allocation"]}${snippets.Tags}
     const checked: CostAllocation = costAllocation; export const record: UsageRecord = { model: "m", tags, costAllocation: checked };`,
  ],
  ["budget", `${snippets["Budget Alerts"]}export const { amount }: { amount: number } = budgetConfig;`],
])("%s compiles as written", (_, code) => {
  expect(problemsOf(code)).toEqual([]);
});

test("a wrong name does not compile, so that the test above says something", () => {
  const wrong = tracking.replace("defaultProjectId", "projectIdByDefault");
  expect(problemsOf(wrong)[0]).toContain("projectIdByDefault");
});

test("the README's snippets compile", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const blocks = [...readme.matchAll(/^```typescript\n([\s\S]*?)```/gm)].map(([, code]) => code);
  const [metering, asking, querying] = blocks;
  expect(blocks).toHaveLength(3);
  const program = `${metering}\nconst projectId = "";\n{\n${asking}\n}\n${querying}`;
  expect(problemsOf(program)).toEqual([]);
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

test("they run, with the placeholders filled in", async () => {
  const filled = (tracking + bulk + analytics)
    .replaceAll("your-openai-api-key", KEY)
    .replaceAll("your-dashboard-api-key", tracker.key)
    .replaceAll("your-project-id", tracker.project)
    .replaceAll("http://localhost:8000/api", `${tracker.url}/api`);
  const shown = "\nconsole.log(JSON.stringify({ response }));";
  const { stdout } = await run(filled + shown, { OPENAI_BASE_URL: `${fake.url}/v1` });
  const { response } = JSON.parse(stdout.trim().split("\n").at(-1) as string);
  // gpt-4: 30 in, 60 out. (4 + 8) × 30 + 16 × 60 = 1320
  expect(response).toMatchObject({ cost: 0.00132, usage: { promptTokens: 12, completionTokens: 16, totalTokens: 28 } });
  expect(response.text).toContain("Every call has its price");
  // January 2024: the imported record. Its model tells whose it is.
  expect(stdout).toContain("Total cost: 0.002\n");
  expect(stdout).toContain("Budget utilization: ");
  const [imported, tracked] = await tracker.records();
  expect(imported).toMatchObject({
    cost: 0.002,
    totalTokens: 150,
    service: "openai",
    timestamp: "2024-01-15T10:30:00Z",
  });
  expect(imported.costAllocation).toMatchObject({ department: "sales", team: "outreach" });
  expect(tracked).toMatchObject({ cost: 0.00132, projectId: tracker.project, tags: ["marketing", "product"] });
  expect(tracked.costAllocation).toMatchObject({
    department: "marketing",
    team: "content",
    purpose: "product-descriptions",
  });
});

test("the environment variables of the guide are enough", async () => {
  const program = `import { AICostOptimizer } from "ai-cost-optimizer";
    const { id, cost } = await new AICostOptimizer().optimize({ prompt: "hello", model: "gpt-4o-mini" });
    console.log(JSON.stringify({ id, cost }));`;
  const { stdout } = await run(program, {
    OPENAI_API_KEY: KEY,
    API_KEY: `${tracker.url}/api`,
    PROJECT_ID: tracker.project,
    AICT_API_KEY: tracker.key,
    OPENAI_BASE_URL: `${fake.url}/v1`,
  });
  const { id } = JSON.parse(stdout);
  expect((await tracker.send("GET", `/api/usage/${id}`)).projectId).toBe(tracker.project);
});

test("the back-end services record a reply once and ask what it cost", async () => {
  const { id } = await tracker.send("POST", "/api/projects", { name: "services" });
  const again = services.slice(0, services.indexOf("// Get project analytics"));
  const program = (backend + again + services).replaceAll("project-id", id);
  const { stdout } = await run(`${program}console.log(JSON.stringify(analytics.summary));`, {
    API_KEY: `${tracker.url}/api`,
    AICT_API_KEY: tracker.key,
  });
  // 1000 × 0.15 + 500 × 0.60 millionths of a dollar
  expect(JSON.parse(stdout)).toMatchObject({ totalCost: 0.00045, totalRequests: 1, totalTokens: 1500 });
  const [record] = await tracker.send("GET", `/api/usage?project=${id}`);
  expect(record).toMatchObject({
    service: "openai",
    tags: ["tag1", "tag2"],
    costAllocation: { department: "engineering", team: "ai-team" },
    metadata: { userId: "user-7" },
    responseTime: null,
  });
});
