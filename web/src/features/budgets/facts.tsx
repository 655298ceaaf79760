import { STANDINGS, standingOf, thresholdsOf } from "@/lib/budget";
import { formatDay, formatInstant, today } from "@/lib/days";
import { formatMoney, nanosOf } from "@/lib/money";
import { formatShare } from "@/lib/numbers";
import { type BudgetStatus, zoneOf } from "./queries";

/** How a budget stands, in five figures. */
export function Facts({ status }: { status: BudgetStatus }) {
  const { spent, reserved, remaining, utilization, pace, forecast, exceededAt, projectedExhaustionAt, budget, limit } =
    status;
  const used = utilization / 100;
  const thresholds = thresholdsOf(budget);
  const standing = standingOf(used, pace ? pace.elapsed / 100 : undefined, thresholds);
  const over = nanosOf(remaining) < 0n;
  const zone = zoneOf(status);
  const facts = [
    {
      name: "Spent",
      value: formatMoney(spent),
      note:
        nanosOf(reserved) > 0n
          ? `and ${formatMoney(reserved)} reserved by calls under way`
          : `${formatShare(used)}, ${STANDINGS[standing]}`,
    },
    {
      name: over ? "Overrun" : "Left",
      value: formatMoney(remaining).replace("−", ""),
      note: pace ? `${formatShare(pace.elapsed / 100)} of the period is over` : "no end of the period",
      bad: over,
    },
    {
      name: "Against even spending",
      value: pace ? `${nanosOf(pace.ahead) > 0n ? "+" : ""}${formatMoney(pace.ahead)}` : "–",
      note: pace ? `${formatMoney(pace.evenSpending)} would be even` : "",
    },
    {
      name: "Expected at the end",
      value: forecast ? formatMoney(forecast.expected) : "–",
      note: forecast ? `likely ${formatMoney(forecast.low)} to ${formatMoney(forecast.high)}` : "after a week of calls",
      bad: forecast ? nanosOf(forecast.expected) > nanosOf(limit.total) : false,
    },
    {
      name: exceededAt ? "Used up" : "Runs out",
      value: exceededAt
        ? formatDay(today(new Date(exceededAt), zone))
        : projectedExhaustionAt
          ? formatDay(today(new Date(projectedExhaustionAt), zone))
          : "not in this period",
      note: exceededAt ? formatInstant(exceededAt, zone) : "if spending goes on as it is",
      bad: Boolean(exceededAt ?? projectedExhaustionAt),
    },
  ];
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-xl border bg-line lg:grid-cols-5">
      {facts.map(({ name, value, note, bad }) => (
        <div key={name} className="bg-surface px-4 py-3 last:col-span-2 lg:last:col-span-1">
          <dt className="text-[13px] text-muted">{name}</dt>
          <dd className={`nums text-xl font-semibold tracking-tight ${bad ? "text-bad" : ""}`}>{value}</dd>
          <dd className="nums text-[13px] text-muted">{note}</dd>
        </div>
      ))}
    </dl>
  );
}
