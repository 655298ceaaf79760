import { useMemo } from "react";
import { useTheme } from "@/app/theme";
import { ChartCanvas } from "@/components/charts/canvas";
import { frameOf, tooltipLook } from "@/components/charts/frame";
import { PAINT, type Paint } from "@/components/charts/paint";
import type { BurnDown } from "@/lib/budget";
import type { Theme } from "@/lib/colours";
import { formatDay } from "@/lib/days";
import { formatAbout, formatAxis } from "@/lib/money";

type Props = { drawn: BurnDown; amount: number; thresholds: readonly number[]; label: string };

/** What was spent so far, what even spending would be, and where it is going. */
export function BurnDownChart({ drawn, amount, thresholds, label }: Props) {
  const theme = useTheme();
  const option = useMemo(() => optionOf(drawn, amount, thresholds, theme), [drawn, amount, thresholds, theme]);
  return <ChartCanvas label={label} option={option} className="h-80" />;
}

function optionOf(drawn: BurnDown, amount: number, thresholds: readonly number[], theme: Theme) {
  const paint = PAINT[theme];
  const most = Math.max(amount, ...drawn.spent.map((value) => value ?? 0), drawn.forecast?.high.at(-1) ?? 0);
  const points = drawn.days.map((day) => formatDay(day));
  const frame = frameOf({ points, format: formatAxis, max: most * 1.05 }, paint);
  return {
    ...frame,
    // Above and at the right is what the marks say.
    grid: { ...frame.grid, right: 16, top: 24 },
    tooltip: {
      ...tooltipLook(paint),
      trigger: "axis",
      formatter: (hits: unknown) => tooltipOf(drawn, (hits as { dataIndex: number }[])[0]?.dataIndex ?? 0),
    },
    series: [...band(drawn, paint), ...lines(drawn, amount, thresholds, paint)],
  };
}

const silent = { type: "line", symbol: "none", silent: true } as const;

/** Two stacked areas of which the lower one cannot be seen. */
function band({ forecast }: BurnDown, paint: Paint) {
  if (!forecast) return [];
  const width = forecast.high.map((high, index) => (high === null ? null : high - (forecast.low[index] ?? 0)));
  const invisible = { ...silent, stack: "band", lineStyle: { opacity: 0 }, itemStyle: { color: paint.accent } };
  return [
    { ...invisible, data: forecast.low },
    { ...invisible, data: width, areaStyle: { color: paint.accent, opacity: 0.16 } },
    {
      ...silent,
      data: forecast.expected,
      lineStyle: { width: 1.5, type: "dashed", color: paint.accent },
      itemStyle: { color: paint.accent },
    },
  ];
}

function lines(drawn: BurnDown, amount: number, thresholds: readonly number[], paint: Paint) {
  const levels = thresholds
    .filter((threshold) => threshold !== 100)
    .map((threshold) => ({
      yAxis: (amount * threshold) / 100,
      lineStyle: { color: paint.line, type: "solid", width: 1 },
      label: { formatter: `${threshold} %`, position: "insideStartTop", color: paint.muted, fontSize: 11 },
    }));
  const whole = {
    yAxis: amount,
    lineStyle: { color: paint.ink, type: "solid", width: 1.5 },
    label: { formatter: `Budget ${formatAxis(amount)}`, position: "insideStartTop", color: paint.ink, fontSize: 11 },
  };
  const end = drawn.exhaustedOn && {
    xAxis: drawn.days.indexOf(drawn.exhaustedOn),
    lineStyle: { color: paint.bad, type: "dashed", width: 1.5 },
    label: {
      formatter: `${drawn.isExhausted ? "used up" : "runs out"} ${formatDay(drawn.exhaustedOn)}`,
      position: "end",
      // At the right edge there is no room behind the line.
      align: drawn.days.indexOf(drawn.exhaustedOn) > drawn.days.length / 2 ? "right" : "left",
      rotate: 0,
      color: paint.bad,
      fontSize: 11,
    },
  };
  return [
    {
      ...silent,
      data: drawn.ideal,
      lineStyle: { width: 1.25, type: "dotted", color: paint.muted },
      itemStyle: { color: paint.muted },
    },
    {
      ...silent,
      data: drawn.spent,
      z: 5,
      lineStyle: { width: 2.5, color: paint.accent },
      itemStyle: { color: paint.accent },
      areaStyle: { color: paint.accent, opacity: 0.08 },
      markLine: { silent: true, symbol: "none", data: [...levels, whole, ...(end ? [end] : [])] },
    },
  ];
}

/** Only the day and figures: no text of a sender. */
function tooltipOf({ days, spent, ideal, forecast }: BurnDown, index: number): string {
  const rows: [string, number | null | undefined][] = [
    ["Spent", spent[index]],
    ["Even spending", ideal[index]],
    ...(spent[index] == null
      ? ([
          ["Expected", forecast?.expected[index]],
          ["Likely from", forecast?.low[index]],
          ["Likely to", forecast?.high[index]],
        ] as [string, number | null | undefined][])
      : []),
  ];
  const known = rows.flatMap(([name, value]) => (value == null ? [] : [`${name}: ${formatAbout(value)}`]));
  return [`<b>${formatDay(days[index] ?? "")}</b>`, ...known].join("<br>");
}
