import { infiniteQueryOptions, keepPreviousData } from "@tanstack/react-query";
import { api, dataOf, pageOf, type Schemas } from "@/api/client";

export type AlertView = Schemas["AlertView"];
export type AlertStatus = "current" | "unread" | "snoozed" | "all";

const PAGE_ITEMS = 50;

export const alertList = (status: AlertStatus, projectId: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ["alerts", status, projectId],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor, signal }) =>
      pageOf(
        api.GET("/api/alerts", {
          params: {
            query: { status, limit: PAGE_ITEMS, ...(projectId ? { projectId } : {}), ...(cursor ? { cursor } : {}) },
          },
          signal,
        }),
      ),
    getNextPageParam: ({ pagination }) => pagination.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  });

const path = (alertId: string) => ({ params: { path: { alertId } } });

export const changeAlert = (alertId: string, change: Schemas["AlertChange"]) =>
  dataOf(api.PUT("/api/alerts/{alertId}", { ...path(alertId), body: change }));
export const deleteAlert = (alertId: string) => dataOf(api.DELETE("/api/alerts/{alertId}", path(alertId)));
export const readAllAlerts = () => dataOf(api.POST("/api/alerts/read-all"));
