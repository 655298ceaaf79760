import { expect, test } from "vitest";
import { withFilters } from "./dimensions";

test("other filters leave everything else of a page as it is", () => {
  const state = {
    range: "7d",
    measure: "firstToken",
    percentile: "p95",
    search: "x",
    model: ["gpt-5"],
    team: ["!ops"],
  };
  expect(withFilters(state, { project: ["a"] })).toEqual({
    range: "7d",
    measure: "firstToken",
    percentile: "p95",
    search: "x",
    project: ["a"],
  });
});
