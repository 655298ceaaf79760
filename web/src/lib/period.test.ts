import { expect, test } from "vitest";
import { addMonths, formatDays, today } from "./days";
import {
  bucketOf,
  bucketsOf,
  formatPeriod,
  type Preset,
  periodBefore,
  periodOf,
  periodUnder,
  readPeriodSearch,
} from "./period";

test.each<[Preset, string, string, string, string, string]>([
  ["mtd", "2026-11-24", "2026-11-01", "2026-11-24", "2026-10-01", "2026-10-24"],
  ["mtd", "2026-03-31", "2026-03-01", "2026-03-31", "2026-02-01", "2026-02-28"],
  ["last-month", "2026-03-31", "2026-02-01", "2026-02-28", "2026-01-01", "2026-01-31"],
  ["7d", "2026-03-03", "2026-02-25", "2026-03-03", "2026-02-18", "2026-02-24"],
  ["qtd", "2026-11-24", "2026-10-01", "2026-11-24", "2026-07-01", "2026-08-24"],
  ["ytd", "2028-02-29", "2028-01-01", "2028-02-29", "2027-01-01", "2027-02-28"],
  ["last-quarter", "2026-02-11", "2025-10-01", "2025-12-31", "2025-07-01", "2025-09-30"],
  ["yesterday", "2026-03-01", "2026-02-28", "2026-02-28", "2026-02-27", "2026-02-27"],
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

test("hours are compared with as many hours before", () => {
  const search = readPeriodSearch({ from: "2026-11-24T08:00Z", to: "2026-11-24T11:00Z" });
  const period = periodOf(search, "2026-11-24", "mtd");
  expect(period).toEqual({ start: "2026-11-24T08:00Z", end: "2026-11-24T11:00Z" });
  expect(periodBefore(period, search, "mtd")).toEqual({ start: "2026-11-24T05:00Z", end: "2026-11-24T08:00Z" });
  expect([bucketOf(period), bucketsOf(period)]).toEqual(["hour", ["hour"]]);
  expect(formatPeriod(period, "Europe/Berlin")).toBe("24 Nov 2026, 09:00–12:00");
  expect(formatPeriod({ ...period, start: "2026-11-23T08:00Z" }, "UTC")).toBe(
    "23 Nov 2026, 08:00 – 24 Nov 2026, 11:00",
  );
});

test("a day and an hour are no period, nor are hours that end before they begin", () => {
  expect(readPeriodSearch({ from: "2026-11-24", to: "2026-11-24T11:00Z" })).toEqual({});
  expect(readPeriodSearch({ from: "2026-11-24T11:00Z", to: "2026-11-24T11:00Z" })).toEqual({});
});

const pointsOf = (...dates: string[]) =>
  dates.map((date) => ({ date, start: date.length > 10 ? date : `${date}T00:00:00Z` }));

test("what lies under points of a chart", () => {
  const november = { start: "2026-11-04", end: "2026-11-24" };
  const hours = pointsOf("2026-11-24T08:00:00Z", "2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z");
  expect(periodUnder(hours, "hour", [1, 1], november)).toEqual({ from: "2026-11-24T09:00Z", to: "2026-11-24T10:00Z" });
  expect(periodUnder(hours, "hour", [0, 2], november)).toEqual({ from: "2026-11-24T08:00Z", to: "2026-11-24T11:00Z" });
  const days = pointsOf("2026-11-04", "2026-11-05", "2026-11-06");
  expect(periodUnder(days, "day", [0, 1], november)).toEqual({ from: "2026-11-04", to: "2026-11-05" });
  const weeks = pointsOf("2026-11-02", "2026-11-09", "2026-11-16", "2026-11-23");
  expect(periodUnder(weeks, "week", [0, 0], november)).toEqual({ from: "2026-11-04", to: "2026-11-08" });
  expect(periodUnder(weeks, "week", [3, 3], november)).toEqual({ from: "2026-11-23", to: "2026-11-24" });
  expect(periodUnder(weeks, "week", [0, 4], november)).toBeUndefined();
});
