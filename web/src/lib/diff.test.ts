import { expect, test } from "vitest";
import { changesBetween } from "./diff";

test("only what differs is said, by its path", () => {
  const before = { name: "A", tags: ["x"], budget: { amount: 1, alerts: [{ threshold: 50 }] } };
  const after = { name: "A", tags: ["x", "y"], budget: { amount: 2, alerts: [{ threshold: 50 }] } };
  expect(changesBetween(before, after)).toEqual([
    { path: "tags", before: "x", after: "x, y" },
    { path: "budget.amount", before: "1", after: "2" },
  ]);
});

test("what is new has no before, and what is gone no after", () => {
  expect(changesBetween(null, { name: "A" })).toEqual([{ path: "name", before: undefined, after: "A" }]);
  expect(changesBetween({ name: "A" }, undefined)).toEqual([{ path: "name", before: "A", after: undefined }]);
});

test("none of something is not the same as its absence", () => {
  expect(changesBetween({ budget: null }, { budget: { amount: 5 } })).toEqual([
    { path: "budget", before: "none", after: undefined },
    { path: "budget.amount", before: undefined, after: "5" },
  ]);
});
