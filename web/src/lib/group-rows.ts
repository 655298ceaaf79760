import type { Group, Metric } from "@/api/queries";
import { nanosOf } from "./money";

export const COLUMNS = [
  { id: "cost", name: "Cost" },
  { id: "share", name: "Share", title: "Part of the whole in the figure that is shown" },
  { id: "change", name: "Change", title: "Of the cost, to the period it is compared with" },
  { id: "requests", name: "Requests" },
  { id: "errors", name: "Errors" },
  { id: "unpricedRequests", name: "No price", title: "Calls whose cost is unknown: they are in no sum" },
  { id: "inputTokens", name: "Input", title: "Input tokens, cached ones included" },
  { id: "cacheReadTokens", name: "Cached", title: "Input tokens read from a cache" },
  { id: "cacheWriteTokens", name: "Written", title: "Input tokens written to a cache" },
  { id: "outputTokens", name: "Output", title: "Output tokens" },
  { id: "cacheHitRate", name: "Cache hits", title: "Part of the input tokens that came from a cache" },
  { id: "costPerRequest", name: "Per call", title: "Average cost of a call whose cost is known" },
  { id: "costPerMillionTokens", name: "Per 1M", title: "Average cost of a million tokens whose cost is known" },
] as const;

export type ColumnId = (typeof COLUMNS)[number]["id"];
export type Sort = { by: ColumnId; descending: boolean };

/** None of its calls has a price: that is not to have cost nothing. */
export const isUnknown = ({ requests, unpricedRequests }: Pick<Group, "requests" | "unpricedRequests">): boolean =>
  requests > 0 && requests === unpricedRequests;

/** How much more it cost, as a part of what it did before; nothing where nothing is known to compare with. */
export function changeOf(group: Group): number | null {
  if (isUnknown(group) || group.before?.changePercentage == null) return null;
  return group.before.changePercentage / 100;
}

/** What a group is sorted by; nothing is known of `null`. */
function figureOf(group: Group, column: ColumnId): bigint | number | null {
  switch (column) {
    case "cost":
      return isUnknown(group) ? null : nanosOf(group.cost);
    case "costPerRequest":
    case "costPerMillionTokens": {
      const money = group[column];
      return money == null ? null : nanosOf(money);
    }
    case "change":
      return changeOf(group);
    default:
      return group[column] ?? null;
  }
}

/** Sorted by a column; what is unknown is last, whichever the direction. */
export function sorted(groups: readonly Group[], { by, descending }: Sort): Group[] {
  return groups
    .map((group) => ({ group, value: figureOf(group, by) }))
    .sort((one, other) => {
      if (one.value === null || other.value === null) return Number(one.value === null) - Number(other.value === null);
      const order = one.value < other.value ? -1 : one.value > other.value ? 1 : 0;
      return descending ? -order : order;
    })
    .map(({ group }) => group);
}

/** The largest first, in the figure that is looked at. */
export const sortOf = (metric: Metric): Sort => ({
  by: metric === "requests" ? "requests" : metric === "tokens" ? "share" : "cost",
  descending: true,
});

export type Sums = { cost: bigint } & Record<
  "requests" | "errors" | "unpricedRequests" | "inputTokens" | "cacheReadTokens" | "cacheWriteTokens" | "outputTokens",
  number
>;

/** What the rows add up to; to the nano-dollar. */
export function sumsOf(groups: readonly Group[]): Sums {
  const sum = (of: (group: Group) => number) => groups.reduce((total, group) => total + of(group), 0);
  return {
    cost: groups.reduce((total, { cost }) => total + nanosOf(cost), 0n),
    requests: sum(({ requests }) => requests),
    errors: sum(({ errors }) => errors),
    unpricedRequests: sum(({ unpricedRequests }) => unpricedRequests),
    inputTokens: sum(({ inputTokens }) => inputTokens),
    cacheReadTokens: sum(({ cacheReadTokens }) => cacheReadTokens),
    cacheWriteTokens: sum(({ cacheWriteTokens }) => cacheWriteTokens),
    outputTokens: sum(({ outputTokens }) => outputTokens),
  };
}
