import { expect, test } from "vitest";
import { crossings } from "./crossings";

const alert = (id: string, threshold: number, exceeded = false, readAt: string | null = null) => ({
  id,
  budgetId: "b1",
  periodStart: "2026-11-01T00:00:00Z",
  threshold,
  exceeded,
  readAt,
});

test("100 % and used up are one entry, other thresholds are their own", () => {
  const entries = crossings([alert("a", 100), alert("b", 100, true), alert("c", 80)]);
  expect(entries.map(({ shown, ids }) => [shown.id, shown.exceeded, ids])).toEqual([
    ["b", true, ["a", "b"]],
    ["c", false, ["c"]],
  ]);
});

test("an entry is new until all of it was read", () => {
  expect(crossings([alert("a", 100), alert("b", 100, true, "2026-11-02T00:00:00Z")])[0]?.shown.readAt).toBeNull();
});

test("another period is another crossing", () => {
  const later = { ...alert("b", 100, true), periodStart: "2026-12-01T00:00:00Z" };
  expect(crossings([alert("a", 100), later])).toHaveLength(2);
});

test("an alert by e-mail and one by webhook are one crossing", () => {
  const entries = crossings([alert("a", 80), alert("b", 80, false, "2026-11-02T00:00:00Z"), alert("c", 90)]);
  expect(entries.map(({ shown, ids }) => [shown.readAt, ids])).toEqual([
    [null, ["a", "b"]],
    [null, ["c"]],
  ]);
});
