import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck } from "lucide-react";
import { Card, CardHead } from "@/components/ui/card";
import { Loaded } from "@/components/ui/loaded";
import { dayOf, newestAnomalies, oncePerDay } from "@/features/alerts/anomaly-queries";
import { spanOf } from "@/features/alerts/span";
import { formatMoney } from "@/lib/money";

const SHOWN = 4;

/** Spending that was far from usual and that nobody expected, the newest first. */
export function AnomalyCard({ timeZone }: { timeZone: string }) {
  const newest = useQuery(newestAnomalies());
  return (
    <Card>
      <CardHead title="Unusual spending" hint="Far above what a model usually costs at that time.">
        <Link
          to="/alerts"
          search={{ tab: "anomalies" }}
          className="text-[13px] font-medium text-accent-text hover:underline"
        >
          All anomalies
        </Link>
      </CardHead>
      <Loaded query={newest} skeleton="h-24" className="px-4 pb-4 sm:px-5">
        {({ items }) =>
          items.length === 0 ? (
            <p className="flex items-center gap-2 text-muted">
              <CircleCheck className="size-5 text-good" />
              Nothing unusual, or all of it was expected.
            </p>
          ) : (
            <ul className="grid gap-2.5">
              {oncePerDay(items)
                .slice(0, SHOWN)
                .map((anomaly) => (
                  <li key={anomaly.id}>
                    <Link
                      to="/explorer"
                      search={{ ...dayOf(anomaly), by: "trackerKey", bucket: "hour" }}
                      className="rounded font-medium break-words hover:underline"
                    >
                      {anomaly.explanation}
                    </Link>
                    <p className="nums text-[13px] text-muted">
                      {formatMoney(anomaly.spent)} against {formatMoney(anomaly.usual)} ·{" "}
                      {anomaly.projectName ?? "no project"} · {spanOf(anomaly, timeZone)}
                    </p>
                  </li>
                ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}
