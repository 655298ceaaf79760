import { useQuery } from "@tanstack/react-query";
import { type Answer, analyticsOf, type Question } from "@/api/queries";
import { bare, type Filters, KNOWN_BY_NAME } from "@/lib/dimensions";

/** The groups that filters name, for their names; whatever else is grouped by. */
export function useNamed({ period, timeZone, filters = {} }: Question): Answer<"groups"> | undefined {
  const by = KNOWN_BY_NAME.filter((dimension) => filters[dimension]?.length);
  const chosen = Object.fromEntries(by.map((dimension) => [dimension, filters[dimension]?.map(bare)]));
  const { data } = useQuery({
    ...analyticsOf({ period, timeZone, by, filters: chosen as Filters }, ["groups"]),
    enabled: by.length > 0,
  });
  return by.length > 0 ? data : undefined;
}
