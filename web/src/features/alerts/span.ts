import { formatDay, formatInstant } from "@/lib/days";
import type { Anomaly } from "./anomaly-queries";

/** Which hour or day was unusual. A day is one of UTC, wherever one is. */
export const spanOf = ({ span, start }: Anomaly, timeZone: string): string =>
  span === "day"
    ? `${formatDay(start.slice(0, 10), { weekday: "short", day: "numeric", month: "short", year: "numeric" })} (UTC)`
    : `${formatInstant(start, timeZone)}, one hour`;
