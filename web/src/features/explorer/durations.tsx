import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { type Analytics, type Question, usageStats } from "@/api/queries";
import { useTheme } from "@/app/theme";
import { ChartCanvas } from "@/components/charts/canvas";
import { Legend } from "@/components/charts/legend";
import { FONT, PAINT } from "@/components/charts/paint";
import { Card, CardHead } from "@/components/ui/card";
import { InlineFailure } from "@/components/ui/states";
import { Cell, Row, RowHead, Table } from "@/components/ui/table";
import type { Theme } from "@/lib/colours";
import { DIMENSIONS, type Dimension, type Filters } from "@/lib/dimensions";
import { formatCount, formatMs } from "@/lib/numbers";
import { keyOf, type Names } from "@/lib/series";

/** Percentiles are exact: each group is a question of its own, so not every group is asked for. */
const GROUPS_MAX = 10;

const PERCENTILES = ["p50", "p95", "p99"] as const;

type Props = { answer: Analytics; question: Question; by: readonly Dimension[]; names: Names; filters: Filters };

/** How long calls took: exact percentiles of all of them and of the groups with most calls. */
export function Durations({ answer, question, by, names, filters }: Props) {
  const groups = useMemo(
    () =>
      [...answer.groups]
        .sort((one, other) => other.requests - one.requests)
        .slice(0, GROUPS_MAX)
        .map((group) => ({
          name: by.map((dimension) => names(dimension, keyOf(group, dimension))).join(" · "),
          filters: Object.fromEntries(by.map((dimension) => [dimension, [keyOf(group, dimension) ?? "(none)"]])),
        })),
    [answer, by, names],
  );
  const { period, timeZone, search } = question;
  const answers = useQueries({
    queries: groups.map((group) => usageStats({ period, timeZone, search, filters: { ...filters, ...group.filters } })),
  });
  const rows = groups.map((group, index) => ({ name: group.name, sums: answers[index]?.data }));
  return (
    <Card className="overflow-hidden">
      <CardHead
        title="Duration of calls"
        hint={`Exact percentiles of the ${groups.length} groups with most calls. Half of the calls took at most p50, 95 of 100 at most p95.`}
      />
      <div className="px-4 sm:px-5">
        <InlineFailure failure={answers.find(({ error }) => error)?.error} />
        <Bars rows={rows} />
      </div>
      <Table
        label="Durations"
        columns={[
          { name: by.map((dimension) => DIMENSIONS[dimension].one).join(" · ") },
          { name: "Requests", align: "right" },
          ...PERCENTILES.map((name) => ({ name, align: "right" as const })),
        ]}
      >
        <Row className="font-semibold">
          <RowHead className="font-semibold">All calls</RowHead>
          <Cell right>{formatCount(answer.summary.totalRequests)}</Cell>
          {PERCENTILES.map((name) => (
            <Cell key={name} right>
              {formatMs(answer.summary.latency[name])}
            </Cell>
          ))}
        </Row>
        {rows.map(({ name, sums }) => (
          <Row key={name}>
            <RowHead>{name}</RowHead>
            <Cell right>{sums ? formatCount(sums.totalRequests) : "…"}</Cell>
            {PERCENTILES.map((percentile) => (
              <Cell key={percentile} right>
                {sums ? formatMs(sums.latency[percentile]) : "…"}
              </Cell>
            ))}
          </Row>
        ))}
      </Table>
    </Card>
  );
}

type Shown = { name: string; sums: Analytics["summary"] | undefined };

function Bars({ rows }: { rows: Shown[] }) {
  const theme = useTheme();
  const option = useMemo(() => optionOf(rows, theme), [rows, theme]);
  return (
    <>
      <Legend series={PERCENTILES.map((name, index) => ({ name, colour: shadesOf(theme)[index] ?? "" }))} />
      <div style={{ height: 40 + rows.length * 44 }}>
        <ChartCanvas label="Durations by group; the same figures are in the table" option={option} className="h-full" />
      </div>
    </>
  );
}

function optionOf(rows: Shown[], theme: Theme) {
  const paint = PAINT[theme];
  return {
    animation: false,
    textStyle: { fontFamily: FONT },
    grid: { left: 4, right: 16, top: 8, bottom: 4, containLabel: true },
    // Milliseconds and minutes are on one axis.
    xAxis: {
      type: "log",
      min: 10,
      splitLine: { lineStyle: { color: paint.line } },
      axisLabel: { color: paint.muted, fontSize: 11, hideOverlap: true, formatter: formatMs },
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: rows.map(({ name }) => name),
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { color: paint.ink, fontSize: 11, width: 140, overflow: "truncate" },
    },
    series: PERCENTILES.map((percentile, index) => ({
      name: percentile,
      type: "bar",
      barGap: "10%",
      itemStyle: { color: shadesOf(theme)[index] },
      data: rows.map(({ sums }) => sums?.latency[percentile] ?? null),
    })),
  };
}

/** One colour, the paler the fewer calls it is about. */
const shadesOf = (theme: Theme): readonly string[] =>
  theme === "dark" ? ["#8188ff", "#5a60c4", "#3a3f86"] : ["#4f46e5", "#8a8ff0", "#c3c6f8"];
