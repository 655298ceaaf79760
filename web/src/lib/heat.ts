type Point = { start: string };

export const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;
export const HOURS = 24;

/** Sums by weekday and hour of a time zone: seven rows of twenty-four. */
export function heatOf<P extends Point>(
  timeline: readonly P[],
  amount: (point: P) => number,
  timeZone: string,
): number[][] {
  const names = new Intl.DateTimeFormat("en-US", { timeZone, weekday: "short", hour: "2-digit", hourCycle: "h23" });
  const rows = WEEKDAYS.map(() => new Array<number>(HOURS).fill(0));
  for (const point of timeline) {
    const parts = names.formatToParts(new Date(point.start));
    const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "";
    const row = rows[(WEEKDAYS as readonly string[]).indexOf(part("weekday"))];
    const hour = Number(part("hour"));
    if (row) row[hour] = (row[hour] ?? 0) + amount(point);
  }
  return rows;
}
