/** What goes over the wire to the tracker and back: the types of its OpenAPI document. */

import type { components } from "./schema.js";

type Schemas = components["schemas"];

/** Who a call was for. */
export interface CostAllocation {
  department?: string;
  team?: string;
  purpose?: string;
  client?: string;
  campaign?: string;
  [other: string]: string | undefined;
}

/** What is said of a call beside the call itself. */
export interface Attribution {
  projectId?: string;
  costAllocation?: CostAllocation;
  tags?: string[];
  userEmail?: string;
  customerEmail?: string;
  sessionId?: string;
  traceId?: string;
  metadata?: Record<string, unknown>;
}

/** A call to record. Only `model` is required; what the tracker does not know is kept under `metadata.extra`. */
export type UsageRecord = Omit<Schemas["TrackUsage"], keyof Attribution> & Attribution & { tokens?: number };

/** What became of a tracked call. `cost` is null when it is not known. */
export type Tracked = Schemas["Tracked"];
export type BulkOutcome = Schemas["BulkOutcome"];
export type Analytics = Pick<Schemas["Analytics"], "period" | "project"> &
  Required<Pick<Schemas["Analytics"], "timeline" | "breakdown" | "groups" | "trends">> & {
    summary: Required<Schemas["Summary"]>;
  };
export type Comparison = Schemas["Comparison"];
export type BudgetStatus = Schemas["BudgetStatus"];
export type Estimate = Schemas["Estimate"];
export type Price = Schemas["PriceView"];

/** Filters and grouping of analytics; lists are "any of". `groupBy` takes a length of time and up to three dimensions. */
export interface AnalyticsQuery {
  startDate?: string;
  endDate?: string;
  timeZone?: string;
  groupBy?: string;
  metric?: "cost" | "tokens" | "requests";
  limit?: number;
  compare?: "previous";
  [filter: string]: string | number | string[] | undefined;
}
