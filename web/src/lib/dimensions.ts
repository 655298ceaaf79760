import type { Schemas } from "@/api/client";

/** The value, in filters and answers, of calls that have none. */
export const NONE = "(none)";

export type Dimension = Schemas["Dimension"];

/** What records can be filtered and grouped by, with the words for it. */
export const DIMENSIONS: Record<Dimension, { one: string; many: string }> = {
  model: { one: "Model", many: "models" },
  service: { one: "Provider", many: "providers" },
  project: { one: "Project", many: "projects" },
  user: { one: "Account", many: "accounts" },
  department: { one: "Department", many: "departments" },
  team: { one: "Team", many: "teams" },
  purpose: { one: "Purpose", many: "purposes" },
  client: { one: "Client", many: "clients" },
  campaign: { one: "Campaign", many: "campaigns" },
  tag: { one: "Tag", many: "tags" },
  status: { one: "Status", many: "statuses" },
  userEmail: { one: "User e-mail", many: "users" },
  customerEmail: { one: "Customer e-mail", many: "customers" },
  trackerKey: { one: "Tracker key", many: "tracker keys" },
  costSource: { one: "Cost source", many: "cost sources" },
};

/** Values that are ids, which people know by a name. */
export const KNOWN_BY_NAME = ["project", "user", "trackerKey"] as const satisfies Dimension[];
export const isKnownByName = (dimension: Dimension): boolean => KNOWN_BY_NAME.some((one) => one === dimension);

export const ALL_DIMENSIONS = Object.keys(DIMENSIONS) as Dimension[];

export const isDimension = (text: unknown): text is Dimension =>
  typeof text === "string" && Object.hasOwn(DIMENSIONS, text);

/** Values by dimension; `!` before a value excludes it, `(none)` is to have none. */
export type Filters = Partial<Record<Dimension, string[]>>;

export function readFilters(search: Record<string, unknown>): Filters {
  const filters: Filters = {};
  for (const dimension of ALL_DIMENSIONS) {
    const values = [search[dimension]]
      .flat()
      .filter((value): value is string => typeof value === "string" && value !== "");
    if (values.length) filters[dimension] = values;
  }
  return filters;
}

/** The same filters with `values` for one dimension; without it when there are none. */
export function withFilter(filters: Filters, dimension: Dimension, values: readonly string[]): Filters {
  const { [dimension]: _, ...rest } = filters;
  return values.length ? { ...rest, [dimension]: [...new Set(values)] } : rest;
}

/** A page's state with these filters in place of its own; all else of it stays. */
export function withFilters<State extends object>(state: State, filters: Filters): Omit<State, Dimension> & Filters {
  const rest = Object.fromEntries(Object.entries(state).filter(([name]) => !isDimension(name)));
  return { ...(rest as Omit<State, Dimension>), ...filters };
}

export const filterCount = (filters: Filters): number =>
  Object.values(filters).reduce((sum, values) => sum + (values?.length ?? 0), 0);
export const excluded = (value: string): boolean => value.startsWith("!");
export const bare = (value: string): string => (excluded(value) ? value.slice(1) : value);
