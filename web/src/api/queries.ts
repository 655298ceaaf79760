import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { Dimension, Filters } from "@/lib/dimensions";
import type { Period } from "@/lib/period";
import { ProjectService } from "@/services/project.service";
import { userService } from "@/services/user.service";
import { api, dataOf, pageOf, type Schemas } from "./client";

export type Analytics = Schemas["Analytics"];
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
};

export function analyticsQuery({ period, timeZone, bucket, by = [], metric, filters, search, limit }: Question) {
  const groupBy = [bucket, ...by].filter(Boolean).join(",");
  return {
    startDate: period.start,
    endDate: period.end,
    timeZone,
    ...(groupBy ? { groupBy } : {}),
    ...(metric ? { metric } : {}),
    ...(limit ? { limit } : {}),
    ...(search ? { search } : {}),
    ...filters,
  };
}

export const analytics = (question: Question) => {
  const query = analyticsQuery(question);
  return queryOptions({
    queryKey: ["analytics", query],
    queryFn: ({ signal }) => dataOf(api.GET("/api/analytics", { params: { query }, signal })),
    placeholderData: keepPreviousData,
  });
};

export const usageStats = (question: Question) => {
  const query = analyticsQuery(question);
  return queryOptions({
    queryKey: ["usage-stats", query],
    queryFn: ({ signal }) => dataOf(api.GET("/api/usage/stats", { params: { query }, signal })),
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
export const setup = () =>
  queryOptions({
    queryKey: ["setup"],
    queryFn: () => dataOf(api.GET("/api/setup")),
    staleTime: Number.POSITIVE_INFINITY,
  });
