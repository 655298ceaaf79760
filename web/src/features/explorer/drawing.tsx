import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ChartArea, ChartColumnStacked, ChartLine, Grid3x3, Table2 } from "lucide-react";
import { lazy, Suspense, useMemo, useRef } from "react";
import { type Answer, type Bucket, type Metric, projects, type Question } from "@/api/queries";
import { useTheme } from "@/app/theme";
import type { Canvas } from "@/components/charts/canvas";
import { Legend } from "@/components/charts/legend";
import { MarkerTable } from "@/components/charts/marker-table";
import { savePicture } from "@/components/charts/picture";
import { PictureButton } from "@/components/charts/picture-button";
import { StackedTimeChart } from "@/components/charts/stacked-time";
import { TimeTable } from "@/components/charts/time-table";
import { useMarkers } from "@/components/charts/use-markers";
import { Card } from "@/components/ui/card";
import { Skeleton } from "@/components/ui/states";
import { Segments } from "@/components/ui/tabs";
import { pointNames } from "@/lib/axis";
import { evenDays } from "@/lib/budget";
import { OTHER } from "@/lib/colours";
import { DIMENSIONS, type Dimension, type Filters } from "@/lib/dimensions";
import { formatAbout, formatAxis } from "@/lib/money";
import { formatCompact, formatCount } from "@/lib/numbers";
import { formatPeriod, isRunning, periodUnder } from "@/lib/period";
import { amountOf, layersOf } from "@/lib/series";

const HeatMap = lazy(() => import("./heat-map"));

const route = getRouteApi("/explorer");

const KINDS = [
  { value: "bar", name: <ChartColumnStacked />, label: "Bars" },
  { value: "area", name: <ChartArea />, label: "Areas" },
  { value: "line", name: <ChartLine />, label: "Lines" },
  { value: "heat", name: <Grid3x3 />, label: "Weekdays and hours" },
  { value: "table", name: <Table2 />, label: "Table" },
] as const;

type Drawn = Answer<"timeline" | "groups">;

type Props = {
  answer: Drawn;
  /** The period before, over the same points. */
  before: Answer<"timeline"> | undefined;
  question: Question;
  by: readonly Dimension[];
  metric: Metric;
  filters: Filters;
  onFilter: (filters: Filters) => void;
};

/** The even spending of the budget of the one project that is looked at, where nothing else narrows it. */
function useAllowance(answer: Drawn, { filters, search }: Question, metric: Metric): number[] | undefined {
  const { data: known } = useQuery(projects());
  const [id, ...others] = filters?.project ?? [];
  const isWhole = id && others.length === 0 && Object.keys(filters ?? {}).length === 1 && !search;
  const budget = isWhole && known?.find((project) => project.id === id)?.budget;
  const isDaily = metric === "cost" && answer.period.bucket === "day";
  return useMemo(
    () =>
      budget && isDaily
        ? evenDays(
            budget,
            answer.timeline.map(({ date }) => date),
          )
        : undefined,
    [budget, isDaily, answer],
  );
}

/** The answer over time, as one wants to see it. */
export function Drawing({ answer, before, question, by, metric, filters, onFilter }: Props) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const theme = useTheme();
  const canvas = useRef<Canvas>(undefined);
  const layers = useMemo(() => layersOf(answer, by, metric, theme), [answer, by, metric, theme]);
  const bucket = answer.period.bucket as Bucket;
  const zone = answer.period.timeZone;
  const points = useMemo(() => pointNames(answer.timeline, bucket, zone), [answer, bucket, zone]);
  const line = useMemo(
    () =>
      before &&
      answer.timeline.map((_, index) => (before.timeline[index] ? amountOf(before.timeline[index], metric) : 0)),
    [answer, before, metric],
  );
  const allowance = useAllowance(answer, question, metric);
  const markers = useMarkers(question, answer.timeline);
  const kind = search.chart ?? "bar";
  const format = metric === "cost" ? formatAbout : formatCount;
  const figure = { cost: "Cost", tokens: "Tokens", requests: "Requests" }[metric];
  const title =
    kind === "heat"
      ? `${figure} by weekday and hour`
      : `${figure} by ${by.map((one) => DIMENSIONS[one].one.toLowerCase()).join(" and ")}`;
  const onReady = (made: Canvas) => {
    canvas.current = made;
  };
  const zoom = (first: number, last: number) => {
    const under = periodUnder(answer.timeline, bucket, [first, last], question.period);
    if (under)
      void navigate({
        search: (old) => ({ ...old, range: undefined, bucket: undefined, ...under }),
        resetScroll: false,
      });
  };
  /** A day opens its hours; an hour, which has none, its calls. */
  const enter = (index: number) => {
    if (bucket !== "hour") return zoom(index, index);
    const under = periodUnder(answer.timeline, bucket, [index, index], question.period);
    if (under) void navigate({ to: "/records", search: { ...under, tz: zone, search: question.search, ...filters } });
  };
  const pick = (name: string) => {
    const layer = layers.find((one) => one.name === name);
    if (layer && name !== OTHER) onFilter({ ...filters, ...layer.of });
  };
  const save = () =>
    canvas.current &&
    savePicture(canvas.current, {
      title,
      subtitle: `${formatPeriod(question.period, zone)} (${zone})`,
      legend: kind === "heat" ? [] : layers,
      theme,
    });
  return (
    <Card className="px-3 py-4 sm:px-4">
      <div className="mb-2 flex flex-wrap items-center justify-between gap-3">
        <div className="min-w-0">
          <h2 className="text-[15px] font-semibold">{title}</h2>
          {kind !== "table" && kind !== "heat" && (
            <p className="text-[13px] text-muted">
              {bucket === "hour" ? "Press an hour for its calls" : `Press a ${bucket} to look into it`}, sweep to zoom.
              {allowance && " The red line is the project's budget, spent evenly."}
            </p>
          )}
        </div>
        <div className="flex items-center gap-2">
          {kind !== "table" && <PictureButton onSave={save} />}
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
      </div>
      {kind === "table" ? (
        <TimeTable titles={points.titles} series={layers} format={format} label={title} onPick={enter} />
      ) : kind === "heat" ? (
        <Suspense fallback={<Skeleton className="h-80" />}>
          <HeatMap question={question} metric={metric} title={figure} format={format} onReady={onReady} />
        </Suspense>
      ) : (
        <>
          <StackedTimeChart
            kind={kind}
            label={`${title}; the same figures are in the table`}
            points={points.points}
            titles={points.titles}
            series={layers}
            before={line}
            allowance={allowance}
            markers={markers}
            unfinished={isRunning(question.period, new Date(), zone) ? answer.timeline.length - 1 : undefined}
            format={format}
            formatAxis={metric === "cost" ? formatAxis : formatCompact}
            onSweep={zoom}
            onPick={enter}
            onReady={onReady}
            className="h-80"
          />
          <div className="mt-2">
            <Legend series={layers} onPick={pick} />
          </div>
        </>
      )}
      {kind !== "heat" && <MarkerTable markers={markers} timeZone={zone} />}
    </Card>
  );
}
