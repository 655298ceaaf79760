import type { Bucket } from "@/api/queries";
import { addDays, addMonths, type Day, daysBetween, formatDays, formatInstant, isDay, monthStart, today } from "./days";

export const PRESETS = {
  today: "Today",
  yesterday: "Yesterday",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
  "90d": "Last 90 days",
  mtd: "This month",
  "last-month": "Last month",
  qtd: "This quarter",
  "last-quarter": "Last quarter",
  ytd: "This year",
} as const;

export type Preset = keyof typeof PRESETS;

/** A moment of the address: `2026-11-24T08:00Z`. */
type Instant = string;

/** Days, the last one included; or two instants, of which the last one is no more in it. */
export type Period = { start: Day | Instant; end: Day | Instant };

/** What the URL says of the period: a preset, two days, or two instants. */
export type PeriodSearch = {
  range?: Preset | undefined;
  from?: Day | Instant | undefined;
  to?: Day | Instant | undefined;
};

const HOUR_MS = 3_600_000;

const isInstant = (text: unknown): text is Instant =>
  typeof text === "string" && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}Z$/.test(text) && !Number.isNaN(Date.parse(text));
const instantOf = (ms: number): Instant => `${new Date(ms).toISOString().slice(0, 16)}Z`;

/** Whether a period begins and ends within days. */
export const isOfHours = ({ start }: Period): boolean => isInstant(start);

const spanMs = ({ start, end }: Period): number => Date.parse(end) - Date.parse(start);

export function readPeriodSearch({ from, to, range }: Record<string, unknown>): PeriodSearch {
  if (isDay(from) && isDay(to) && from <= to) return { from, to };
  if (isInstant(from) && isInstant(to) && from < to) return { from, to };
  return typeof range === "string" && Object.hasOwn(PRESETS, range) ? { range: range as Preset } : {};
}

export function periodOf(search: PeriodSearch, now: Day, fallback: Preset): Period {
  if (search.from && search.to) return { start: search.from, end: search.to };
  return presetPeriod(search.range ?? fallback, now);
}

/** The same days on another page, whatever is usual there. */
export const periodLink = (search: PeriodSearch & { tz?: string | undefined }, fallback: Preset) => ({
  range: search.from ? undefined : (search.range ?? fallback),
  from: search.from,
  to: search.to,
  tz: search.tz,
});

const quarterStart = (day: Day): Day => addMonths(monthStart(day), -((Number(day.slice(5, 7)) - 1) % 3));

function presetPeriod(preset: Preset, now: Day): Period {
  switch (preset) {
    case "today":
      return { start: now, end: now };
    case "yesterday":
      return { start: addDays(now, -1), end: addDays(now, -1) };
    case "7d":
      return { start: addDays(now, -6), end: now };
    case "30d":
      return { start: addDays(now, -29), end: now };
    case "90d":
      return { start: addDays(now, -89), end: now };
    case "mtd":
      return { start: monthStart(now), end: now };
    case "last-month": {
      const start = addMonths(monthStart(now), -1);
      return { start, end: addDays(monthStart(now), -1) };
    }
    case "qtd":
      return { start: quarterStart(now), end: now };
    case "last-quarter": {
      const start = quarterStart(now);
      return { start: addMonths(start, -3), end: addDays(start, -1) };
    }
    case "ytd":
      return { start: `${now.slice(0, 4)}-01-01`, end: now };
  }
}

/**
 * What a period is compared with. Periods that begin with a month are compared with the same days of the month, quarter
 * or year before; others with as many days directly before.
 */
export function periodBefore(period: Period, search: PeriodSearch, fallback: Preset): Period {
  if (isOfHours(period)) return { start: instantOf(Date.parse(period.start) - spanMs(period)), end: period.start };
  const preset = search.from ? undefined : (search.range ?? fallback);
  const months = { mtd: 1, "last-month": 1, qtd: 3, "last-quarter": 3, ytd: 12 }[preset as string];
  if (!months) {
    const days = daysBetween(period.start, period.end) + 1;
    return { start: addDays(period.start, -days), end: addDays(period.start, -1) };
  }
  const start = addMonths(period.start, -months);
  // A whole month is compared with a whole month, a quarter with a quarter.
  if (preset === "last-month" || preset === "last-quarter") return { start, end: addDays(period.start, -1) };
  return { start, end: addMonths(period.end, -months) };
}

export function periodName(search: PeriodSearch, fallback: Preset): string | undefined {
  return search.from ? undefined : PRESETS[search.range ?? fallback];
}

/** A period as people say it. */
export function formatPeriod(period: Period, timeZone: string): string {
  const { start, end } = period;
  if (!isOfHours(period)) return formatDays(start, end);
  const [from, to] = [formatInstant(start, timeZone), formatInstant(end, timeZone)];
  const [day, time] = to.split(", ");
  return day && time && from.startsWith(day) ? `${from}–${time}` : `${from} – ${to}`;
}

/** The days that a period is in. */
export function daysOf({ start, end }: Period, timeZone: string): { start: Day; end: Day } {
  if (!isInstant(start)) return { start, end };
  return { start: today(new Date(start), timeZone), end: today(new Date(Date.parse(end) - 1), timeZone) };
}

/** Whether calls of now are in it. */
export const isRunning = (period: Period, now: Date, timeZone: string): boolean =>
  isOfHours(period) ? Date.parse(period.end) > now.getTime() : period.end >= today(now, timeZone);

const HOURLY_DAYS_MAX = 2;
const DAILY_DAYS_MAX = 120;
const WEEKLY_DAYS_MAX = 400;

/** The finest points that a chart of the period can show well. */
export function bucketOf(period: Period): Bucket {
  if (isOfHours(period)) return "hour";
  const days = daysBetween(period.start, period.end) + 1;
  if (days <= HOURLY_DAYS_MAX) return "hour";
  return days <= DAILY_DAYS_MAX ? "day" : days <= WEEKLY_DAYS_MAX ? "week" : "month";
}

const HOURS_SHOWN_DAYS_MAX = 31;

/** What the period can be divided into: hours of a year cannot be told apart. */
export function bucketsOf(period: Period): Bucket[] {
  if (isOfHours(period)) return ["hour"];
  const days = daysBetween(period.start, period.end) + 1;
  return [...(days <= HOURS_SHOWN_DAYS_MAX ? (["hour"] as const) : []), "day", "week", "month"];
}

/** What lies under some points of a chart, the first and the last of them included. */
export function periodUnder(
  timeline: readonly { date: string; start: string }[],
  bucket: Bucket,
  [first, last]: readonly [number, number],
  period: Period,
): { from: string; to: string } | undefined {
  const [start, end, next] = [timeline[first], timeline[last], timeline[last + 1]];
  if (!start || !end) return undefined;
  if (bucket === "hour")
    return {
      from: instantOf(Date.parse(start.start)),
      to: instantOf(next ? Date.parse(next.start) : Date.parse(end.start) + HOUR_MS),
    };
  // The first and the last week of a period may reach beyond it.
  return {
    from: [start.date, period.start].sort()[1] ?? start.date,
    to: next ? addDays(next.date, -1) : period.end,
  };
}
