import type { Schemas } from "@/api/client";

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
