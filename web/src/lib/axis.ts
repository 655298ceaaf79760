import type { Bucket } from "@/api/queries";
import { formatDay } from "./days";

type Point = { date: string; start: string };

/** How a point of time is called: short for an axis, whole for a tooltip or a table. */
export function pointNames(
  timeline: readonly Point[],
  bucket: Bucket,
  timeZone: string,
): { points: string[]; titles: string[] } {
  const hour = (options: Intl.DateTimeFormatOptions) => (point: Point) =>
    new Date(point.start).toLocaleString("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", ...options });
  const long = { weekday: "short", day: "numeric", month: "short", year: "numeric" } as const;
  const [short, title]: [(point: Point) => string, (point: Point) => string] = {
    hour: [hour(timeline.length > 24 ? { day: "numeric", month: "short" } : {}), hour(long)] as [
      (point: Point) => string,
      (point: Point) => string,
    ],
    day: [({ date }: Point) => formatDay(date), ({ date }: Point) => formatDay(date, long)] as [
      (point: Point) => string,
      (point: Point) => string,
    ],
    week: [({ date }: Point) => formatDay(date), ({ date }: Point) => `Week from ${formatDay(date, long)}`] as [
      (point: Point) => string,
      (point: Point) => string,
    ],
    month: [
      ({ date }: Point) => formatDay(date, { month: "short", year: "2-digit" }),
      ({ date }: Point) => formatDay(date, { month: "long", year: "numeric" }),
    ] as [(point: Point) => string, (point: Point) => string],
  }[bucket];
  return { points: timeline.map(short), titles: timeline.map(title) };
}
