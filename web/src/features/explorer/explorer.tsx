import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { analyticsOf, type Bucket, type Metric, type Question } from "@/api/queries";
import { useTimeZone } from "@/app/preferences";
import { FilterBar } from "@/components/filter-bar";
import { NoCalls } from "@/components/no-calls";
import { PeriodPicker } from "@/components/period-picker";
import { RecordsGone } from "@/components/records-gone";
import { SearchBox } from "@/components/search-box";
import { Button } from "@/components/ui/button";
import { Card, PageHead } from "@/components/ui/card";
import { Select } from "@/components/ui/field";
import { FailureNotice, Skeleton } from "@/components/ui/states";
import { Segments } from "@/components/ui/tabs";
import { useNamed } from "@/components/use-named";
import { classes } from "@/lib/classes";
import { today } from "@/lib/days";
import { type Dimension, type Filters, readFilters, withFilters } from "@/lib/dimensions";
import { bucketOf, bucketsOf, formatPeriod, type Preset, periodBefore, periodLink, periodOf } from "@/lib/period";
import { namesOf } from "@/lib/series";
import { Drawing } from "./drawing";
import { Durations } from "./durations";
import { ExportMenu } from "./export-menu";
import { GroupBy } from "./group-by";
import { Groups } from "./groups";
import { SavedViews } from "./saved-views";

const route = getRouteApi("/explorer");
const FALLBACK: Preset = "30d";

/** Any cut through the costs. What is shown is what the address says, and what is exported. */
export function Explorer() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const timeZone = useTimeZone(search.tz);
  const period = periodOf(search, today(new Date(), timeZone), FALLBACK);
  const before = periodBefore(period, search, FALLBACK);
  const filters = readFilters(search);
  const by: Dimension[] = [
    search.by ?? "model",
    ...(search.and && search.and !== (search.by ?? "model") ? [search.and] : []),
  ];
  const about = { ...periodLink(search, FALLBACK), search: search.search };
  const durations = search.metric === "duration";
  const metric: Metric = search.metric === "duration" ? "requests" : (search.metric ?? "cost");
  const compares = search.compare !== "none";
  const buckets = bucketsOf(period);
  const bucket = search.bucket && buckets.includes(search.bucket) ? search.bucket : bucketOf(period);
  const question: Question = {
    period,
    timeZone,
    by,
    bucket,
    metric,
    filters,
    search: search.search,
  };
  const table: Question = { ...question, bucket: undefined, compare: compares ? before : undefined };
  const current = useQuery(analyticsOf(question, ["timeline", "groups"]));
  const sums = useQuery(analyticsOf(table, ["summary", "groups"]));
  const line = useQuery({ ...analyticsOf({ ...question, by: [], period: before }, ["timeline"]), enabled: compares });
  const filtered = useNamed(question);
  const names = useMemo(() => namesOf(sums.data, filtered), [sums.data, filtered]);
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: (old) => ({ ...old, ...next }), resetScroll: false });
  const put = (next: Filters) => void navigate({ search: (old) => withFilters(old, next), resetScroll: false });
  const stale = current.isPlaceholderData || sums.isPlaceholderData || line.isPlaceholderData;
  const failure = current.error ?? sums.error;
  return (
    <>
      <PageHead
        title="Explorer"
        hint={
          compares
            ? `Compared with ${formatPeriod(before, timeZone)}. Days are in ${timeZone}.`
            : `Days are in ${timeZone}.`
        }
      >
        <PeriodPicker
          search={search}
          fallback={FALLBACK}
          onChange={(next) => change({ range: undefined, from: undefined, to: undefined, bucket: undefined, ...next })}
        />
        <SavedViews />
        <ExportMenu
          table={table}
          // Hours of weekdays are made of hours.
          chart={search.chart === "heat" && !durations ? { ...question, by: [], bucket: "hour" } : question}
          isOfDurations={durations}
        />
      </PageHead>
      <div className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-2">
        <GroupBy label="Group by" value={search.by ?? "model"} onChange={(next) => change({ by: next ?? undefined })} />
        <GroupBy
          label="and"
          none
          value={search.and}
          except={search.by ?? "model"}
          onChange={(next) => change({ and: next ?? undefined })}
        />
        <Select
          aria-label="Points of time"
          className="h-8 w-auto py-0"
          value={bucket}
          onChange={(event) => {
            const chosen = event.target.value as Bucket;
            change({ bucket: chosen === bucketOf(period) ? undefined : chosen });
          }}
        >
          {buckets.map((one) => (
            <option key={one} value={one}>
              by {one}
            </option>
          ))}
        </Select>
        <Segments
          label="Figure"
          value={search.metric ?? "cost"}
          onChange={(next) => change({ metric: next === "cost" ? undefined : next })}
          choices={[
            { value: "cost", name: "Cost" },
            { value: "tokens", name: "Tokens" },
            { value: "requests", name: "Requests" },
            { value: "duration", name: "Duration" },
          ]}
        />
        <Button
          size="small"
          className="h-8"
          aria-pressed={compares}
          onClick={() => change({ compare: compares ? "none" : undefined })}
        >
          {compares ? "Comparing" : "Compare"}
        </Button>
      </div>
      <div className="mb-4 flex flex-wrap items-center gap-2">
        <SearchBox text={search.search} onSearch={(text) => change({ search: text })} />
        <FilterBar filters={filters} names={names} period={period} timeZone={timeZone} onChange={put} />
      </div>
      {failure && !(current.data && sums.data) ? (
        <FailureNotice failure={failure} onRetry={() => void Promise.all([current.refetch(), sums.refetch()])} />
      ) : !current.data || !sums.data ? (
        <div className="grid gap-4" role="status" aria-label="Loading">
          <Skeleton className="h-96" />
          <Skeleton className="h-72" />
        </div>
      ) : sums.data.summary.totalRequests === 0 ? (
        <Card>
          <NoCalls />
        </Card>
      ) : (
        <div className={classes("grid gap-4", stale && "stale")} aria-busy={stale}>
          <RecordsGone period={current.data.period} />
          {durations ? (
            <Durations question={question} by={by} names={names} />
          ) : (
            <Drawing
              answer={current.data}
              before={compares ? line.data : undefined}
              question={question}
              by={by}
              metric={metric}
              filters={filters}
              onFilter={put}
            />
          )}
          <Groups
            answer={sums.data}
            by={by}
            metric={metric}
            names={names}
            filters={filters}
            about={about}
            onFilter={put}
          />
        </div>
      )}
    </>
  );
}
