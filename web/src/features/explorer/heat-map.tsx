import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { analyticsOf, type Metric, type Question } from "@/api/queries";
import { useTheme } from "@/app/theme";
import { type Canvas, ChartCanvas } from "@/components/charts/canvas";
import "@/components/charts/heat-engine";
import { tooltipLook } from "@/components/charts/frame";
import { FONT, PAINT } from "@/components/charts/paint";
import { Loaded } from "@/components/ui/loaded";
import { ScrollRegion } from "@/components/ui/scroll";
import type { Theme } from "@/lib/colours";
import { HOURS, heatOf, WEEKDAYS } from "@/lib/heat";
import { amountOf } from "@/lib/series";

const hourName = (hour: number) => `${String(hour).padStart(2, "0")}:00`;
const HOUR_NAMES = Array.from({ length: HOURS }, (_, hour) => hourName(hour));

type Props = {
  question: Question;
  metric: Metric;
  title: string;
  format: (value: number) => string;
  onReady: (canvas: Canvas) => void;
};

/** When in the week it is spent: weekdays and hours of the time zone. */
export default function HeatMap({ question, metric, title, format, onReady }: Props) {
  const theme = useTheme();
  const hours = useQuery(analyticsOf({ ...question, by: [], bucket: "hour" }, ["timeline"]));
  const { timeZone } = question;
  const rows = useMemo(
    () => hours.data && heatOf(hours.data.timeline, (point) => amountOf(point, metric), timeZone),
    [hours.data, metric, timeZone],
  );
  const option = useMemo(() => rows && optionOf(rows, format, theme), [rows, format, theme]);
  return (
    <Loaded query={{ ...hours, data: rows }} skeleton="h-80">
      {(known) => (
        <>
          {option && (
            <ChartCanvas
              label={`${title} by weekday and hour; the same figures are in the table below`}
              option={option}
              className="h-80"
              onReady={onReady}
            />
          )}
          <details className="mt-2 text-[13px]">
            <summary className="cursor-pointer rounded text-muted">As a table</summary>
            <HeatTable rows={known} format={format} />
          </details>
        </>
      )}
    </Loaded>
  );
}

function optionOf(rows: number[][], format: (value: number) => string, theme: Theme) {
  const paint = PAINT[theme];
  const axis = {
    type: "category",
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: paint.muted, fontSize: 11 },
  };
  return {
    animation: false,
    textStyle: { fontFamily: FONT },
    grid: { left: 4, right: 8, top: 8, bottom: 48, containLabel: true },
    xAxis: { ...axis, data: HOUR_NAMES },
    yAxis: { ...axis, data: WEEKDAYS, inverse: true },
    visualMap: {
      min: 0,
      max: Math.max(...rows.flat(), Number.MIN_VALUE),
      orient: "horizontal",
      left: "center",
      bottom: 0,
      itemHeight: 140,
      calculable: false,
      text: ["more", "less"],
      textStyle: { color: paint.muted, fontSize: 11 },
      inRange: { color: paint.heat },
      formatter: (value: unknown) => format(Number(value)),
    },
    tooltip: {
      ...tooltipLook(paint),
      formatter: (hit: unknown) => {
        const [hour, day, value] = (hit as { value: [number, number, number] }).value;
        return `${WEEKDAYS[day]} ${hourName(hour)}: ${format(value)}`;
      },
    },
    series: [
      {
        type: "heatmap",
        data: rows.flatMap((row, day) => row.map((value, hour) => [hour, day, value])),
        itemStyle: { borderColor: paint.surface, borderWidth: 2, borderRadius: 3 },
      },
    ],
  };
}

function HeatTable({ rows, format }: { rows: number[][]; format: (value: number) => string }) {
  return (
    <ScrollRegion label="By weekday and hour" className="mt-2 overflow-auto rounded-lg border">
      <table className="w-full text-xs">
        <thead className="bg-sunken text-muted">
          <tr>
            <th scope="col" className="px-2 py-1.5 text-left font-medium">
              Hour
            </th>
            {WEEKDAYS.map((day) => (
              <th key={day} scope="col" className="px-2 py-1.5 text-right font-medium">
                {day}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {HOUR_NAMES.map((name, hour) => (
            <tr key={name} className="border-t">
              <th scope="row" className="px-2 py-1 text-left font-normal">
                {name}
              </th>
              {WEEKDAYS.map((day, index) => (
                <td key={day} className="px-2 py-1 text-right whitespace-nowrap">
                  {format(rows[index]?.[hour] ?? 0)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
