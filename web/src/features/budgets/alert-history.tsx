import { Link } from "@tanstack/react-router";
import { DeliveryBadge } from "@/components/delivery-badge";
import { buttonClasses } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { Empty } from "@/components/ui/states";
import { formatInstant } from "@/lib/days";
import { formatMoney } from "@/lib/money";
import { counted } from "@/lib/numbers";
import { ALERT_KINDS } from "./alert-kinds";
import type { BudgetStatus } from "./queries";

type Fired = BudgetStatus["alerts"][number];

/** Each alert of a budget: when it fired, who was told, and what came of it. */
export function AlertHistory({ status, className }: { status: BudgetStatus; className?: string }) {
  const zone = status.budget.timeZone ?? "UTC";
  const alerts = [...status.alerts].sort((one, other) => one.threshold - other.threshold);
  return (
    <Card className={className}>
      <CardHead title="Alerts" hint="Each fires once a period, and is on every member's list.">
        <Link
          to="/alerts"
          search={{ status: "all", project: status.projectId ?? undefined }}
          className={buttonClasses("plain", "small")}
        >
          On the list
        </Link>
      </CardHead>
      {alerts.length === 0 ? (
        <Empty title="Nobody is told">This budget has no alerts. Change it to add thresholds.</Empty>
      ) : (
        <ol className="divide-y border-t">
          {alerts.map((alert) => (
            <li key={`${alert.threshold} ${alert.type}`} className="flex gap-4 px-4 py-3 sm:px-5">
              <p
                className={`nums w-16 shrink-0 text-lg whitespace-nowrap font-semibold ${alert.firedAt ? (alert.threshold >= 100 ? "text-bad" : "text-warn") : "text-muted"}`}
              >
                {alert.threshold} %
              </p>
              <div className="min-w-0 flex-1">
                <p>
                  {alert.firedAt ? (
                    <>
                      Fired <span className="font-medium">{formatInstant(alert.firedAt, zone)}</span>
                      {alert.spent != null && <span className="nums"> at {formatMoney(alert.spent)}</span>}
                    </>
                  ) : (
                    <span className="text-muted">Not reached in this period</span>
                  )}
                  <span className="text-muted"> · {ALERT_KINDS[alert.type]}</span>
                </p>
                <Told alert={alert} zone={zone} />
              </div>
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}

function Told({ alert, zone }: { alert: Fired; zone: string }) {
  if (alert.deliveries.length === 0) {
    if (!alert.firedAt || alert.type === "in-app") return null;
    return <p className="text-[13px] text-muted">The log of who was told is kept for 30 days.</p>;
  }
  return (
    <ul className="mt-1.5 grid gap-1 text-[13px]">
      {alert.deliveries.map((told) => (
        <li key={`${told.channel} ${told.to}`} className="flex flex-wrap items-baseline gap-x-2">
          <DeliveryBadge state={told.state} />
          <span className="min-w-0 break-words">
            {told.channel === "email" ? "e-mail to" : "webhook to"} <span className="font-medium">{told.to}</span>
          </span>
          <span className="text-muted">
            {told.deliveredAt
              ? formatInstant(told.deliveredAt, zone, true)
              : told.nextAttemptAt
                ? `after ${counted(told.attempts, "attempt")}; next ${formatInstant(told.nextAttemptAt, zone, true)}`
                : told.attempts > 0 && `after ${counted(told.attempts, "attempt")}`}
            {told.reason && ` – ${told.reason}`}
          </span>
        </li>
      ))}
    </ul>
  );
}
