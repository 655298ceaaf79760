import type { LinkProps } from "@tanstack/react-router";
import type { Schemas } from "@/api/client";
import { type Fact, FactGrid } from "@/components/fact-grid";
import { formatMoney, numberOf } from "@/lib/money";
import { formatCompact, formatCount, formatMs, formatRate, formatShare } from "@/lib/numbers";
import type { PeriodLink } from "./tile";

type Summary = Omit<Schemas["Summary"], "latency">;
type Latency = Schemas["Latency"] | undefined;

/** How a figure moved; nothing where there was none before. */
function moved(now: number | undefined, before: number | undefined): string {
  if (now === undefined || before === undefined || before <= 0) return "nothing before";
  return now === before ? "as before" : `${formatRate((now - before) / before)}`;
}

/** Points of a share, not percent of percents. */
function movedShare(now: number | null | undefined, before: number | null | undefined): string {
  if (now == null || before == null) return "nothing before";
  const points = (now - before) * 100;
  if (Math.abs(points) < 0.05) return "as before";
  return `${points > 0 ? "+" : "−"}${Math.abs(points).toFixed(1)} points`;
}

const known = (money: Summary["averageCostPerRequest"]) => (money == null ? undefined : numberOf(money));
/** What a call without caching would have cost is the sum of what it cost and of what was saved. */
const savedShare = ({ cacheSavings, totalCost }: Summary): string => {
  const saved = numberOf(cacheSavings);
  const whole = numberOf(totalCost) + saved;
  return saved > 0 && whole > 0 ? `${formatShare(saved / whole)} less than uncached` : "nothing came from a cache";
};

/** The figures beside the money, each against the period before. */
export function KeyFigures({
  current,
  previous,
  latency,
  latencyBefore,
  period,
}: {
  current: Summary;
  previous: Summary;
  /** Comes after the rest. */
  latency?: Latency;
  latencyBefore?: Latency;
  /** The days as addresses say them: each figure opens what it is made of. */
  period?: PeriodLink;
}) {
  const explore = (search: object): LinkProps | undefined =>
    period && { to: "/explorer", search: { ...period, ...search } };
  const show = (search: object): LinkProps | undefined =>
    period && { to: "/records", search: { ...period, ...search } };
  const facts: Fact[] = [
    {
      name: "Requests",
      value: formatCompact(current.totalRequests),
      title: formatCount(current.totalRequests),
      note: moved(current.totalRequests, previous.totalRequests),
      link: show({}),
    },
    {
      name: "Tokens",
      value: formatCompact(current.totalTokens),
      title: `${formatCount(current.inputTokens)} in, ${formatCount(current.cachedTokens)} of them cached; ${formatCount(current.outputTokens)} out`,
      note: moved(current.totalTokens, previous.totalTokens),
      link: explore({ metric: "tokens" }),
    },
    {
      name: "Cost per request",
      value: current.averageCostPerRequest == null ? "–" : formatMoney(current.averageCostPerRequest),
      note: moved(known(current.averageCostPerRequest), known(previous.averageCostPerRequest)),
      link: explore({ sort: "costPerRequest" }),
    },
    {
      name: "Cost per 1,000 tokens",
      value: current.costPerThousandTokens == null ? "–" : formatMoney(current.costPerThousandTokens),
      note: moved(known(current.costPerThousandTokens), known(previous.costPerThousandTokens)),
      link: explore({ sort: "costPerMillionTokens" }),
    },
    {
      name: "Saved by caching",
      value: formatMoney(current.cacheSavings),
      note: savedShare(current),
      link: explore({ sort: "cacheHitRate" }),
    },
    {
      name: "Errors",
      value: current.errorRate == null ? "–" : formatShare(current.errorRate),
      note: movedShare(current.errorRate, previous.errorRate),
      link: show({ status: ["error"] }),
    },
    {
      name: "Duration, p50 and p95",
      value: latency ? `${formatMs(latency.p50)} / ${formatMs(latency.p95)}` : "…",
      note: latency && latencyBefore ? moved(latency.p50 ?? undefined, latencyBefore.p50 ?? undefined) : "…",
      link: explore({ metric: "duration" }),
    },
  ];
  return (
    <FactGrid
      facts={facts}
      className="grid-cols-2 rounded-xl sm:grid-cols-4 xl:grid-cols-7 [&>:last-child]:max-xl:col-span-2"
    />
  );
}
