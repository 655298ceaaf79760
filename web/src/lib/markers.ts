import type { Schemas } from "@/api/client";

type Annotation = Schemas["AnnotationView"];
type PriceChange = Schemas["PriceChange"];

/** What happened at a moment that a chart of costs shows. */
export type Marker = {
  id: string;
  kind: "event" | "price";
  /** Which point of the timeline it is in. */
  index: number;
  time: string;
  title: string;
  /** More words about it. */
  note: string;
  link?: string | undefined;
};

const UNITS: Record<string, string> = {
  input_tokens: "input",
  output_tokens: "output",
  cache_read_tokens: "cached input",
  cache_write_tokens: "cache writes",
};

const rateName = (unit: string): string => UNITS[unit] ?? unit.replaceAll("_", " ");

function priceTitle({ kind, service, model, condition, ruleId }: PriceChange): string {
  const of = [model ?? "every model", condition && `(${condition})`, service && `of ${service}`]
    .filter(Boolean)
    .join(" ");
  if (kind === "catalog") return `Price of ${of}`;
  return `Own price “${ruleId}” ${kind === "rule-begins" ? "begins" : "ends"}: ${of}`;
}

const priceNote = ({ rates }: PriceChange): string =>
  rates.map(({ unit, before, after }) => `${rateName(unit)} ${before ?? "–"} → ${after ?? "–"}`).join(", ") +
  (rates.length > 0 ? " $ per 1M" : "");

/** Marks in the order of time, each in its point; what is before the first point is in none. */
export function markersOf(
  timeline: readonly { start: string }[],
  annotations: readonly Annotation[],
  changes: readonly PriceChange[],
): Marker[] {
  const starts = timeline.map(({ start }) => Date.parse(start));
  const place = (time: string) => starts.findLastIndex((start) => start <= Date.parse(time));
  const events = annotations.map(({ id, time, title, tags, projectName, link }) => ({
    id,
    kind: "event" as const,
    index: place(time),
    time,
    title,
    note: [projectName, ...tags].filter(Boolean).join(", "),
    link: link ?? undefined,
  }));
  const prices = changes.map((change) => ({
    id: `${change.time} ${priceTitle(change)}`,
    kind: "price" as const,
    index: place(change.time),
    time: change.time,
    title: priceTitle(change),
    note: priceNote(change),
  }));
  return [...events, ...prices]
    .filter(({ index }) => index >= 0)
    .sort((one, other) => Date.parse(one.time) - Date.parse(other.time));
}
