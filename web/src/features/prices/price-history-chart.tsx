import { useMemo } from "react";
import { useTheme } from "@/app/theme";
import { ChartCanvas } from "@/components/charts/canvas";
import { tooltipLook } from "@/components/charts/frame";
import { Legend } from "@/components/charts/legend";
import { FONT, PAINT } from "@/components/charts/paint";
import { coloursOf, type Theme } from "@/lib/colours";
import { formatAxis } from "@/lib/money";
import { type PriceSeries, priceSeries, unitName } from "@/lib/prices";
import type { PriceView } from "./queries";

const YEAR_MS = 365 * 86_400_000;

/** What a million tokens cost, as steps. */
export function PriceHistoryChart({ prices, label }: { prices: PriceView[]; label: string }) {
  const theme = useTheme();
  const { series, option } = useMemo(() => {
    const end = Date.now();
    const first = Math.min(...prices.flatMap(({ validFrom }) => (validFrom ? [Date.parse(validFrom)] : [])), end);
    const lines = priceSeries(prices, first - YEAR_MS / 2, end);
    const colours = coloursOf(
      lines.map(({ unit }) => unitName(unit)),
      theme,
    );
    const named = lines.map((line) => ({
      ...line,
      name: unitName(line.unit),
      colour: colours.get(unitName(line.unit)) ?? "#888888",
    }));
    return { series: named, option: optionOf(named, theme) };
  }, [prices, theme]);
  return (
    <>
      <ChartCanvas label={label} option={option} className="h-64" />
      <Legend series={series} />
    </>
  );
}

function optionOf(series: (PriceSeries & { name: string; colour: string })[], theme: Theme) {
  const paint = PAINT[theme];
  return {
    animation: false,
    textStyle: { fontFamily: FONT },
    grid: { left: 4, right: 16, top: 12, bottom: 4, containLabel: true },
    xAxis: {
      type: "time",
      axisLine: { lineStyle: { color: paint.line } },
      axisLabel: { color: paint.muted, fontSize: 11, hideOverlap: true },
    },
    yAxis: {
      type: "value",
      min: 0,
      splitNumber: 4,
      splitLine: { lineStyle: { color: paint.line } },
      axisLabel: { color: paint.muted, fontSize: 11, formatter: formatAxis },
    },
    tooltip: {
      ...tooltipLook(paint),
      trigger: "axis",
      valueFormatter: (value: unknown) => (typeof value === "number" ? `$${value}` : "–"),
    },
    series: series.map(({ name, colour, points }) => ({
      name,
      type: "line",
      symbol: "none",
      lineStyle: { width: 2, color: colour },
      itemStyle: { color: colour },
      data: points,
    })),
  };
}
