import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { analyticsOf } from "@/api/queries";
import { TOP_LISTS } from "@/app/router";
import { GroupTable } from "@/components/group-table";
import { Card, CardHead } from "@/components/ui/card";
import { Loaded } from "@/components/ui/loaded";
import { Segments } from "@/components/ui/tabs";
import { DIMENSIONS } from "@/lib/dimensions";
import { sortOf } from "@/lib/group-rows";
import { type Period, periodLink } from "@/lib/period";
import { filterOf, keyOf, namesOf } from "@/lib/series";

const SHOWN = 10;
const route = getRouteApi("/");

type Props = { period: Period; before: Period; timeZone: string };

/** What costs most, with everything that is known of it; a name opens it in the explorer. */
export function TopLists({ period, before, timeZone }: Props) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { top: by = "model", sort, order } = search;
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: (old) => ({ ...old, ...next }), resetScroll: false });
  const answer = useQuery(analyticsOf({ period, timeZone, by: [by], compare: before }, ["groups"]));
  const link = periodLink(search, "mtd");
  return (
    <Card className="overflow-hidden">
      <CardHead title="What costs most" hint="Each column sorts. What has no price is in no sum.">
        <Segments
          label="By"
          value={by}
          onChange={(next) => change({ top: next === "model" ? undefined : next })}
          choices={TOP_LISTS.map((value) => ({ value, name: DIMENSIONS[value].one }))}
        />
        <Link
          to="/explorer"
          search={{ ...link, by, chart: "table" }}
          className="text-[13px] font-medium text-accent-text hover:underline"
        >
          All<span className="sr-only"> {DIMENSIONS[by].many} in the explorer</span>
        </Link>
      </CardHead>
      <Loaded query={answer} skeleton="h-80">
        {({ groups, compared }) => {
          const names = namesOf({ groups });
          return groups.length === 0 ? (
            <p className="px-5 pb-8 text-muted">Nothing in this period.</p>
          ) : (
            <GroupTable
              label={`Top ${DIMENSIONS[by].many}`}
              groups={groups}
              by={[by]}
              compared={compared}
              sort={sort ? { by: sort, descending: order !== "asc" } : sortOf("cost")}
              onSort={({ by: column, descending }) => change({ sort: column, order: descending ? undefined : "asc" })}
              limit={SHOWN}
              callsOf={(group, dimensions) => ({ ...link, ...(group && filterOf(group, dimensions)) })}
              nameOf={(group, dimension) => (
                <Link
                  to="/explorer"
                  search={{ ...link, ...filterOf(group, [dimension]) }}
                  className="block truncate font-medium hover:underline"
                >
                  {names(dimension, keyOf(group, dimension))}
                </Link>
              )}
            />
          );
        }}
      </Loaded>
    </Card>
  );
}
