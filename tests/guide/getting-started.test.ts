/** The steps of getting-started.md, one after the other in one shell, on a server that nobody has used. */

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TrackerServer } from "../../sdk/typescript/tests/servers.js";
import { blocksOf, filled, ROOT } from "./guide.js";

const blocks = blocksOf(readFileSync(join(ROOT, "docs/getting-started.md"), "utf8"));
const folder = mkdtempSync(join(tmpdir(), "started-"));
let tracker: TrackerServer;
beforeAll(async () => {
  tracker = await TrackerServer.start();
});
afterAll(async () => {
  await tracker.remove();
  rmSync(folder, { recursive: true });
});

test("every command answers, and what the page shows is what comes", async () => {
  const commands = blocks.filter(({ language }) => language === "bash").map(({ code }) => code);
  expect(commands.shift()).toBe("make run");
  const newest = `$(curl -s "${tracker.url}/api/usage?limit=1" -H "Authorization: Bearer $TRACKER_KEY" | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')`;
  const script = filled(commands.join("\necho\n"), {
    PUT_THE_ID_HERE: newest,
    "http://127.0.0.1:8000": tracker.url,
    "curl ": "curl -sS --fail-with-body -w '\\n' ",
  });
  const { stdout } = await promisify(execFile)("bash", ["-ec", script], { cwd: folder });
  const answers = stdout.split("\n").flatMap((line) => (line.startsWith("{") ? [line] : []));
  expect(answers.filter((answer) => !answer.startsWith('{"success":true'))).toEqual([]);
  // Of what is shown, ids and tokens are others.
  const shown = blocks.filter(({ language }) => language === "json").map(({ code }) => JSON.parse(code.trim()));
  const like = (value: unknown): unknown => {
    if (value === "…") return expect.any(String);
    if (typeof value !== "object" || value === null) return value;
    return expect.objectContaining(Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, like(inner)])));
  };
  expect(shown).toHaveLength(2);
  for (const one of shown) {
    expect(answers.map((answer) => JSON.parse(answer))).toContainEqual(like(one));
  }
  const costs = readFileSync(join(folder, "usage.csv"), "utf8").trim().split("\n");
  // The two calls of the page; the history comes after the export.
  expect(costs).toHaveLength(3);
});
