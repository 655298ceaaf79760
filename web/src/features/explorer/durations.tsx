import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo, useRef } from "react";
import { analyticsOf, type Bucket, type Question } from "@/api/queries";
import { useTheme } from "@/app/theme";
import type { Canvas } from "@/components/charts/canvas";
import { Legend } from "@/components/charts/legend";
import { type Line, LineChart } from "@/components/charts/line-chart";
import { savePicture } from "@/components/charts/picture";
import { PictureButton } from "@/components/charts/picture-button";
import { Card, CardHead } from "@/components/ui/card";
import { Loaded } from "@/components/ui/loaded";
import { Empty } from "@/components/ui/states";
import { Cell, Row, RowHead, Table } from "@/components/ui/table";
import { Segments } from "@/components/ui/tabs";
import { pointNames } from "@/lib/axis";
import { coloursOf, type Theme } from "@/lib/colours";
import { DIMENSIONS, type Dimension } from "@/lib/dimensions";
import {
  type Durations as Durationed,
  largest,
  lineOf,
  MEASURES,
  type Measure,
  PERCENTILES,
  type Percentile,
} from "@/lib/durations";
import { formatCount, formatMs } from "@/lib/numbers";
import { formatPeriod } from "@/lib/period";
import { dimensionsOf, keyOf, type Names } from "@/lib/series";

const route = getRouteApi("/explorer");
/** More lines than these cannot be told apart. */
const LINES_MAX = 8;

type Props = { question: Question; by: readonly Dimension[]; names: Names };

/** How long calls took, over time: exact percentiles of all calls, or one percentile of the groups with most calls. */
export function Durations({ question, by, names }: Props) {
  const { measure = "response", percentile } = route.useSearch();
  const navigate = route.useNavigate();
  const all = useQuery(analyticsOf({ ...question, by: [] }, ["timeline", "durations"]));
  const whole = useQuery(analyticsOf({ ...question, bucket: undefined }, ["durations"]));
  const split = useQuery({ ...analyticsOf(question, ["durations"]), enabled: Boolean(percentile) });
  const nameOf = (group: Durationed) =>
    dimensionsOf([group], by)
      .map((dimension) => names(dimension, keyOf(group, dimension)))
      .join(" · ");
  return (
    <>
      <Card>
        <CardHead
          title="Duration of calls"
          hint="Exact percentiles: half of the calls took at most p50, 95 of 100 at most p95."
        >
          <Segments
            label="Up to"
            value={measure}
            onChange={(next) =>
              void navigate({
                search: (old) => ({ ...old, measure: next === "response" ? undefined : next }),
                resetScroll: false,
              })
            }
            choices={[
              { value: "response", name: MEASURES.response },
              { value: "firstToken", name: MEASURES.firstToken },
            ]}
          />
          <Segments
            label="Lines"
            value={percentile ?? "all"}
            onChange={(next) =>
              void navigate({
                search: (old) => ({ ...old, percentile: next === "all" ? undefined : next }),
                resetScroll: false,
              })
            }
            choices={[
              { value: "all", name: "All calls" },
              ...PERCENTILES.map((value) => ({ value, name: `${value} by group` })),
            ]}
          />
        </CardHead>
        <div className="px-3 pb-4 sm:px-4">
          <Loaded query={all} skeleton="h-[332px]">
            {({ timeline, durations, period }) => (
              <Chart
                subtitle={`${formatPeriod(question.period, period.timeZone)} (${period.timeZone})`}
                timeline={timeline}
                zone={period.timeZone}
                bucket={period.bucket as Bucket}
                measure={measure}
                lines={
                  percentile
                    ? largest(whole.data?.durations ?? [], measure, LINES_MAX).map((group) => ({
                        name: nameOf(group),
                        percentile,
                        durations: (split.data?.durations ?? []).filter((one) => nameOf(one) === nameOf(group)),
                      }))
                    : PERCENTILES.map((one) => ({ name: one, percentile: one, durations }))
                }
              />
            )}
          </Loaded>
        </div>
      </Card>
      <Card className="overflow-hidden">
        <Loaded query={whole} skeleton="h-80">
          {({ durations }) => <GroupDurations durations={durations} by={by} nameOf={nameOf} />}
        </Loaded>
      </Card>
    </>
  );
}

type Wanted = { name: string; percentile: Percentile; durations: readonly Durationed[] };
type ChartProps = {
  subtitle: string;
  timeline: readonly { date: string; start: string }[];
  zone: string;
  bucket: Bucket;
  measure: Measure;
  lines: readonly Wanted[];
};

function Chart({ subtitle, timeline, zone, bucket, measure, lines: wanted }: ChartProps) {
  const theme = useTheme();
  const canvas = useRef<Canvas>(undefined);
  const { points, titles } = useMemo(() => pointNames(timeline, bucket, zone), [timeline, bucket, zone]);
  const lines = useMemo(() => linesOf(timeline, measure, wanted, theme), [timeline, measure, wanted, theme]);
  if (lines.every(({ values }) => values.every((value) => value === null)))
    return <Empty title="No call of this period says how long it took.">It is the sender who knows.</Empty>;
  const label = `${MEASURES[measure]}, ${wanted.map(({ name }) => name).join(", ")}`;
  return (
    <>
      <div className="flex justify-end">
        <PictureButton
          onSave={() =>
            canvas.current &&
            savePicture(canvas.current, { title: `Duration: ${label}`, subtitle, legend: lines, theme })
          }
        />
      </div>
      <LineChart
        label={`${label}; the same figures are in the table below`}
        points={points}
        titles={titles}
        lines={lines}
        format={formatMs}
        onReady={(made) => {
          canvas.current = made;
        }}
      />
      <div className="mt-2">
        <Legend series={lines} />
      </div>
      <details className="mt-2 text-[13px]">
        <summary className="cursor-pointer rounded text-muted">As a table</summary>
        <Table
          label="Durations over time"
          className="mt-2 max-h-80 rounded-lg border"
          columns={[{ name: "Time" }, ...lines.map(({ name }) => ({ name, align: "right" as const }))]}
        >
          {titles
            .map((title, index) => (
              <Row key={title}>
                <RowHead className="whitespace-nowrap">{title}</RowHead>
                {lines.map(({ name, values }) => (
                  <Cell key={name} right>
                    {formatMs(values[index])}
                  </Cell>
                ))}
              </Row>
            ))
            .reverse()}
        </Table>
      </details>
    </>
  );
}

function linesOf(
  timeline: readonly { date: string }[],
  measure: Measure,
  wanted: readonly Wanted[],
  theme: Theme,
): Line[] {
  const dates = timeline.map(({ date }) => date);
  const colours = coloursOf(
    wanted.map(({ name }) => name),
    theme,
  );
  return wanted.map(({ name, percentile, durations }) => ({
    name,
    colour: colours.get(name) ?? "#888888",
    values: lineOf(dates, durations, measure, percentile),
  }));
}

type GroupDurationsProps = {
  durations: readonly Durationed[];
  by: readonly Dimension[];
  nameOf: (group: Durationed) => string;
};

/** The percentiles of each group over the whole period. */
function GroupDurations({ durations, by, nameOf }: GroupDurationsProps) {
  const rows = [...durations].sort((one, other) => other.response.count - one.response.count);
  const right = "right" as const;
  return (
    <Table
      label="Durations by group"
      columns={[
        { name: by.map((dimension) => DIMENSIONS[dimension].one).join(" · ") },
        { name: "Timed calls", align: right },
        ...PERCENTILES.map((name) => ({ name, align: right })),
        { name: "First token of", align: right },
        ...PERCENTILES.map((name) => ({ name: `${name} to first token`, align: right })),
      ]}
    >
      {rows.map((group) => (
        <Row key={JSON.stringify(group.key)}>
          <RowHead>{nameOf(group)}</RowHead>
          {(["response", "firstToken"] as const).map((measure) => [
            <Cell key={measure} right className="text-muted">
              {group[measure].count === 0 ? "–" : formatCount(group[measure].count)}
            </Cell>,
            ...PERCENTILES.map((percentile) => (
              <Cell key={`${measure} ${percentile}`} right>
                {formatMs(group[measure][percentile])}
              </Cell>
            )),
          ])}
        </Row>
      ))}
    </Table>
  );
}
