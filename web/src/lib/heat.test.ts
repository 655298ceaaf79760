import { expect, test } from "vitest";
import { heatOf } from "./heat";

const point = (start: string, cost: number) => ({ start, cost });

test("hours of the same weekday add up", () => {
  const rows = heatOf([point("2026-11-02T09:00:00Z", 1), point("2026-11-09T09:00:00Z", 2)], ({ cost }) => cost, "UTC");
  expect(rows[0]?.[9]).toBe(3);
  expect(rows.flat().reduce((sum, value) => sum + value, 0)).toBe(3);
});

test("weekday and hour are those of the zone, midnight is hour 0", () => {
  const rows = heatOf([point("2026-11-01T23:00:00Z", 5)], ({ cost }) => cost, "Europe/Berlin");
  expect(rows[0]?.[0]).toBe(5);
});
