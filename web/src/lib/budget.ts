import type { Schemas } from "@/api/client";
import { addDays, addMonths, type Day, daysBetween, monthStart, today } from "./days";
import { numberOf } from "./money";

type Status = Schemas["BudgetStatus"];

/** How much of a period is over, 0 to 1; nothing where it has no end. */
export function paceOf(start: string, end: string | null | undefined, now: Date): number | undefined {
  if (!end) return undefined;
  const [from, to] = [Date.parse(start), Date.parse(end)];
  return to > from ? Math.min(1, Math.max(0, (now.getTime() - from) / (to - from))) : undefined;
}

/** A period ends at the first instant that is not in it; people speak of the day before. */
export const lastDayOf = (end: string, zone: string): Day => today(new Date(Date.parse(end) - 1), zone);

/** Percent at which people are told. */
export const thresholdsOf = ({ alerts }: Schemas["Budget"]): number[] =>
  (alerts ?? []).map(({ threshold }) => threshold);

export type Standing = "fine" | "ahead" | "near" | "over";

/** Beyond this much more than even spending a person should look. */
const AHEAD = 0.1;

/** How a budget stands: used up, past its last threshold before that, faster than the time passes, or fine. */
export function standingOf(used: number, pace: number | undefined, thresholds: readonly number[]): Standing {
  if (used >= 1) return "over";
  const last = Math.max(0, ...thresholds.filter((threshold) => threshold < 100));
  if (last > 0 && used * 100 >= last) return "near";
  return pace !== undefined && used > pace + AHEAD ? "ahead" : "fine";
}

export const STANDINGS: Record<Standing, string> = {
  fine: "on course",
  ahead: "faster than the period passes",
  near: "past its last threshold",
  over: "used up",
};

export type BurnDown = {
  days: Day[];
  /** What was spent by the end of each day; nothing for days to come. */
  spent: (number | null)[];
  /** Even spending; nothing without an end of the period. */
  ideal: (number | null)[];
  /** From today to the end of the period. */
  forecast: { low: (number | null)[]; expected: (number | null)[]; high: (number | null)[] } | undefined;
  /** The day in `days` on which the money ran out, or runs out as things are. */
  exhaustedOn: Day | undefined;
  isExhausted: boolean;
};

const DAYS_MAX = 1_100;

/** A budget's period day by day: what was spent, what even spending would be, and what is to be expected. */
export function burnDown(status: Status, costs: ReadonlyMap<Day, number>, zone: string, now: Date): BurnDown {
  const start = today(new Date(status.periodStart), zone);
  const current = today(now, zone);
  const end = status.periodEnd ? lastDayOf(status.periodEnd, zone) : current;
  const length = Math.min(DAYS_MAX, Math.max(0, daysBetween(start, end)) + 1);
  const days = Array.from({ length }, (_, index) => addDays(start, index));
  let sum = 0;
  const spent = days.map((day) => {
    if (day > current) return null;
    sum += costs.get(day) ?? 0;
    return sum;
  });
  const amount = numberOf(status.limit.total);
  const ideal = days.map((_, index) => (status.periodEnd ? (amount * (index + 1)) / length : null));
  const exhausted = status.exceededAt ?? status.projectedExhaustionAt;
  const exhaustedOn = exhausted ? today(new Date(exhausted), zone) : undefined;
  return {
    days,
    spent,
    ideal,
    forecast: forecastOf(status, days, current, sum),
    isExhausted: Boolean(status.exceededAt),
    exhaustedOn: exhaustedOn && days.includes(exhaustedOn) ? exhaustedOn : undefined,
  };
}

function forecastOf({ forecast }: Status, days: readonly Day[], current: Day, spent: number): BurnDown["forecast"] {
  const at = days.indexOf(current);
  const rest = days.length - 1 - at;
  if (!forecast || at < 0 || rest <= 0) return undefined;
  const to = (last: number) =>
    days.map((_, index) => (index < at ? null : spent + ((last - spent) * (index - at)) / rest));
  return {
    low: to(numberOf(forecast.low)),
    expected: to(numberOf(forecast.expected)),
    high: to(numberOf(forecast.high)),
  };
}

export type Crossing = { threshold: number; on: Day | undefined };

/** On which day each threshold would have been reached, had the days cost this. */
export function crossings(
  days: readonly { day: Day; cost: number }[],
  amount: number,
  thresholds: readonly number[],
): Crossing[] {
  return thresholds.map((threshold) => {
    let sum = 0;
    const on = days.find(({ cost }) => {
      sum += cost;
      return sum * 100 >= amount * threshold;
    })?.day;
    return { threshold, on };
  });
}

/** The first days of the calendar period that `day` is in, and of the next one. */
function calendarPeriod(period: Schemas["Period"], day: Day): [Day, Day] | undefined {
  const month = monthStart(day);
  if (period === "weekly") return [day, addDays(day, 7)];
  if (period === "monthly") return [month, addMonths(month, 1)];
  if (period === "yearly") return [`${day.slice(0, 4)}-01-01`, `${Number(day.slice(0, 4)) + 1}-01-01`];
  if (period !== "quarterly") return undefined;
  const start = addMonths(month, -((Number(day.slice(5, 7)) - 1) % 3));
  return [start, addMonths(start, 3)];
}

/** What even spending of a budget in dollars is on each day; nothing for one without calendar periods. */
export function evenDays(budget: Schemas["Budget"], days: readonly Day[]): number[] | undefined {
  if ((budget.currency ?? "USD") !== "USD" || (budget.startDate && budget.period !== "weekly")) return undefined;
  const shares = days.map((day) => {
    const period = calendarPeriod(budget.period, day);
    return period && numberOf(budget.amount) / daysBetween(...period);
  });
  return shares.every((share) => share !== undefined) ? shares : undefined;
}
