import { useQuery } from "@tanstack/react-query";
import { type Answer, analyticsOf, type Question } from "@/api/queries";
import { bare, type Dimension, type Filters } from "@/lib/dimensions";

/** Ids are chosen as filters: how they are called. */
const NAMED = ["project", "user", "trackerKey"] as const satisfies Dimension[];

/** The groups that filters name, for their names; whatever else is grouped by. */
export function useNamed({ period, timeZone, filters = {} }: Question): Answer<"groups"> | undefined {
  const by = NAMED.filter((dimension) => filters[dimension]?.length);
  const chosen = Object.fromEntries(by.map((dimension) => [dimension, filters[dimension]?.map(bare)]));
  const { data } = useQuery({
    ...analyticsOf({ period, timeZone, by, filters: chosen as Filters }, ["groups"]),
    enabled: by.length > 0,
  });
  return by.length > 0 ? data : undefined;
}
