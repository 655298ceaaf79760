import { expect, test } from "vitest";
import { WAYS, wayOf } from "./examples";

const FILLING = { baseUrl: "https://costs.example.com", apiKey: "aict_key", projectId: "65c600000000000000000001" };
const EXAMPLES = WAYS.flatMap(({ examples }) => examples);
/** The project of a trace is the key's own. */
const OF_THE_KEY = ["otlp", "collector"];

test.each(EXAMPLES)("$id says where and with which key", ({ code }) => {
  expect(code(FILLING)).toContain(FILLING.baseUrl);
  expect(code(FILLING)).toContain(FILLING.apiKey);
});

test.each(EXAMPLES.filter(({ id }) => !OF_THE_KEY.includes(id)))(
  "$id names the project when there is one",
  ({ code }) => {
    expect(code(FILLING)).toContain(FILLING.projectId);
    expect(code({ ...FILLING, projectId: undefined })).not.toMatch(/project/i);
  },
);

test("each example has one name and one way", () => {
  expect(new Set(EXAMPLES.map(({ id }) => id)).size).toBe(EXAMPLES.length);
  for (const way of WAYS) for (const { id } of way.examples) expect(wayOf(id)).toBe(way);
  expect(wayOf("no such example")).toBeUndefined();
});
