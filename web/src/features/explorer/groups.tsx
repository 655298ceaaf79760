import { getRouteApi } from "@tanstack/react-router";
import type { Answer, Metric } from "@/api/queries";
import { GroupTable } from "@/components/group-table";
import { Card } from "@/components/ui/card";
import type { Dimension, Filters } from "@/lib/dimensions";
import { sortOf } from "@/lib/group-rows";
import type { PeriodSearch } from "@/lib/period";
import { filterOf, keyOf, type Names } from "@/lib/series";

const route = getRouteApi("/explorer");

type GroupsProps = {
  answer: Answer<"groups">;
  by: readonly Dimension[];
  metric: Metric;
  names: Names;
  filters: Filters;
  /** The period and the text that the answer is of, as addresses say them. */
  about: PeriodSearch & { tz?: string | undefined; search?: string | undefined };
  onFilter: (filters: Filters) => void;
};

/** The exact sums of each group; a name goes one step deeper. */
export function Groups({ answer, by, metric, names, filters, about, onFilter }: GroupsProps) {
  const { sort, order } = route.useSearch();
  const navigate = route.useNavigate();
  const usual = sortOf(metric);
  return (
    <Card className="overflow-hidden">
      <GroupTable
        label="Groups"
        groups={answer.groups}
        by={by}
        compared={answer.compared}
        sort={sort ? { by: sort, descending: order !== "asc" } : usual}
        onSort={({ by: column, descending }) =>
          void navigate({
            search: (old) => ({ ...old, sort: column, order: descending ? undefined : "asc" }),
            resetScroll: false,
          })
        }
        nameOf={(group, dimension) => (
          <button
            type="button"
            title="Show only this"
            className="max-w-full truncate rounded font-medium hover:underline"
            onClick={() => onFilter({ ...filters, ...filterOf(group, [dimension]) })}
          >
            {names(dimension, keyOf(group, dimension))}
          </button>
        )}
        callsOf={(group, dimensions) => ({ ...about, ...filters, ...(group && filterOf(group, dimensions)) })}
      />
    </Card>
  );
}
