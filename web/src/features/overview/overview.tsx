import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { analyticsOf, latencyOf, newestRecord, projects, type Question, usageStats } from "@/api/queries";
import { useTimeZone } from "@/app/preferences";
import { PeriodPicker } from "@/components/period-picker";
import { RecordsGone } from "@/components/records-gone";
import { PageHead } from "@/components/ui/card";
import { FailureNotice, Skeleton } from "@/components/ui/states";
import { FirstSteps } from "@/features/start/first-steps";
import { classes } from "@/lib/classes";
import { today } from "@/lib/days";
import {
  bucketOf,
  formatPeriod,
  isOfHours,
  isRunning,
  type Preset,
  periodBefore,
  periodLink,
  periodOf,
} from "@/lib/period";
import { AnomalyCard } from "./anomaly-card";
import { BudgetsAtRisk } from "./budgets-at-risk";
import { KeyFigures } from "./key-figures";
import { LiveTick } from "./live-tick";
import { SpendOverTime } from "./spend-over-time";
import { Tiles } from "./tiles";
import { TopLists } from "./top-lists";
import { UnpricedInbox } from "./unpriced-inbox";
import { WhatChanged } from "./what-changed";

const route = getRouteApi("/");
const FALLBACK: Preset = "mtd";

export function Overview() {
  const newest = useQuery(newestRecord());
  if (newest.error && !newest.data)
    return <FailureNotice failure={newest.error} onRetry={() => void newest.refetch()} />;
  // The figures are asked for at the same time: hardly ever is there nothing.
  return newest.data?.pagination.total === 0 ? <FirstSteps /> : <Figures />;
}

function Figures() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const timeZone = useTimeZone(search.tz);
  const now = today(new Date(), timeZone);
  const period = periodOf(search, now, FALLBACK);
  const before = periodBefore(period, search, FALLBACK);
  const by = search.by ?? "model";
  const metric = search.metric ?? "cost";
  // A month of two days is shown by days: its others are expected.
  const isShort = isOfHours(period) || period.start === period.end;
  const question: Question = {
    period,
    timeZone,
    by: [by],
    bucket: isShort ? "hour" : bucketOf(period) === "hour" ? "day" : bucketOf(period),
    metric,
  };
  const current = useQuery(analyticsOf(question, ["summary", "timeline", "groups", "trends"]));
  const previous = useQuery(analyticsOf({ ...question, period: before, by: [] }, ["summary", "timeline"]));
  const estimated = useQuery(usageStats({ period, timeZone, filters: { costSource: ["estimated"] } }));
  const latency = useQuery(latencyOf({ period, timeZone }));
  const latencyBefore = useQuery(latencyOf({ period: before, timeZone }));
  const known = useQuery(projects());
  const loading = current.isPlaceholderData || previous.isPlaceholderData;

  if (current.error && !current.data)
    return <FailureNotice failure={current.error} onRetry={() => void current.refetch()} />;
  const against = formatPeriod(before, timeZone);
  const runs = isRunning(period, new Date(), timeZone);
  return (
    <>
      <PageHead title="Overview" hint={`Compared with ${against}. Days are in ${timeZone}.`}>
        {runs && <LiveTick today={now} />}
        <PeriodPicker
          search={search}
          fallback={FALLBACK}
          onChange={(change) =>
            void navigate({
              search: (old) => ({ ...old, range: undefined, from: undefined, to: undefined, ...change }),
              resetScroll: false,
            })
          }
        />
      </PageHead>
      {current.data && previous.data && !known.isPending ? (
        <div className={classes("grid grid-cols-1 gap-4", loading && "stale")} aria-busy={loading}>
          <RecordsGone period={current.data.period} />
          <Tiles
            current={current.data}
            previous={previous.data}
            estimated={estimated.data}
            projects={known.data}
            search={search}
            against={against}
            now={now}
          />
          <KeyFigures
            current={current.data.summary}
            previous={previous.data.summary}
            latency={latency.data}
            latencyBefore={latencyBefore.data}
            period={periodLink(search, FALLBACK)}
          />
          <SpendOverTime
            answer={current.data}
            before={previous.data}
            by={by}
            metric={metric}
            period={period}
            runs={runs}
            now={now}
          />
          <div className="below grid gap-4 xl:grid-cols-5">
            <div className="grid grid-cols-1 content-start gap-4 xl:col-span-3">
              <WhatChanged period={period} before={before} timeZone={timeZone} />
              <AnomalyCard timeZone={timeZone} />
            </div>
            <div className="grid grid-cols-1 content-start gap-4 xl:col-span-2">
              <BudgetsAtRisk />
              <UnpricedInbox period={period} timeZone={timeZone} search={search} />
            </div>
          </div>
          <div className="below">
            <TopLists period={period} before={before} timeZone={timeZone} />
          </div>
        </div>
      ) : (
        <Loading />
      )}
    </>
  );
}

function Loading() {
  return (
    <div className="grid gap-4" role="status" aria-label="Loading">
      <div className="grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-5">
        {["spend", "forecast", "budget", "unit", "coverage"].map((tile) => (
          <Skeleton key={tile} className="h-[150px] last:col-span-2 md:last:col-span-1" />
        ))}
      </div>
      <Skeleton className="h-[260px] sm:h-[130px] xl:h-[66px]" />
      <Skeleton className="h-[404px]" />
      <Skeleton className="h-72" />
    </div>
  );
}
