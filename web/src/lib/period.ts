import { addDays, addMonths, type Day, daysBetween, isDay, monthStart } from "./days";

export const PRESETS = {
  today: "Today",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
  "90d": "Last 90 days",
  mtd: "This month",
  "last-month": "Last month",
  qtd: "This quarter",
  ytd: "This year",
} as const;

export type Preset = keyof typeof PRESETS;

/** Days, the last one included. */
export type Period = { start: Day; end: Day };

/** What the URL says of the period: a preset, or two days. */
export type PeriodSearch = { range?: Preset | undefined; from?: Day | undefined; to?: Day | undefined };

export function readPeriodSearch(search: Record<string, unknown>): PeriodSearch {
  if (isDay(search.from) && isDay(search.to) && search.from <= search.to) return { from: search.from, to: search.to };
  const range = search.range;
  return typeof range === "string" && Object.hasOwn(PRESETS, range) ? { range: range as Preset } : {};
}

export function periodOf(search: PeriodSearch, now: Day, fallback: Preset): Period {
  if (search.from && search.to) return { start: search.from, end: search.to };
  return presetPeriod(search.range ?? fallback, now);
}

function presetPeriod(preset: Preset, now: Day): Period {
  switch (preset) {
    case "today":
      return { start: now, end: now };
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
    case "qtd": {
      const month = Number(now.slice(5, 7));
      return { start: addMonths(monthStart(now), -((month - 1) % 3)), end: now };
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
  const preset = search.from ? undefined : (search.range ?? fallback);
  const months = { mtd: 1, "last-month": 1, qtd: 3, ytd: 12 }[preset as string];
  if (!months) {
    const days = daysBetween(period.start, period.end) + 1;
    return { start: addDays(period.start, -days), end: addDays(period.start, -1) };
  }
  const start = addMonths(period.start, -months);
  // A whole month is compared with a whole month.
  if (preset === "last-month") return { start, end: addDays(period.start, -1) };
  return { start, end: addMonths(period.end, -months) };
}

export function periodName(search: PeriodSearch, fallback: Preset): string | undefined {
  return search.from ? undefined : PRESETS[search.range ?? fallback];
}
