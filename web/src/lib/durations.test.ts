import { expect, test } from "vitest";
import { type Durations, durationRows, largest, lineOf } from "./durations";

const group = (date: string | undefined, count: number, p95: number | null, name = "") =>
  ({
    date,
    key: { model: name },
    names: { model: name },
    response: { count, p50: p95, p95, p99: p95 },
    firstToken: { count: 0, p50: null, p95: null, p99: null },
  }) as unknown as Durations;

test("a point of which nothing is known has no value", () => {
  const known = [group("2026-11-01", 3, 120), group("2026-11-03", 1, 0)];
  expect(lineOf(["2026-11-01", "2026-11-02", "2026-11-03"], known, "response", "p95")).toEqual([120, null, 0]);
  expect(lineOf(["2026-11-01"], known, "firstToken", "p95")).toEqual([null]);
});

test("groups with most calls come first, and those that do not tell not at all", () => {
  const known = [group(undefined, 1, 5, "a"), group(undefined, 9, 5, "b"), group(undefined, 0, null, "c")];
  const names = (max: number) =>
    largest(known, "response", max).map(({ key }) => (key as Record<string, string>).model);
  expect(names(5)).toEqual(["b", "a"]);
  expect(names(1)).toEqual(["b"]);
  expect(largest(known, "firstToken", 5)).toEqual([]);
});

test("as a file, ids have their names beside them, and what is not known is empty", () => {
  const one = { ...group("2026-11-01", 2, 120), key: { project: "p1", model: null }, names: { project: "Support" } };
  expect(durationRows([one as unknown as Durations], ["project", "model"])).toEqual([
    [
      "date",
      "project",
      "projectName",
      "model",
      "responseCount",
      "responseP50Ms",
      "responseP95Ms",
      "responseP99Ms",
      "firstTokenCount",
      "firstTokenP50Ms",
      "firstTokenP95Ms",
      "firstTokenP99Ms",
    ],
    ["2026-11-01", "p1", "Support", "(none)", 2, 120, 120, 120, 0, null, null, null],
  ]);
});
