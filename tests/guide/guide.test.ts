/** Nothing of the guide is left out: each block has its runner, each statement its test. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blocksOf, GUIDE, ROOT, RUNNERS } from "./guide.js";

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

test("every block has a runner, and there is no runner without a block", () => {
  const titles = blocksOf(GUIDE).map(({ title }) => title);
  expect(titles).toHaveLength(new Set(titles).size);
  expect(titles).toEqual(Object.keys(RUNNERS));
});

test.each(Object.entries(RUNNERS))("%s is run by %s", (title, runner) => {
  expect(read(runner)).toContain(`block("${title}")`);
});

/** Statements of the guide: what is in a list there and is neither a heading nor code. */
function statements(): string[] {
  let inCode = false;
  const found: string[] = [];
  for (const line of GUIDE.split("\n")) {
    if (line.startsWith("```")) inCode = !inCode;
    const item = /^\s*(?:-|\d+\.) (.+)$/.exec(line)?.[1];
    if (!inCode && item) found.push(item.trim());
  }
  return found;
}

/** Rows of the table in README.md: what the guide says, and where that is tested. */
const rows = (read("tests/guide/README.md").split("## Where each statement is held")[1] ?? "")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !/^\| (Statement|---)/.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim().replaceAll("\\`", "`")));

test("every statement of the guide is in the table, in its order", () => {
  expect(rows.map(([, statement]) => statement)).toEqual(statements());
});

test("the tests that the table names exist", () => {
  const named = rows.flatMap(([, , where = ""]) => [...where.matchAll(/`([^`:]+): ([^`]+)`/g)]);
  expect(named.length).toBeGreaterThan(60);
  const missing = named.filter(
    ([, file = "", name = ""]) => !existsSync(join(ROOT, file)) || !read(file).includes(name),
  );
  expect(missing.map(([text]) => text)).toEqual([]);
});

test("a statement without a test says why", () => {
  const silent = rows.filter(([, , where = ""]) => !/`[^`]+: [^`]+`/.test(where) && where.length < 20);
  expect(silent).toEqual([]);
});
