/** A calendar day: `2026-11-24`. Arithmetic is of the calendar; time zones only decide which day today is. */
export type Day = string;

const DAY_MS = 86_400_000;

const ms = (day: Day): number => Date.parse(`${day}T00:00:00Z`);
const dayOf = (at: number): Day => new Date(at).toISOString().slice(0, 10);

export const addDays = (day: Day, days: number): Day => dayOf(ms(day) + days * DAY_MS);
export const daysBetween = (start: Day, end: Day): number => Math.round((ms(end) - ms(start)) / DAY_MS);
export const isDay = (text: unknown): text is Day =>
  typeof text === "string" && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(ms(text));

/** A month as the address says it: `2026-11`. */
export const isMonth = (text: unknown): text is string => typeof text === "string" && isDay(`${text}-01`);

// Making a format costs a hundred times as much as using it.
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale + JSON.stringify(options);
  const known = formats.get(key) ?? new Intl.DateTimeFormat(locale, options);
  formats.set(key, known);
  return known;
}

export function today(now: Date, timeZone: string): Day {
  return formatOf("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }).format(now);
}

export const monthStart = (day: Day): Day => `${day.slice(0, 7)}-01`;

/** The same day of another month, or that month's last day if it is shorter. */
export function addMonths(day: Day, months: number): Day {
  const at = new Date(ms(day));
  const first = Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + months, 1);
  const last = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + months + 1, 0)).getUTCDate();
  return dayOf(first + (Math.min(at.getUTCDate(), last) - 1) * DAY_MS);
}

export function formatDay(day: Day, options: Intl.DateTimeFormatOptions = { day: "numeric", month: "short" }): string {
  return formatOf("en-GB", { timeZone: "UTC", ...options }).format(ms(day));
}

export function formatDays(start: Day, end: Day): string {
  const year = start.slice(0, 4) !== end.slice(0, 4) ? ({ year: "numeric" } as const) : {};
  if (start === end) return formatDay(start, { day: "numeric", month: "short", year: "numeric" });
  if (start.slice(0, 7) === end.slice(0, 7)) return `${Number(start.slice(8))}–${formatDay(end)}`;
  return `${formatDay(start, { day: "numeric", month: "short", ...year })} – ${formatDay(end, { day: "numeric", month: "short", ...year })}`;
}

export function formatInstant(iso: string, timeZone: string, seconds = false): string {
  return formatOf("en-GB", {
    timeZone,
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    ...(seconds ? { second: "2-digit" } : {}),
  }).format(Date.parse(iso));
}
