import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Answer, Bucket, Metric } from "@/api/queries";
import { BREAKDOWNS } from "@/app/router";
import { useTheme } from "@/app/theme";
import { Legend } from "@/components/charts/legend";
import { MarkerTable } from "@/components/charts/marker-table";
import { StackedTimeChart } from "@/components/charts/stacked-time";
import { TimeTable } from "@/components/charts/time-table";
import { useMarkers } from "@/components/charts/use-markers";
import { Button } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { Segments } from "@/components/ui/tabs";
import { pointNames } from "@/lib/axis";
import { OTHER } from "@/lib/colours";
import { addDays, addMonths, type Day, daysBetween, formatDay, monthStart } from "@/lib/days";
import { DIMENSIONS } from "@/lib/dimensions";
import { formatAbout, formatAxis, numberOf } from "@/lib/money";
import { formatCompact, formatCount } from "@/lib/numbers";
import { type Period, periodLink, periodUnder } from "@/lib/period";
import { amountOf, layersOf } from "@/lib/series";
import { type BudgetLine, useBudgetLine } from "./budget-line";

const route = getRouteApi("/");

type Drawn = Answer<"summary" | "timeline" | "groups" | "trends">;

type Props = {
  answer: Drawn;
  before: Answer<"timeline">;
  by: (typeof BREAKDOWNS)[number];
  metric: Metric;
  period: Period;
  /** Whether calls of now are in it. */
  runs: boolean;
  now: Day;
};

const TITLES: Record<Metric, string> = {
  cost: "Spend over time",
  tokens: "Tokens over time",
  requests: "Requests over time",
};

const LONG = { weekday: "short", day: "numeric", month: "short", year: "numeric" } as const;

/** The days until the month's end, with what one of them is expected to cost. */
function daysToCome(answer: Drawn, now: Day) {
  const { forecast } = answer.trends;
  const rest = daysBetween(now, addMonths(monthStart(now), 1)) - 1;
  if (!forecast || rest <= 0 || answer.period.bucket !== "day") return undefined;
  const days = Array.from({ length: rest }, (_, index) => addDays(now, index + 1));
  const spent = numberOf(answer.summary.totalCost);
  const each = (whole: typeof forecast.low) => {
    const value = Math.max(0, numberOf(whole) - spent) / rest;
    return [...answer.timeline.map(() => null), ...days.map(() => value)];
  };
  return {
    days,
    points: days.map((day) => formatDay(day)),
    titles: days.map((day) => formatDay(day, LONG)),
    expected: each(forecast.expected),
    likely: { low: each(forecast.low), high: each(forecast.high) },
  };
}

/** What the lines and the hatching mean, as far as they are there. */
function hintOf(by: string, isUnfinished: boolean, isForecast: boolean, budget: BudgetLine | undefined): string {
  const parts = [
    `By ${by}.`,
    "Grey dashes: the period before.",
    isUnfinished && "Hatched: not over yet.",
    isForecast && "Blue dashes and their band: expected.",
    budget && `Red: ${budget.of}, spent evenly.`,
  ];
  return parts.filter(Boolean).join(" ");
}

/** A budget that is farther above what was spent would leave the spending flat on the floor. */
const BUDGET_HEIGHT_MAX = 4;

export function SpendOverTime({ answer, before, by, metric, period, runs, now }: Props) {
  const navigate = route.useNavigate();
  const search = route.useSearch();
  const theme = useTheme();
  const table = search.show === "table";
  const layers = useMemo(() => layersOf(answer, [by], metric, theme), [answer, by, metric, theme]);
  const names = useMemo(
    () => pointNames(answer.timeline, answer.period.bucket as Bucket, answer.period.timeZone),
    [answer],
  );
  const line = useMemo(
    () => answer.timeline.map((_, index) => (before.timeline[index] ? amountOf(before.timeline[index], metric) : 0)),
    [answer, before, metric],
  );
  const isMonth = !search.from && (search.range ?? "mtd") === "mtd";
  const coming = useMemo(
    () => (isMonth && metric === "cost" && !table ? daysToCome(answer, now) : undefined),
    [answer, isMonth, metric, table, now],
  );
  const days = useMemo(() => [...answer.timeline.map(({ date }) => date), ...(coming?.days ?? [])], [answer, coming]);
  const even = useBudgetLine(days, metric === "cost" && answer.period.bucket === "day");
  const highest = Math.max(...answer.timeline.map((point) => amountOf(point, metric)), ...line);
  const budget = even && Math.max(...even.values) <= highest * BUDGET_HEIGHT_MAX ? even : undefined;
  const markers = useMarkers({ period, timeZone: answer.period.timeZone }, answer.timeline);
  const format = metric === "cost" ? formatAbout : formatCount;
  const explore = (name: string) => {
    const layer = layers.find((one) => one.name === name);
    if (!layer || name === OTHER) return;
    void navigate({
      to: "/explorer",
      search: { ...periodLink(search, "mtd"), metric, ...layer.of },
    });
  };
  const zoom = (first: number, last: number) => {
    const under = periodUnder(answer.timeline, answer.period.bucket as Bucket, [first, last], period);
    if (under) void navigate({ search: (old) => ({ ...old, range: undefined, ...under }), resetScroll: false });
  };
  return (
    <Card>
      <CardHead title={TITLES[metric]} hint={hintOf(DIMENSIONS[by].one.toLowerCase(), runs, Boolean(coming), budget)}>
        <Segments
          label="Figure"
          value={metric}
          onChange={(next) =>
            void navigate({
              search: (old) => ({ ...old, metric: next === "cost" ? undefined : next }),
              resetScroll: false,
            })
          }
          choices={[
            { value: "cost", name: "Cost" },
            { value: "tokens", name: "Tokens" },
            { value: "requests", name: "Requests" },
          ]}
        />
        <Segments
          label="Broken down by"
          value={by}
          onChange={(next) =>
            void navigate({
              search: (old) => ({ ...old, by: next === "model" ? undefined : next }),
              resetScroll: false,
            })
          }
          choices={BREAKDOWNS.map((value) => ({ value, name: DIMENSIONS[value].one }))}
        />
        <Button
          size="small"
          aria-pressed={table}
          onClick={() =>
            void navigate({ search: (old) => ({ ...old, show: table ? undefined : "table" }), resetScroll: false })
          }
        >
          {table ? "Chart" : "Table"}
        </Button>
      </CardHead>
      <div className="px-3 pb-4 sm:px-4">
        {table ? (
          <TimeTable titles={names.titles} series={layers} format={format} label={TITLES[metric]} />
        ) : (
          <>
            <StackedTimeChart
              kind="bar"
              label={`${TITLES[metric]}, by ${by}; the same figures are in the table`}
              points={coming ? [...names.points, ...coming.points] : names.points}
              titles={coming ? [...names.titles, ...coming.titles] : names.titles}
              series={layers}
              before={line}
              expected={coming?.expected}
              likely={coming?.likely}
              allowance={budget?.values}
              markers={markers}
              unfinished={runs ? answer.timeline.length - 1 : undefined}
              format={format}
              formatAxis={metric === "cost" ? formatAxis : formatCompact}
              onSweep={zoom}
              onPick={(index) => zoom(index, index)}
            />
            <div className="mt-2">
              <Legend series={layers} onPick={explore} />
            </div>
          </>
        )}
        <MarkerTable markers={markers} timeZone={answer.period.timeZone} />
      </div>
    </Card>
  );
}
