import { useMemo } from "react";
import { useTheme } from "@/app/theme";
import type { Theme } from "@/lib/colours";
import { ChartCanvas } from "./canvas";
import { FONT, PAINT } from "./paint";

export type Line = { name: string; colour: string; dashed?: boolean; values: readonly (number | null)[] };

type Props = {
  label: string;
  points: readonly string[];
  titles: readonly string[];
  lines: readonly Line[];
  format: (value: number) => string;
  className?: string;
};

/** Values over time that do not add up; where there is none, the line has a gap. */
export function LineChart({ label, points, titles, lines, format, className = "h-72" }: Props) {
  const theme = useTheme();
  const option = useMemo(
    () => optionOf({ points, titles, lines, format }, theme),
    [points, titles, lines, format, theme],
  );
  return <ChartCanvas label={label} option={option} className={className} />;
}

function optionOf({ points, titles, lines, format }: Omit<Props, "label" | "className">, theme: Theme) {
  const paint = PAINT[theme];
  return {
    animation: false,
    textStyle: { fontFamily: FONT },
    grid: { left: 4, right: 8, top: 12, bottom: 4, containLabel: true },
    xAxis: {
      type: "category",
      data: points,
      boundaryGap: false,
      axisLine: { lineStyle: { color: paint.line } },
      axisTick: { show: false },
      axisLabel: { color: paint.muted, hideOverlap: true, fontSize: 11 },
    },
    yAxis: {
      type: "value",
      splitNumber: 4,
      splitLine: { lineStyle: { color: paint.line } },
      axisLabel: { color: paint.muted, fontSize: 11, formatter: format },
    },
    tooltip: {
      trigger: "axis",
      confine: true,
      backgroundColor: paint.surface,
      borderColor: paint.line,
      textStyle: { color: paint.ink, fontSize: 12.5 },
      axisPointer: { type: "line", lineStyle: { color: paint.muted } },
      valueFormatter: (value: unknown) => (typeof value === "number" ? format(value) : "–"),
    },
    series: lines.map(({ name, colour, dashed, values }) => ({
      name,
      type: "line",
      data: values.map((value, index) => ({ value, name: titles[index] })),
      connectNulls: false,
      // A point between two gaps would not be seen as a line.
      showAllSymbol: true,
      symbol: "circle",
      symbolSize: 4,
      lineStyle: { width: 2, color: colour, type: dashed ? "dashed" : "solid" },
      itemStyle: { color: colour },
    })),
  };
}
