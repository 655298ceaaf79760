import { FONT, type Paint } from "./paint";

type Frame = {
  /** One for each point of time, as the axis shows it. */
  points: readonly string[];
  format: (value: number) => string;
  /** Whether points stand between the marks of the axis, as bars do. */
  isOfBars?: boolean;
  /** Where the scale ends; by itself a little above what is drawn. */
  max?: number;
};

/** What each chart over time has: its place, points of time below and a scale beside it. */
export const frameOf = ({ points, format, isOfBars = false, max }: Frame, paint: Paint) => ({
  animation: false,
  textStyle: { fontFamily: FONT },
  grid: { left: 4, right: 8, top: 12, bottom: 4, containLabel: true },
  xAxis: {
    type: "category",
    data: points,
    boundaryGap: isOfBars,
    axisLine: { lineStyle: { color: paint.line } },
    axisTick: { show: false },
    axisLabel: { color: paint.muted, hideOverlap: true, fontSize: 11 },
  },
  yAxis: {
    type: "value",
    ...(max === undefined ? {} : { max }),
    splitNumber: 4,
    splitLine: { lineStyle: { color: paint.line } },
    axisLabel: { color: paint.muted, fontSize: 11, formatter: format, showMaxLabel: max === undefined ? null : false },
  },
});

/** What a tooltip looks like that echarts draws itself. */
export const tooltipLook = (paint: Paint) => ({
  confine: true,
  backgroundColor: paint.surface,
  borderColor: paint.line,
  textStyle: { color: paint.ink, fontSize: 12 },
});
