import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Answer, analyticsOf } from "@/api/queries";
import { Sparkline } from "@/components/charts/sparkline";
import { lastDayOf } from "@/lib/budget";
import { today } from "@/lib/days";
import { formatAbout, numberOf } from "@/lib/money";
import { formatCompact } from "@/lib/numbers";
import { keyOf } from "@/lib/series";
import { Change, type PeriodLink, Tile } from "./tile";

const UNITS = { request: "per request", million: "per 1M tokens", user: "per active user" } as const;
type Sums = Answer<"summary" | "timeline">;
type Unit = keyof typeof UNITS;
const NEXT: Record<Unit, Unit> = { request: "million", million: "user", user: "request" };

/** How many of the senders' own users had calls; as far as senders say who they are. */
function useActiveUsers(period: Sums["period"], enabled: boolean): number | undefined {
  // The end of an answer's period is the first instant after it.
  const days = { start: today(new Date(period.start), period.timeZone), end: lastDayOf(period.end, period.timeZone) };
  const { data } = useQuery({
    ...analyticsOf({ period: days, timeZone: period.timeZone, by: ["userEmail"], metric: "requests" }, ["groups"]),
    enabled,
  });
  return enabled ? data?.groups.filter((group) => keyOf(group, "userEmail") !== null).length : undefined;
}

export function UnitCostTile({ current, previous, period }: { current: Sums; previous: Sums; period: PeriodLink }) {
  const [unit, setUnit] = useState<Unit>("request");
  const users = useActiveUsers(current.period, unit === "user");
  const usersBefore = useActiveUsers(previous.period, unit === "user");
  const of = ({ summary }: Sums, active: number | undefined): number | undefined => {
    if (unit === "user") return active ? numberOf(summary.totalCost) / active : undefined;
    if (unit === "request") return summary.averageCostPerRequest ? numberOf(summary.averageCostPerRequest) : undefined;
    return summary.costPerThousandTokens ? numberOf(summary.costPerThousandTokens) * 1000 : undefined;
  };
  const [now, before] = [of(current, users), of(previous, usersBefore)];
  const values = current.timeline.map((point) => {
    const count = unit === "million" ? point.tokens : point.requests - point.unpriced;
    return count > 0 ? numberOf(point.cost) / count : 0;
  });
  const counts =
    unit === "user"
      ? users === 0
        ? "No call says whose it was."
        : `${formatCompact(users ?? 0)} users with calls`
      : `${formatCompact(current.summary.totalRequests)} requests`;
  return (
    <Tile
      label="Unit cost"
      link={{
        to: "/explorer",
        search: { ...period, metric: "requests", ...(unit === "user" ? { by: "userEmail" } : {}) },
      }}
      value={now === undefined ? "–" : formatAbout(now)}
      note={
        now !== undefined && before !== undefined && before > 0 ? (
          <Change now={now} before={before} against={formatAbout(before)} />
        ) : (
          counts
        )
      }
      action={
        <button
          type="button"
          onClick={() => setUnit(NEXT[unit])}
          className="relative z-10 rounded-md border px-1.5 py-0.5 text-xs whitespace-nowrap text-muted hover:text-ink"
        >
          {UNITS[unit]}
          <span className="sr-only">; change the unit</span>
        </button>
      }
    >
      {unit === "user" ? <p className="text-xs text-muted">{counts}</p> : <Sparkline values={values} muted />}
    </Tile>
  );
}
