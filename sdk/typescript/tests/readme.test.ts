/** The README's snippets compile as they are written. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { problemsOf } from "./programs.js";

test("the README's snippets compile", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const blocks = [...readme.matchAll(/^```typescript\n([\s\S]*?)```/gm)].map(([, code]) => code);
  const [metering, around, asking, querying] = blocks;
  expect(blocks).toHaveLength(4);
  const program = `${metering}\n${around}\nconst projectId = "";\n{\n${asking}\n}\n${querying}`;
  expect(problemsOf(program)).toEqual([]);
});
