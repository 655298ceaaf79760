import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Bookmark, ChartArea, ChartColumnStacked, ChartLine, Download, Table2, Trash2 } from "lucide-react";
import { type FormEvent, useId, useMemo, useState } from "react";
import { download } from "@/api/client";
import { type Analytics, analytics, analyticsQuery, type Bucket, type Metric, type Question } from "@/api/queries";
import { useChangePreferences, usePreferences, useTimeZone } from "@/app/preferences";
import { stringifySearch } from "@/app/search";
import { useTheme } from "@/app/theme";
import { Legend } from "@/components/charts/legend";
import { StackedTimeChart } from "@/components/charts/stacked-time";
import { TimeTable } from "@/components/charts/time-table";
import { FilterBar } from "@/components/filter-bar";
import { PeriodPicker } from "@/components/period-picker";
import { Button, buttonClasses } from "@/components/ui/button";
import { Card, PageHead } from "@/components/ui/card";
import { Input, Select } from "@/components/ui/field";
import { Menu, MenuItem, Popover } from "@/components/ui/menu";
import { ScrollRegion } from "@/components/ui/scroll";
import { Empty, FailureNotice, Skeleton } from "@/components/ui/states";
import { Segments } from "@/components/ui/tabs";
import { toast } from "@/components/ui/toasts";
import { pointNames } from "@/lib/axis";
import { classes } from "@/lib/classes";
import { OTHER } from "@/lib/colours";
import { daysBetween, formatDays, today } from "@/lib/days";
import { ALL_DIMENSIONS, DIMENSIONS, type Dimension, type Filters, readFilters } from "@/lib/dimensions";
import { formatAbout, formatAxis, formatMoney, moneyOf, nanosOf, numberOf } from "@/lib/money";
import { formatCompact, formatCount, formatRate, formatShare } from "@/lib/numbers";
import { type Period, type Preset, periodBefore, periodOf } from "@/lib/period";
import { amountOf, keyOf, layersOf, type Names, namesOf } from "@/lib/series";

const route = getRouteApi("/explorer");
const FALLBACK: Preset = "30d";
const SEPARATOR = "\u0000";

/** The finest points that a chart of the period can show. */
function bucketOf({ start, end }: Period): Bucket {
  const days = daysBetween(start, end) + 1;
  if (days <= 2) return "hour";
  return days <= 120 ? "day" : days <= 400 ? "week" : "month";
}

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
  const metric: Metric = search.metric ?? "cost";
  const compares = search.compare !== "none";
  const question: Question = {
    period,
    timeZone,
    by,
    bucket: search.bucket ?? bucketOf(period),
    metric,
    filters,
    search: search.search,
  };
  const current = useQuery(analytics(question));
  const sums = useQuery(analytics({ ...question, bucket: undefined }));
  const previous = useQuery({ ...analytics({ ...question, bucket: undefined, period: before }), enabled: compares });
  const names = useMemo(() => namesOf(current.data), [current.data]);
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: (old) => ({ ...old, ...next }), resetScroll: false });
  const put = (next: Filters) =>
    void navigate({
      search: ({ range, from, to, tz, by: one, and, metric: of, chart, bucket, compare, search: text }) => ({
        range,
        from,
        to,
        tz,
        by: one,
        and,
        metric: of,
        chart,
        bucket,
        compare,
        search: text,
        ...next,
      }),
      resetScroll: false,
    });
  const save = (format: "csv" | "json") =>
    void download(
      `/api/analytics/export${stringifySearch({ ...analyticsQuery(question), format })}`,
      `costs.${format}`,
    ).catch((failure: Error) => toast(failure.message, true));
  const stale = current.isPlaceholderData || sums.isPlaceholderData || previous.isPlaceholderData;
  const failure = current.error ?? sums.error ?? previous.error;
  return (
    <>
      <PageHead
        title="Explorer"
        hint={
          compares
            ? `Compared with ${formatDays(before.start, before.end)}. Days are in ${timeZone}.`
            : `Days are in ${timeZone}.`
        }
      >
        <PeriodPicker
          search={search}
          fallback={FALLBACK}
          onChange={(next) => change({ range: undefined, from: undefined, to: undefined, bucket: undefined, ...next })}
        />
        <SavedViews />
        <Menu
          trigger={
            <Button>
              <Download />
              Export
            </Button>
          }
        >
          <MenuItem onSelect={() => save("csv")}>This view as CSV</MenuItem>
          <MenuItem onSelect={() => save("json")}>As JSON</MenuItem>
        </Menu>
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
        <Segments
          label="Figure"
          value={metric}
          onChange={(next) => change({ metric: next === "cost" ? undefined : next })}
          choices={[
            { value: "cost", name: "Cost" },
            { value: "tokens", name: "Tokens" },
            { value: "requests", name: "Requests" },
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
      <div className="mb-4">
        <FilterBar filters={filters} names={names} period={period} timeZone={timeZone} onChange={put} />
      </div>
      {failure && !(current.data && sums.data) ? (
        <FailureNotice failure={failure} onRetry={() => void Promise.all([current.refetch(), sums.refetch()])} />
      ) : !current.data || !sums.data ? (
        <div className="grid gap-4" role="status" aria-label="Loading">
          <Skeleton className="h-96" />
          <Skeleton className="h-72" />
        </div>
      ) : current.data.summary.totalRequests === 0 ? (
        <Card>
          <Empty title="No calls match">Choose a longer period, or take out a filter.</Empty>
        </Card>
      ) : (
        <div className={classes("grid gap-4", stale && "stale")} aria-busy={stale}>
          <Drawing answer={current.data} by={by} metric={metric} period={period} filters={filters} onFilter={put} />
          <Groups
            answer={sums.data}
            before={compares ? previous.data : undefined}
            by={by}
            metric={metric}
            names={names}
            filters={filters}
            onFilter={put}
          />
        </div>
      )}
    </>
  );
}

function GroupBy({
  label,
  value,
  onChange,
  none,
  except,
}: {
  label: string;
  value: Dimension | undefined;
  onChange: (value: Dimension | null) => void;
  none?: boolean;
  except?: Dimension;
}) {
  const id = useId();
  return (
    <div className="flex items-center gap-2 text-[13px] text-muted">
      <label htmlFor={id}>{label}</label>
      <Select
        id={id}
        className="h-8 w-auto py-0"
        value={value ?? ""}
        onChange={(event) => onChange((event.target.value || null) as Dimension | null)}
      >
        {none && <option value="">nothing else</option>}
        {ALL_DIMENSIONS.filter((one) => one !== except).map((one) => (
          <option key={one} value={one}>
            {DIMENSIONS[one].one}
          </option>
        ))}
      </Select>
    </div>
  );
}

type DrawingProps = {
  answer: Analytics;
  by: readonly Dimension[];
  metric: Metric;
  period: Period;
  filters: Filters;
  onFilter: (filters: Filters) => void;
};

const KINDS = [
  { value: "bar", name: <ChartColumnStacked />, label: "Bars" },
  { value: "area", name: <ChartArea />, label: "Areas" },
  { value: "line", name: <ChartLine />, label: "Lines" },
  { value: "table", name: <Table2 />, label: "Table" },
] as const;

function Drawing({ answer, by, metric, period, filters, onFilter }: DrawingProps) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const theme = useTheme();
  const layers = useMemo(() => layersOf(answer, by, metric, theme), [answer, by, metric, theme]);
  const bucket = answer.period.bucket as Bucket;
  const zone = answer.period.timeZone;
  const points = useMemo(() => pointNames(answer.timeline, bucket, zone), [answer, bucket, zone]);
  const kind = search.chart ?? "bar";
  const format = metric === "cost" ? formatAbout : formatCount;
  const title = `${{ cost: "Cost", tokens: "Tokens", requests: "Requests" }[metric]} by ${by.map((one) => DIMENSIONS[one].one.toLowerCase()).join(" and ")}`;
  const zoom = (first: number, last: number) => {
    const [from, to] = [answer.timeline[first]?.date, answer.timeline[last]?.date];
    if (from && to && bucket === "day")
      void navigate({ search: (old) => ({ ...old, range: undefined, from, to }), resetScroll: false });
  };
  const pick = (name: string) => {
    const layer = layers.find((one) => one.name === name);
    const dimension = by[0];
    if (layer && dimension && name !== OTHER) onFilter({ ...filters, [dimension]: [layer.keys[0] ?? "(none)"] });
  };
  return (
    <Card className="px-3 py-4 sm:px-4">
      <div className="mb-2 flex flex-wrap items-center justify-between gap-3">
        <h2 className="text-[15px] font-semibold">{title}</h2>
        <Segments
          label="Shown as"
          value={kind}
          choices={KINDS}
          onChange={(chart) =>
            void navigate({
              search: (old) => ({ ...old, chart: chart === "bar" ? undefined : chart }),
              resetScroll: false,
            })
          }
        />
      </div>
      {kind === "table" ? (
        <TimeTable titles={points.titles} series={layers} format={format} label={title} />
      ) : (
        <>
          <StackedTimeChart
            kind={kind}
            label={`${title}; the same figures are in the table`}
            points={points.points}
            titles={points.titles}
            series={layers}
            unfinished={period.end >= today(new Date(), zone)}
            format={format}
            formatAxis={metric === "cost" ? formatAxis : formatCompact}
            onSweep={zoom}
            className="h-80"
          />
          <div className="mt-2">
            <Legend series={layers} onPick={pick} />
          </div>
        </>
      )}
    </Card>
  );
}

type Row = Pick<Analytics["groups"][number], "cost" | "tokens" | "requests"> & { id: string; keys: (string | null)[] };

function rowsOf(answer: Analytics, by: readonly Dimension[]): Row[] {
  return answer.groups.map((group) => {
    const keys = by.map((dimension) => keyOf(group, dimension));
    return { id: keys.map((key) => key ?? "").join(SEPARATOR), keys, ...group };
  });
}

type GroupsProps = {
  answer: Analytics;
  before: Analytics | undefined;
  by: readonly Dimension[];
  metric: Metric;
  names: Names;
  filters: Filters;
  onFilter: (filters: Filters) => void;
};

/** The exact sums of each group; a name goes one step deeper. */
function Groups({ answer, before, by, metric, names, filters, onFilter }: GroupsProps) {
  const { range, from, to, tz } = route.useSearch();
  const rows = rowsOf(answer, by).sort((one, other) =>
    metric === "cost" ? Number(nanosOf(other.cost) - nanosOf(one.cost)) : other[metric] - one[metric],
  );
  const then = new Map((before ? rowsOf(before, by) : []).map((row) => [row.id, row]));
  const whole = {
    cost: answer.summary.totalCost,
    tokens: answer.summary.totalTokens,
    requests: answer.summary.totalRequests,
  };
  const all = amountOf(whole, metric);
  const narrow = (keys: readonly (string | null)[]): Filters => ({
    ...filters,
    ...Object.fromEntries(by.map((dimension, index) => [dimension, [keys[index] ?? "(none)"]])),
  });
  const cell = "px-3 py-2 text-right whitespace-nowrap";
  return (
    <Card className="overflow-hidden">
      <ScrollRegion label="Groups" className="max-h-[36rem] overflow-auto -outline-offset-2">
        <table className="w-full text-[13px]">
          <thead className="sticky top-0 z-10 bg-sunken text-muted">
            <tr>
              {by.map((dimension) => (
                <th key={dimension} scope="col" className="px-3 py-2 text-left font-medium">
                  {DIMENSIONS[dimension].one}
                </th>
              ))}
              <th scope="col" className={classes(cell, "font-medium")}>
                Cost
              </th>
              <th scope="col" className={classes(cell, "font-medium")}>
                Share
              </th>
              {before && (
                <th scope="col" className={classes(cell, "font-medium")}>
                  Before
                </th>
              )}
              <th scope="col" className={classes(cell, "font-medium")}>
                Requests
              </th>
              <th scope="col" className={classes(cell, "font-medium")}>
                Tokens
              </th>
              <th scope="col" className={classes(cell, "font-medium")}>
                <span className="sr-only">Records</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => {
              const old = then.get(row.id);
              const [now, past] = [amountOf(row, metric), old ? amountOf(old, metric) : 0];
              return (
                <tr key={row.id} className="border-t hover:bg-sunken">
                  {by.map((dimension, index) => (
                    <th key={dimension} scope="row" className="max-w-32 px-3 py-2 text-left sm:max-w-64 font-normal">
                      <button
                        type="button"
                        title="Show only this"
                        className="max-w-full truncate rounded font-medium hover:underline"
                        onClick={() => onFilter({ ...filters, [dimension]: [row.keys[index] ?? "(none)"] })}
                      >
                        {names(dimension, row.keys[index])}
                      </button>
                    </th>
                  ))}
                  <td className={cell} title={`$${row.cost}`}>
                    {formatMoney(row.cost)}
                  </td>
                  <td className={classes(cell, "text-muted")}>{all > 0 ? formatShare(now / all) : "–"}</td>
                  {before && (
                    <td className={classes(cell, "text-muted")}>
                      {past > 0 ? formatRate((now - past) / past) : "new"}
                    </td>
                  )}
                  <td className={cell}>{formatCount(row.requests)}</td>
                  <td className={cell}>{formatCompact(row.tokens)}</td>
                  <td className={cell}>
                    <Link
                      to="/records"
                      search={{ range: from ? undefined : (range ?? FALLBACK), from, to, tz, ...narrow(row.keys) }}
                      className={buttonClasses("quiet", "small")}
                    >
                      Records
                    </Link>
                  </td>
                </tr>
              );
            })}
          </tbody>
          <tfoot className="sticky bottom-0 border-t bg-surface font-semibold">
            <tr className="border-t">
              <th scope="row" colSpan={by.length} className="px-3 py-2 text-left">
                All {formatCount(rows.length)} shown
              </th>
              <td className={cell}>{formatMoney(moneyOf(rows.reduce((sum, { cost }) => sum + nanosOf(cost), 0n)))}</td>
              <td className={cell} />
              {before && (
                <td className={cell}>
                  {numberOf(before.summary.totalCost) > 0 && metric === "cost"
                    ? formatRate(numberOf(whole.cost) / numberOf(before.summary.totalCost) - 1)
                    : ""}
                </td>
              )}
              <td className={cell}>{formatCount(rows.reduce((sum, { requests }) => sum + requests, 0))}</td>
              <td className={cell}>{formatCompact(rows.reduce((sum, { tokens }) => sum + tokens, 0))}</td>
              <td className={cell} />
            </tr>
          </tfoot>
        </table>
      </ScrollRegion>
    </Card>
  );
}

/** Views by name, kept with the account. */
function SavedViews() {
  const { savedViews } = usePreferences();
  const change = useChangePreferences();
  const navigate = route.useNavigate();
  const [open, setOpen] = useState(false);
  const keep = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name") ?? "").trim();
    if (!name) return;
    const url = window.location.pathname + window.location.search;
    change.mutate(
      { savedViews: [...savedViews.filter((view) => view.name !== name), { name, url }] },
      { onSuccess: () => toast(`Saved as “${name}”`), onError: (failure) => toast(failure.message, true) },
    );
    setOpen(false);
  };
  return (
    <Popover
      label="Saved views"
      open={open}
      onOpen={setOpen}
      trigger={
        <Button>
          <Bookmark />
          Views
        </Button>
      }
    >
      <ul className="mb-3">
        {savedViews.map((view) => (
          <li key={view.name} className="flex items-center gap-1">
            <button
              type="button"
              className="min-w-0 flex-1 truncate rounded-md px-2 py-1.5 text-left hover:bg-sunken"
              onClick={() => {
                setOpen(false);
                void navigate({ href: view.url });
              }}
            >
              {view.name}
            </button>
            <Button
              look="quiet"
              size="small-icon"
              aria-label={`Delete the view ${view.name}`}
              onClick={() => change.mutate({ savedViews: savedViews.filter((one) => one !== view) })}
            >
              <Trash2 />
            </Button>
          </li>
        ))}
        {savedViews.length === 0 && <li className="px-2 text-muted">No view is saved yet.</li>}
      </ul>
      <form onSubmit={keep} className="flex gap-2 border-t pt-3">
        <Input name="name" aria-label="Name of this view" placeholder="Name of this view" required />
        <Button type="submit" look="primary">
          Save
        </Button>
      </form>
    </Popover>
  );
}
