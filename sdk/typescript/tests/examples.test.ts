/** The examples compile and run as they are, with nothing but the environment. */

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { problemsOf, run } from "./programs.js";
import { Fake, KEY, TrackerServer } from "./servers.js";

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

test.each([
  ["observe", ["Every call has its price", "records sent: 1\n"]],
  // gpt-4: (7 + 8) × 30 + 16 × 60. As gpt-4o-mini: 15 × 0.15 + 16 × 0.60
  ["optimize", ["tokens: 31 cost: 0.00141", "whitespace", "model: 'gpt-4o-mini', costSaved: 0.00139815"]],
  // 0.002 + 1000 × 0.15 + 500 × 0.60
  ["import", ["imported: 2 known before: 0", "total cost: 0.00245\n"]],
])("%s", async (name, expected) => {
  const code = readFileSync(new URL(`../../../examples/typescript/${name}.ts`, import.meta.url), "utf8");
  expect(problemsOf(code)).toEqual([]);
  const { id } = await tracker.send("POST", "/api/projects", { name });
  const { stdout, stderr } = await run(code, {
    API_KEY: `${tracker.url}/api`,
    AICT_API_KEY: tracker.key,
    PROJECT_ID: id,
    OPENAI_API_KEY: KEY,
    OPENAI_BASE_URL: `${fake.url}/v1`,
  });
  for (const text of expected) expect(stdout).toContain(text);
  expect(stderr).toBe("");
});
