import { expect, test } from "vitest";
import type { Schemas } from "@/api/client";
import { burnDown, crossings, evenDays, paceOf, standingOf } from "./budget";

const status = (more: Partial<Schemas["BudgetStatus"]> = {}): Schemas["BudgetStatus"] => ({
  id: "a",
  name: "A",
  scope: { type: "project", projectId: "a" },
  projectId: "a",
  projectName: "A",
  limit: { total: "100", amount: "100", increased: "0", carriedOver: "0" },
  budget: { amount: "100", currency: "USD", period: "weekly", timeZone: "UTC", enforcement: "alert", alerts: [] },
  periodStart: "2026-11-02T00:00:00Z",
  periodEnd: "2026-11-09T00:00:00Z",
  spent: "30",
  reserved: "0",
  remaining: "70",
  utilization: 30,
  alerts: [],
  ...more,
});

const NOON = new Date("2026-11-04T12:00:00Z");

test("half of a period is over in its middle, and a period without an end has no pace", () => {
  expect(paceOf("2026-11-02T00:00:00Z", "2026-11-04T00:00:00Z", new Date("2026-11-03T00:00:00Z"))).toBe(0.5);
  expect(paceOf("2026-11-02T00:00:00Z", null, NOON)).toBeUndefined();
});

test.each([
  [1, 0.5, [50, 80], "over"],
  [0.8, 0.9, [50, 80, 100], "near"],
  [0.6, 0.4, [80], "ahead"],
  [0.6, 0.55, [80], "fine"],
  [0.9, undefined, [], "fine"],
] as const)("%d used at pace %s with thresholds %j is %s", (used, pace, thresholds, standing) => {
  expect(standingOf(used, pace, thresholds)).toBe(standing);
});

test("a period is summed up to today; even spending goes to its end", () => {
  const drawn = burnDown(
    status(),
    new Map([
      ["2026-11-02", 10],
      ["2026-11-04", 20],
    ]),
    "UTC",
    NOON,
  );
  expect(drawn.days).toHaveLength(7);
  expect(drawn.spent).toEqual([10, 10, 30, null, null, null, null]);
  expect(drawn.ideal.at(-1)).toBe(100);
  expect(drawn.forecast).toBeUndefined();
});

test("a forecast starts at what is spent and ends at what is said", () => {
  const forecast = {
    periodEnd: "2026-11-09T00:00:00Z",
    low: "50",
    expected: "70",
    high: "110",
    basis: "even" as never,
    historyDays: 14,
  } as const;
  const drawn = burnDown(
    status({ forecast, projectedExhaustionAt: "2026-11-08T10:00:00Z" }),
    new Map([["2026-11-02", 30]]),
    "UTC",
    NOON,
  );
  expect(drawn.forecast?.expected).toEqual([null, null, 30, 40, 50, 60, 70]);
  expect(drawn.forecast?.high.at(-1)).toBe(110);
  expect(drawn.exhaustedOn).toBe("2026-11-08");
});

test("without an end of the period the days end today, and nothing is ideal", () => {
  const drawn = burnDown(status({ periodEnd: null }), new Map(), "UTC", NOON);
  expect(drawn.days.at(-1)).toBe("2026-11-04");
  expect(drawn.ideal).toEqual([null, null, null]);
});

test("a threshold is reached at exactly its share", () => {
  const days = [
    { day: "2026-10-01", cost: 49 },
    { day: "2026-10-02", cost: 1 },
    { day: "2026-10-03", cost: 40 },
  ];
  expect(crossings(days, 100, [50, 100])).toEqual([
    { threshold: 50, on: "2026-10-02" },
    { threshold: 100, on: undefined },
  ]);
});

test("even spending of a budget is shared by the days of its period", () => {
  const budget = (period: string, more = {}) => ({ amount: 366, period, ...more }) as never;
  expect(evenDays(budget("monthly"), ["2026-11-30", "2026-12-01"])).toEqual([366 / 30, 366 / 31]);
  expect(evenDays(budget("quarterly"), ["2026-12-31"])).toEqual([366 / 92]);
  expect(evenDays(budget("yearly"), ["2028-02-29"])).toEqual([1]);
  expect(evenDays(budget("weekly"), ["2026-11-24"])).toEqual([366 / 7]);
  expect(evenDays(budget("one-time"), ["2026-11-24"])).toBeUndefined();
  expect(evenDays(budget("monthly", { currency: "EUR" }), ["2026-11-24"])).toBeUndefined();
  expect(evenDays(budget("monthly", { startDate: "2026-11-15" }), ["2026-11-24"])).toBeUndefined();
});
