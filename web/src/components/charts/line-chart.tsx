import { useMemo } from "react";
import { useTheme } from "@/app/theme";
import type { Theme } from "@/lib/colours";
import { type Canvas, ChartCanvas } from "./canvas";
import { frameOf, tooltipLook } from "./frame";
import { PAINT } from "./paint";

export type Line = { name: string; colour: string; dashed?: boolean; values: readonly (number | null)[] };

type Props = {
  label: string;
  points: readonly string[];
  titles: readonly string[];
  lines: readonly Line[];
  format: (value: number) => string;
  className?: string;
  onReady?: (canvas: Canvas) => void;
};

/** Values over time that do not add up; where there is none, the line has a gap. */
export function LineChart({ label, points, titles, lines, format, onReady, className = "h-72" }: Props) {
  const theme = useTheme();
  const option = useMemo(
    () => optionOf({ points, titles, lines, format }, theme),
    [points, titles, lines, format, theme],
  );
  return <ChartCanvas label={label} option={option} className={className} {...(onReady ? { onReady } : {})} />;
}

function optionOf({ points, titles, lines, format }: Omit<Props, "label" | "className" | "onReady">, theme: Theme) {
  const paint = PAINT[theme];
  return {
    ...frameOf({ points, format }, paint),
    tooltip: {
      ...tooltipLook(paint),
      trigger: "axis",
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
