import type { Schemas } from "@/api/client";
import { type Dimension, isKnownByName, NONE } from "./dimensions";
import { keyOf, namesOf } from "./series";

export type Durations = Schemas["DurationView"];
export const PERCENTILES = ["p50", "p95", "p99"] as const;
export type Percentile = (typeof PERCENTILES)[number];
export const MEASURES = { response: "Whole answer", firstToken: "First token" } as const;
export type Measure = keyof typeof MEASURES;

/** A line of a percentile over time: a point without a call that tells has no value, and is no zero. */
export function lineOf(
  points: readonly string[],
  durations: readonly Durations[],
  measure: Measure,
  percentile: Percentile,
): (number | null)[] {
  const at = new Map(durations.map((one) => [one.date, one[measure][percentile] ?? null]));
  return points.map((date) => at.get(date) ?? null);
}

/** The groups with most calls that tell, the largest first. */
export function largest(durations: readonly Durations[], measure: Measure, max: number): Durations[] {
  return durations
    .filter((one) => one[measure].count > 0)
    .sort((one, other) => other[measure].count - one[measure].count)
    .slice(0, max);
}

/** Durations as rows of a file, in milliseconds, with a head. */
export function durationRows(
  durations: readonly Durations[],
  by: readonly Dimension[],
): (string | number | null | undefined)[][] {
  const measures = ["response", "firstToken"] as const;
  const head = [
    "date",
    ...by.flatMap((dimension) => [dimension, ...(isKnownByName(dimension) ? [`${dimension}Name`] : [])]),
    ...measures.flatMap((measure) => [
      `${measure}Count`,
      ...PERCENTILES.map((percentile) => `${measure}${percentile.toUpperCase()}Ms`),
    ]),
  ];
  const rows = durations.map((one) => [
    one.date,
    ...by.flatMap((dimension) => {
      const key = keyOf(one, dimension);
      return [key ?? NONE, ...(isKnownByName(dimension) ? [namesOf({ groups: [one] })(dimension, key)] : [])];
    }),
    ...measures.flatMap((measure) => [
      one[measure].count,
      ...PERCENTILES.map((percentile) => one[measure][percentile]),
    ]),
  ]);
  return [head, ...rows];
}
