import { expect, test } from "vitest";
import { addMonths, formatDays, today } from "./days";
import { type Preset, periodBefore, periodOf, readPeriodSearch } from "./period";

test.each<[Preset, string, string, string, string, string]>([
  ["mtd", "2026-11-24", "2026-11-01", "2026-11-24", "2026-10-01", "2026-10-24"],
  ["mtd", "2026-03-31", "2026-03-01", "2026-03-31", "2026-02-01", "2026-02-28"],
  ["last-month", "2026-03-31", "2026-02-01", "2026-02-28", "2026-01-01", "2026-01-31"],
  ["7d", "2026-03-03", "2026-02-25", "2026-03-03", "2026-02-18", "2026-02-24"],
  ["qtd", "2026-11-24", "2026-10-01", "2026-11-24", "2026-07-01", "2026-08-24"],
  ["ytd", "2028-02-29", "2028-01-01", "2028-02-29", "2027-01-01", "2027-02-28"],
  ["today", "2026-01-01", "2026-01-01", "2026-01-01", "2025-12-31", "2025-12-31"],
])("%s on %s", (range, now, start, end, beforeStart, beforeEnd) => {
  const period = periodOf({ range }, now, "mtd");
  expect(period).toEqual({ start, end });
  expect(periodBefore(period, { range }, "mtd")).toEqual({ start: beforeStart, end: beforeEnd });
});

test("two days are compared with as many before", () => {
  const search = readPeriodSearch({ from: "2026-02-01", to: "2026-02-10", range: "ytd" });
  const period = periodOf(search, "2026-11-24", "mtd");
  expect(periodBefore(period, search, "mtd")).toEqual({ start: "2026-01-22", end: "2026-01-31" });
});

test("what a URL cannot mean is left out", () => {
  expect(readPeriodSearch({ from: "2026-02-10", to: "2026-02-01" })).toEqual({});
  expect(readPeriodSearch({ from: "2026-02-31x", to: "2026-02-01", range: "toString" })).toEqual({});
});

test("today depends on the zone", () => {
  const now = new Date("2026-11-24T23:30:00Z");
  expect([today(now, "UTC"), today(now, "Europe/Berlin"), today(now, "America/New_York")]).toEqual([
    "2026-11-24",
    "2026-11-25",
    "2026-11-24",
  ]);
});

test("months keep within themselves", () => {
  expect(addMonths("2028-03-31", -1)).toBe("2028-02-29");
  expect(formatDays("2026-11-01", "2026-11-24")).toBe("1–24 Nov");
});
