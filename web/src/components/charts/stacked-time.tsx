import { useMemo } from "react";
import { useTheme } from "@/app/theme";
import type { Theme } from "@/lib/colours";
import type { Marker } from "@/lib/markers";
import { type Canvas, ChartCanvas } from "./canvas";
import { frameOf } from "./frame";
import { PAINT } from "./paint";

export type Series = { name: string; colour: string; values: readonly number[] };
export type ChartKind = "bar" | "area" | "line";

type Props = {
  label: string;
  kind: ChartKind;
  /** One for each point, as the axis shows it. */
  points: readonly string[];
  /** The same, as the tooltip shows it. */
  titles: readonly string[];
  series: readonly Series[];
  /** The period before, as one thin line. */
  before?: readonly number[] | undefined;
  /** What is to be expected of points to come. */
  expected?: readonly (number | null)[] | undefined;
  /** Between what it will probably be there. */
  likely?: { low: readonly (number | null)[]; high: readonly (number | null)[] } | undefined;
  /** What even spending of a budget would be at each point. */
  allowance?: readonly number[] | undefined;
  /** What happened at some of the points. */
  markers?: readonly Marker[] | undefined;
  /** Index of the point that is not over yet: it is hatched. */
  unfinished?: number | undefined;
  format: (value: number) => string;
  formatAxis: (value: number) => string;
  className?: string;
  onSweep?: (first: number, last: number) => void;
  onPick?: (index: number) => void;
  onReady?: (canvas: Canvas) => void;
};

/** Sums over time, one layer for each series. */
export function StackedTimeChart(props: Props) {
  const theme = useTheme();
  const { kind, points, titles, series, before, expected, likely, allowance, markers, unfinished, format, formatAxis } =
    props;
  const option = useMemo(
    () =>
      optionOf(
        { kind, points, titles, series, before, expected, likely, allowance, markers, unfinished, format, formatAxis },
        theme,
      ),
    [kind, points, titles, series, before, expected, likely, allowance, markers, unfinished, format, formatAxis, theme],
  );
  return (
    <ChartCanvas
      label={props.label}
      option={option}
      className={props.className ?? "h-72"}
      onSweep={props.onSweep}
      onPick={props.onPick}
      {...(props.onReady ? { onReady: props.onReady } : {})}
    />
  );
}

type Drawn = Omit<Props, "label" | "className" | "onSweep" | "onPick" | "onReady">;

function optionOf(drawn: Drawn, theme: Theme) {
  const paint = PAINT[theme];
  const { kind, points, titles, series, before, expected, likely, allowance, markers, unfinished, format, formatAxis } =
    drawn;
  return {
    ...frameOf({ points, format: formatAxis, isOfBars: kind === "bar" }, paint),
    tooltip: {
      trigger: "axis",
      confine: true,
      padding: 0,
      borderWidth: 0,
      backgroundColor: "transparent",
      extraCssText: "box-shadow:none",
      axisPointer:
        kind === "bar"
          ? { type: "shadow", shadowStyle: { color: paint.muted, opacity: 0.08 } }
          : { type: "line", lineStyle: { color: paint.muted } },
      formatter: (hits: unknown) =>
        tooltipOf((hits as { dataIndex: number }[])[0]?.dataIndex ?? 0, {
          titles,
          series,
          before,
          expected,
          likely,
          allowance,
          markers,
          format,
        }),
    },
    series: [
      ...series.map((one) => layer(one, kind, unfinished, theme)),
      ...(likely ? bandOf(likely, PAINT[theme].accent) : []),
      ...(before ? [thinLine("Before", before, PAINT[theme].muted)] : []),
      ...(expected ? [thinLine("Expected", expected, PAINT[theme].accent)] : []),
      ...(allowance ? [thinLine("Budget", allowance, PAINT[theme].bad)] : []),
      ...(markers?.length ? [marks(markers, theme)] : []),
    ],
  };
}

function layer({ name, colour, values }: Series, kind: ChartKind, unfinished: number | undefined, theme: Theme) {
  if (kind !== "bar") {
    return {
      name,
      type: "line",
      ...(kind === "area" ? { stack: "all", areaStyle: { color: colour, opacity: 0.75 } } : {}),
      lineStyle: { width: kind === "area" ? 1 : 2, color: colour },
      itemStyle: { color: colour },
      symbol: "none",
      data: values,
    };
  }
  const hatched = {
    color: colour,
    opacity: 0.85,
    decal: {
      symbol: "rect",
      dashArrayX: [1, 0],
      dashArrayY: [2, 4],
      rotation: Math.PI / 4,
      color: PAINT[theme].surface,
    },
  };
  return {
    name,
    type: "bar",
    stack: "all",
    barCategoryGap: "22%",
    itemStyle: { color: colour },
    data: values.map((value, index) => (index === unfinished ? { value, itemStyle: hatched } : value)),
  };
}

function thinLine(name: string, values: readonly (number | null)[], colour: string) {
  return {
    name,
    type: "line",
    data: values,
    symbol: "none",
    z: 5,
    lineStyle: { width: 1.25, type: "dashed", color: colour },
    itemStyle: { color: colour },
  };
}

/** Two stacked areas of which the lower one cannot be seen. */
function bandOf({ low, high }: NonNullable<Drawn["likely"]>, colour: string) {
  const width = high.map((most, index) => (most === null ? null : most - (low[index] ?? 0)));
  const part = { type: "line", stack: "likely", symbol: "none", silent: true, lineStyle: { opacity: 0 } };
  return [
    { ...part, name: "Likely from", data: low, itemStyle: { color: colour } },
    {
      ...part,
      name: "Likely to",
      data: width,
      itemStyle: { color: colour },
      areaStyle: { color: colour, opacity: 0.15 },
    },
  ];
}

/** An upright line for each point at which something happened. */
function marks(markers: readonly Marker[], theme: Theme) {
  const paint = PAINT[theme];
  const points = [...new Map(markers.map((marker) => [marker.index, marker])).values()];
  return {
    name: "Markers",
    type: "line",
    data: [],
    markLine: {
      silent: true,
      symbol: ["none", "diamond"],
      symbolSize: 7,
      animation: false,
      label: { show: false },
      data: points.map(({ index, kind }) => ({
        xAxis: index,
        lineStyle: { type: "dotted", width: 1.5, color: kind === "price" ? paint.warn : paint.ink },
        itemStyle: { color: kind === "price" ? paint.warn : paint.ink },
      })),
    },
  };
}

const TOOLTIP_ROWS = 10;
const TOOLTIP_MARKERS = 4;

/** Built of elements, not of markup: names are the senders' own text. */
function tooltipOf(
  index: number,
  {
    titles,
    series,
    before,
    expected,
    likely,
    allowance,
    markers,
    format,
  }: Pick<Drawn, "titles" | "series" | "before" | "expected" | "likely" | "allowance" | "markers" | "format">,
): HTMLElement {
  const rows = series
    .map((one) => ({ name: one.name, colour: one.colour, value: one.values[index] ?? 0 }))
    .filter(({ value }) => value !== 0);
  const shown = rows.sort((one, other) => other.value - one.value).slice(0, TOOLTIP_ROWS);
  const total = rows.reduce((sum, { value }) => sum + value, 0);
  const box = element("div", "min-w-48 rounded-lg border bg-surface p-2.5 text-[12.5px] text-ink shadow-xl");
  box.append(element("p", "mb-1.5 font-semibold", titles[index] ?? ""));
  for (const row of shown) box.append(line(row.name, format(row.value), row.colour));
  const awaited = expected?.[index];
  if (awaited != null && rows.length === 0) {
    box.append(line("Expected", format(awaited)));
    const [low, high] = [likely?.low[index], likely?.high[index]];
    if (low != null && high != null)
      box.append(line("Likely", `${format(low)} to ${format(high)}`, undefined, "text-muted"));
  }
  if (awaited == null && rows.length !== 1)
    box.append(line("Total", format(total), undefined, "mt-1 border-t pt-1 font-semibold"));
  if (before) box.append(line("Period before", format(before[index] ?? 0), undefined, "text-muted"));
  if (allowance) box.append(line("Budget, spent evenly", format(allowance[index] ?? 0), undefined, "text-muted"));
  const happened = markers?.filter((marker) => marker.index === index) ?? [];
  for (const { title } of happened.slice(0, TOOLTIP_MARKERS))
    box.append(element("p", "mt-1 max-w-72 truncate border-t pt-1", `◆ ${title}`));
  if (happened.length > TOOLTIP_MARKERS)
    box.append(element("p", "text-muted", `and ${happened.length - TOOLTIP_MARKERS} more`));
  return box;
}

function line(name: string, value: string, colour?: string, className = ""): HTMLElement {
  const row = element("p", `flex items-center gap-2 ${className}`);
  if (colour) {
    const dot = element("span", "size-2.5 shrink-0 rounded-sm");
    dot.style.background = colour;
    row.append(dot);
  }
  row.append(element("span", "max-w-48 flex-1 truncate", name), element("span", "nums", value));
  return row;
}

function element(name: string, className: string, text?: string): HTMLElement {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}
