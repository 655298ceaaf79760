/** Results of batches: each call at a batch's price, once, and those that failed not at all. */

import { readFileSync } from "node:fs";
import { AICostOptimizer } from "ai-cost-optimizer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TrackerServer } from "./servers.js";

const FOLDER = new URL("../../../crates/domain/tests/wire/fixtures/", import.meta.url);
const read = (path: string) => JSON.parse(readFileSync(new URL(path, FOLDER), "utf8"));
/** OpenAI's come as lines of a file, Anthropic's as objects of its client. */
const RESULTS = [
  JSON.stringify(read("openai/batch-chat.json")),
  JSON.stringify(read("openai/batch-error.json")),
  "",
  read("anthropic/batch-succeeded.json"),
  read("anthropic/batch-errored.json"),
];

let tracker: TrackerServer;
beforeAll(async () => {
  tracker = await (await TrackerServer.start()).setUp();
});
afterAll(() => tracker.remove());

test("are recorded once, at half the price", async () => {
  const dashboardConfig = { baseUrl: `${tracker.url}/api`, apiKey: tracker.key };
  const optimizer = new AICostOptimizer({ dashboardConfig, defaultProjectId: tracker.project });
  expect(await optimizer.trackBatch(RESULTS, { tags: ["nightly"] })).toMatchObject({ successful: 2, failed: 0 });
  expect(await optimizer.trackBatch(RESULTS)).toMatchObject({ successful: 0, duplicates: 2, failed: 0 });
  // The same reply, told of alone.
  expect(await optimizer.trackReply(undefined, read("openai/batch-chat.json"))).toMatchObject({ duplicate: true });
  const said = { projectId: tracker.project, tags: ["nightly"], serviceTier: "batch", status: "success" };
  expect(await tracker.records()).toMatchObject([
    // (22 × 2 + 2 × 8) / 2 and (11 × 3 + 36 × 15) / 2 millionths of a dollar
    { ...said, service: "openai", model: "gpt-4.1-2025-04-14", cost: 0.00003 },
    { ...said, service: "anthropic", model: "claude-sonnet-4-5-20250929", cost: 0.0002865 },
  ]);
});
