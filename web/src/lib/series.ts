import type { Analytics, Group, Metric } from "@/api/queries";
import { coloursOf, OTHER, type Theme } from "./colours";
import { type Dimension, type Filters, NONE } from "./dimensions";
import { numberOf } from "./money";

export const LAYERS_MAX = 8;

type Amount = { cost: Group["cost"]; tokens: number; requests: number };

/** For drawing: money becomes a number here and nowhere before. */
export const amountOf = (of: Amount, metric: Metric): number => (metric === "cost" ? numberOf(of.cost) : of[metric]);

/** How the values of dimensions are called: projects, accounts and tracker keys by name. */
export type Names = (dimension: Dimension, value: string | null | undefined) => string;

type Named = Pick<Group, "key"> & Partial<Pick<Group, "names">>;

/** As the groups of answers say. */
export function namesOf(...answers: ({ groups: readonly Named[] } | undefined)[]): Names {
  const named = new Map<string, string>();
  for (const { key, names } of answers.flatMap((answer) => answer?.groups ?? []))
    for (const [dimension, value] of Object.entries(key as Record<string, string | null>)) {
      const name = (names as Record<string, string | null> | undefined)?.[dimension];
      if (value && name) named.set(`${dimension} ${value}`, name);
    }
  return (dimension, value) => (value ? (named.get(`${dimension} ${value}`) ?? value) : NONE);
}

export const keyOf = (group: Pick<Group, "key">, dimension: Dimension): string | null =>
  (group.key as Record<string, string | null>)[dimension] ?? null;

/** A filter for the calls of a group: what it has in `by`. */
export const filterOf = (group: Pick<Group, "key">, by: readonly Dimension[]): Filters =>
  Object.fromEntries(by.map((dimension) => [dimension, [keyOf(group, dimension) ?? NONE]]));

/**
 * What the groups are grouped by. An answer that is shown until the next one comes may be of other dimensions than are
 * asked for: its groups would all have the same key, and rows of it would stay.
 */
export function dimensionsOf(groups: readonly Pick<Group, "key">[], asked: readonly Dimension[]): readonly Dimension[] {
  const [first] = groups;
  if (!first || asked.every((dimension) => Object.hasOwn(first.key, dimension))) return asked;
  return Object.keys(first.key) as Dimension[];
}

export type Layer = {
  name: string;
  colour: string;
  values: number[];
  /** What its calls have of each dimension; nothing where it is the rest. */
  of: Partial<Record<Dimension, string[]>>;
};

/** The largest values of a dimension as layers over the points of the timeline, the rest as one. */
export function layersOf(
  answer: Pick<Analytics, "timeline" | "groups">,
  asked: readonly Dimension[],
  metric: Metric,
  theme: Theme,
  max = LAYERS_MAX,
): Layer[] {
  const by = dimensionsOf(answer.groups, asked);
  const names = namesOf(answer);
  const at = new Map(answer.timeline.map(({ date }, index) => [date, index]));
  const rows = new Map<string, { values: number[]; total: number; of: Layer["of"] }>();
  for (const group of answer.groups) {
    const name = by.map((dimension) => names(dimension, keyOf(group, dimension))).join(" · ");
    const row = rows.get(name) ?? {
      values: new Array<number>(answer.timeline.length).fill(0),
      total: 0,
      of: filterOf(group, by),
    };
    const index = at.get(group.date ?? "");
    const amount = amountOf(group, metric);
    if (index !== undefined) row.values[index] = (row.values[index] ?? 0) + amount;
    row.total += amount;
    rows.set(name, row);
  }
  const ranked = [...rows].sort(([, one], [, other]) => other.total - one.total);
  const layers = ranked.slice(0, max).map(([name, { values, of }]) => ({ name, values, of }));
  const rest = ranked.slice(max);
  if (rest.length) {
    const values = answer.timeline.map((_, index) => rest.reduce((sum, [, row]) => sum + (row.values[index] ?? 0), 0));
    layers.push({ name: OTHER, values, of: {} });
  }
  const colours = coloursOf(
    layers.map(({ name }) => name),
    theme,
  );
  return layers.map((layer) => ({ ...layer, colour: colours.get(layer.name) ?? "#888888" }));
}
