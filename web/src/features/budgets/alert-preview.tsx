import { useQuery } from "@tanstack/react-query";
import { analyticsOf } from "@/api/queries";
import { Card, CardHead } from "@/components/ui/card";
import { Loaded } from "@/components/ui/loaded";
import { crossings } from "@/lib/budget";
import { addDays, addMonths, type Day, formatDay, formatDays, today } from "@/lib/days";
import { formatMoney, numberOf } from "@/lib/money";
import { type BudgetStatus, filtersOf } from "./queries";

type Period = BudgetStatus["budget"]["period"];

const MONTHS: Partial<Record<Period, number>> = { monthly: 1, quarterly: 3, yearly: 12 };
const DAYS: Partial<Record<Period, number>> = { weekly: 7 };
/** A one-time budget has no period before; a month shows as much. */
const OTHERWISE_DAYS = 30;

function before(period: Period, start: Day) {
  const months = MONTHS[period];
  return {
    start: months ? addMonths(start, -months) : addDays(start, -(DAYS[period] ?? OTHERWISE_DAYS)),
    end: addDays(start, -1),
  };
}

/** What these alerts would have done with the spending of the period before. */
export function AlertPreview({ status, className }: { status: BudgetStatus; className?: string }) {
  const zone = status.budget.timeZone ?? "UTC";
  const start = today(new Date(status.periodStart), zone);
  const period = before(status.budget.period, start);
  const spent = useQuery(
    analyticsOf({ period, timeZone: zone, bucket: "day", filters: filtersOf(status.scope) }, ["summary", "timeline"]),
  );
  const thresholds = [...new Set([...status.alerts.map(({ threshold }) => threshold), 100])].sort(
    (one, other) => one - other,
  );
  return (
    <Card className={className}>
      <CardHead
        title="The period before"
        hint={`What this budget would have said in ${formatDays(period.start, period.end)}.`}
      />
      <Loaded query={spent} skeleton="h-40" className="px-4 pb-4 sm:px-5">
        {({ timeline, summary }) => (
          <>
            <p className="nums mb-2">
              Spent then: <span className="font-semibold">{formatMoney(summary.totalCost)}</span>
            </p>
            <ul className="divide-y border-t text-[13px]">
              {crossings(
                timeline.map(({ date, cost }) => ({ day: date, cost: numberOf(cost) })),
                numberOf(status.limit.amount),
                thresholds,
              ).map(({ threshold, on }) => (
                <li key={threshold} className="nums flex justify-between gap-3 py-1.5">
                  <span>{threshold} %</span>
                  <span className={on ? "font-medium" : "text-muted"}>
                    {on ? `reached on ${formatDay(on)}` : "would not have fired"}
                  </span>
                </li>
              ))}
            </ul>
          </>
        )}
      </Loaded>
    </Card>
  );
}
