import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, dataOf } from "@/api/client";
import { analyticsQuery, type Question } from "@/api/queries";
import { type Marker, markersOf } from "@/lib/markers";

/** As many as a page of the list has; a chart with more could not be read. */
const MARKERS_MAX = 100;

/** What happened in the time that a chart shows, and which prices changed of what is in it. */
export function useMarkers(question: Question, timeline: readonly { start: string }[]): Marker[] {
  const { period, timeZone, filters, search } = question;
  const [project, ...more] = (filters?.project ?? []).filter((value) => /^[0-9a-f]{24}$/.test(value));
  const days = { startDate: period.start, endDate: period.end, timeZone };
  const events = useQuery({
    queryKey: ["annotations", days, project, more],
    queryFn: ({ signal }) =>
      dataOf(
        api.GET("/api/annotations", {
          params: {
            query: { ...days, limit: MARKERS_MAX, ...(project && more.length === 0 ? { projectId: project } : {}) },
          },
          signal,
        }),
      ),
  });
  const query = analyticsQuery({ period, timeZone, filters, search });
  const prices = useQuery({
    queryKey: ["price-changes", query],
    queryFn: ({ signal }) => dataOf(api.GET("/api/prices/changes", { params: { query }, signal })),
  });
  return useMemo(() => markersOf(timeline, events.data ?? [], prices.data ?? []), [timeline, events.data, prices.data]);
}
