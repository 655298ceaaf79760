import { expect, test } from "vitest";
import type { Money } from "@/api/money-json";
import type { BudgetView } from "@/features/budgets/queries";
import { lineOfBudgets } from "./budget-line";

const budget = (scope: BudgetView["scope"], amount: string, period: "monthly" | "one-time" = "monthly") =>
  ({ name: "All", scope, budget: { amount: amount as Money, currency: "USD", period } }) as unknown as BudgetView;

const PROJECT = { type: "project", projectId: "p" } as const;
const DAYS = ["2026-11-01", "2026-11-02"];

test("the line is the even spending of all projects' budgets together", () => {
  expect(lineOfBudgets([budget(PROJECT, "30"), budget(PROJECT, "60")], DAYS)).toEqual({
    values: [3, 3],
    of: "the budgets of 2 projects",
  });
});

test("a budget over every call stands for all", () => {
  expect(lineOfBudgets([budget({ type: "account" }, "90"), budget(PROJECT, "60")], DAYS)).toEqual({
    values: [3, 3],
    of: "the budget All",
  });
});

test("without a budget by the calendar there is no line", () => {
  expect(
    lineOfBudgets([budget(PROJECT, "30", "one-time"), budget({ type: "tag", tag: "x" }, "5")], DAYS),
  ).toBeUndefined();
});
