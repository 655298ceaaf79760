import { expect, test } from "vitest";
import { markersOf } from "./markers";

const timeline = ["2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z"].map((start) => ({ start }));
const deploy = (time: string, title = "v1") =>
  ({
    id: title,
    time,
    title,
    projectId: null,
    projectName: "Shop",
    tags: ["deploy"],
    link: null,
    createdBy: "u",
    createdAt: time,
  }) as never;
const change = (time: string, more: object = {}) =>
  ({
    time,
    kind: "catalog",
    service: "acme",
    model: "m1",
    condition: null,
    ruleId: null,
    rates: [
      { unit: "input_tokens", before: "3", after: "2.5" },
      { unit: "web_searches", before: null, after: "10" },
    ],
    ...more,
  }) as never;

test("each is in the point that it happened in, in the order of time", () => {
  const found = markersOf(
    timeline,
    [
      deploy("2026-11-03T08:00:00+01:00", "late"),
      deploy("2026-11-01T23:59:59Z"),
      deploy("2026-10-31T00:00:00Z", "before"),
    ],
    [change("2026-11-02T00:00:00Z")],
  );
  expect(found.map(({ title, index }) => [title, index])).toEqual([
    ["v1", 0],
    ["Price of m1 of acme", 1],
    ["late", 2],
  ]);
});

test("a price says what it was and what it is", () => {
  const [found] = markersOf(timeline, [], [change("2026-11-02T00:00:00Z")]);
  expect(found?.note).toBe("input 3 → 2.5, web searches – → 10 $ per 1M");
});

test("a rule of the operator begins and ends", () => {
  const rule = { kind: "rule-ends", ruleId: "contract", service: null, model: null, rates: [] };
  expect(markersOf(timeline, [], [change("2026-11-02T00:00:00Z", rule)])[0]?.title).toBe(
    "Own price “contract” ends: every model",
  );
});
