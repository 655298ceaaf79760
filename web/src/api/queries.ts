import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { Dimension, Filters } from "@/lib/dimensions";
import type { Period } from "@/lib/period";
import { type Analytics, ProjectService } from "@/services/project.service";
import { userService } from "@/services/user.service";
import { api, dataOf, pageOf, type Schemas } from "./client";

export type { Analytics };

type Part = "summary" | "timeline" | "breakdown" | "groups" | "trends" | "durations";
/** An answer about costs with the parts that were asked for. */
export type Answer<Asked extends Part> = Pick<Schemas["Analytics"], "period" | "compared"> &
  Required<Pick<Schemas["Analytics"], Asked>>;
export type Group = Schemas["GroupView"];
export type Slice = Schemas["Slice"];
export type UsageRecord = Schemas["RecordView"];
export type Metric = "cost" | "tokens" | "requests";
export type Bucket = "hour" | "day" | "week" | "month";

/** A question about costs. */
export type Question = {
  period: Period;
  timeZone: string;
  bucket?: Bucket | undefined;
  by?: readonly Dimension[] | undefined;
  metric?: Metric | undefined;
  filters?: Filters | undefined;
  search?: string | undefined;
  limit?: number | undefined;
  /** What groups are compared with. */
  compare?: Period | undefined;
};

export function analyticsQuery({
  period,
  timeZone,
  bucket,
  by = [],
  metric,
  filters,
  search,
  limit,
  compare,
}: Question) {
  const groupBy = [bucket, ...by].filter(Boolean).join(",");
  return {
    startDate: period.start,
    endDate: period.end,
    timeZone,
    ...(groupBy ? { groupBy } : {}),
    ...(metric ? { metric } : {}),
    ...(limit ? { limit } : {}),
    ...(compare ? { compare: `${compare.start}..${compare.end}` } : {}),
    ...(search ? { search } : {}),
    ...filters,
  };
}

export const analytics = (question: Question) => {
  const query = analyticsQuery(question);
  return queryOptions({
    queryKey: ["analytics", query],
    queryFn: async ({ signal }) =>
      (await dataOf(api.GET("/api/analytics", { params: { query }, signal }))) as Analytics,
    placeholderData: keepPreviousData,
  });
};

/** Some parts of an answer about costs: the server computes no others. */
export const analyticsOf = <Asked extends Part>(question: Question, parts: readonly Asked[]) => {
  const query = { ...analyticsQuery(question), include: parts.join(",") };
  return queryOptions({
    queryKey: ["analytics", query],
    queryFn: async ({ signal }) =>
      (await dataOf(api.GET("/api/analytics", { params: { query }, signal }))) as Answer<Asked>,
    placeholderData: keepPreviousData,
  });
};

/** Sums, without the durations. */
export const usageStats = (question: Question) => {
  const query = { ...analyticsQuery(question), include: "summary" };
  return queryOptions({
    queryKey: ["usage-stats", query],
    queryFn: async ({ signal }) =>
      (await dataOf(api.GET("/api/usage/stats", { params: { query }, signal }))) as Required<Schemas["UsageStats"]>,
    placeholderData: keepPreviousData,
  });
};

/** Percentiles of how long calls took: every record of the period is read for them. */
export const latencyOf = (question: Question) => {
  const query = { ...analyticsQuery(question), include: "latency" };
  return queryOptions({
    queryKey: ["latency", query],
    queryFn: async ({ signal }) => (await dataOf(api.GET("/api/usage/stats", { params: { query }, signal }))).latency,
    placeholderData: keepPreviousData,
  });
};

/** The newest record, to tell an empty installation from one with data, and to see the first call arrive. */
export const newestRecord = () =>
  queryOptions({
    queryKey: ["newest-record"],
    queryFn: ({ signal }) => pageOf(api.GET("/api/usage", { params: { query: { page: 1, limit: 1 } }, signal })),
  });

export const projects = () =>
  queryOptions({ queryKey: ["projects"], queryFn: ProjectService.getProjects, placeholderData: keepPreviousData });
export const project = (projectId: string) =>
  queryOptions({ queryKey: ["projects", projectId], queryFn: () => ProjectService.getProject(projectId) });

export const unreadAlerts = () =>
  queryOptions({
    queryKey: ["alerts", "unread-count"],
    queryFn: async ({ signal }) => (await dataOf(api.GET("/api/alerts/unread-count", { signal }))).count,
    refetchInterval: 60_000,
  });

export const profile = () =>
  queryOptions({ queryKey: ["profile"], queryFn: userService.getProfile, staleTime: 300_000 });
export const providerKeys = () => queryOptions({ queryKey: ["provider-keys"], queryFn: userService.getApiKeys });
export const trackerKeys = () => queryOptions({ queryKey: ["tracker-keys"], queryFn: userService.getTrackerKeys });
/** How the installation is set up. */
export const settings = () =>
  queryOptions({ queryKey: ["settings"], queryFn: ({ signal }) => dataOf(api.GET("/api/settings", { signal })) });
/** Whether the server takes calls: its store answers, and it is not stopping. */
export const readiness = () =>
  queryOptions({
    queryKey: ["readiness"],
    queryFn: async ({ signal }) => {
      const { data, error } = await api.GET("/readyz", { parseAs: "text", signal });
      return { isReady: data?.trim() === "ready", said: String(data ?? error) };
    },
    staleTime: 0,
    refetchInterval: 30_000,
  });
/** The newest records, as many as are looked at at a glance. */
export const newestRecords = (limit: number) =>
  queryOptions({
    queryKey: ["newest-records", limit],
    queryFn: ({ signal }) => pageOf(api.GET("/api/usage", { params: { query: { page: 1, limit } }, signal })),
  });
export const setup = () =>
  queryOptions({
    queryKey: ["setup"],
    queryFn: () => dataOf(api.GET("/api/setup")),
    staleTime: Number.POSITIVE_INFINITY,
  });
