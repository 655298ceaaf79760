import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, dataOf, pageOf, type Schemas } from "@/api/client";
import { NONE } from "@/lib/dimensions";

export type Anomaly = Schemas["AnomalyView"];

const PAGE_ITEMS = 50;
const NEWEST_ITEMS = 20;

export const anomalyList = (expected: boolean | undefined, projectId: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ["anomalies", expected, projectId],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor, signal }) =>
      pageOf(
        api.GET("/api/anomalies", {
          params: {
            query: {
              limit: PAGE_ITEMS,
              ...(expected === undefined ? {} : { expected }),
              ...(projectId ? { projectId } : {}),
              ...(cursor ? { cursor } : {}),
            },
          },
          signal,
        }),
      ),
    getNextPageParam: ({ pagination }) => pagination.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  });

/** The newest ones that nobody expected. */
export const newestAnomalies = () =>
  queryOptions({
    queryKey: ["anomalies", "newest"],
    queryFn: ({ signal }) =>
      pageOf(api.GET("/api/anomalies", { params: { query: { expected: false, limit: NEWEST_ITEMS } }, signal })),
  });

export const changeAnomaly = (anomalyId: string, change: Schemas["AnomalyChange"]): Promise<Anomaly> =>
  dataOf(api.PUT("/api/anomalies/{anomalyId}", { params: { path: { anomalyId } }, body: change }));

/** The UTC day of an anomaly, and what was unusual in it, as pages of figures understand it. */
export const dayOf = ({ start, service, model, projectId }: Anomaly) => ({
  from: start.slice(0, 10),
  to: start.slice(0, 10),
  tz: "UTC",
  service: [service],
  model: [model],
  project: [projectId ?? NONE],
});

/** The calls of an anomaly: of its hour, or of its day. */
export const callsOf = (anomaly: Anomaly) => ({
  ...dayOf(anomaly),
  ...(anomaly.span === "hour" && { from: minuteOf(anomaly.start), to: minuteOf(anomaly.end) }),
});

const minuteOf = (instant: string) => `${instant.slice(0, 16)}Z`;

/** The same model on the same day once, be it unusual by the hour, by the day or both. */
export function oncePerDay(anomalies: readonly Anomaly[]): Anomaly[] {
  const days = new Map<string, Anomaly>();
  for (const anomaly of anomalies) {
    const { projectId, service, model, start } = anomaly;
    const key = JSON.stringify([projectId, service, model, start.slice(0, 10)]);
    if (!days.has(key) || anomaly.span === "day") days.set(key, anomaly);
  }
  return [...days.values()];
}
