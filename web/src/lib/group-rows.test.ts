import { expect, test } from "vitest";
import type { Group } from "@/api/queries";
import { changeOf, isUnknown, sorted, sumsOf } from "./group-rows";

function group(model: string, more: Partial<Record<keyof Group, unknown>> = {}): Group {
  return {
    key: { model },
    names: { model },
    cost: "0",
    tokens: 0,
    inputTokens: 0,
    outputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    requests: 1,
    errors: 0,
    unpricedRequests: 0,
    ...more,
  } as unknown as Group;
}

const names = (groups: readonly Group[]) => groups.map(({ key }) => (key as Record<string, string>).model);

test("what is unknown is last, whichever the direction, and is not zero", () => {
  const groups = [
    group("unknown", { unpricedRequests: 1 }),
    group("free"),
    group("dear", { cost: "9007199254740993.000000001" }),
    group("dearer", { cost: "9007199254740993.000000002" }),
  ];
  expect(names(sorted(groups, { by: "cost", descending: true }))).toEqual(["dearer", "dear", "free", "unknown"]);
  expect(names(sorted(groups, { by: "cost", descending: false }))).toEqual(["free", "dear", "dearer", "unknown"]);
  expect(isUnknown(group("none", { requests: 0 }))).toBe(false);
});

test("a change needs something to compare with on both sides", () => {
  const before = { cost: "2", changePercentage: -50 };
  expect(changeOf(group("a", { cost: "1", before }))).toBe(-0.5);
  expect(changeOf(group("new", { cost: "1", before: { cost: "0", changePercentage: null } }))).toBeNull();
  const vanished = { requests: 0, before: { cost: "2", changePercentage: -100 } };
  expect(changeOf(group("vanished", vanished))).toBe(-1);
  expect(changeOf(group("unknown", { unpricedRequests: 1, before }))).toBeNull();
  expect(changeOf(group("not compared"))).toBeNull();
});

test("sums are exact", () => {
  const sums = sumsOf([
    group("a", { cost: "0.1", errors: 2 }),
    group("b", { cost: "0.2" }),
    group("c", { cost: "0.000000001" }),
  ]);
  expect([sums.cost, sums.requests, sums.errors]).toEqual([300_000_001n, 3, 2]);
});
