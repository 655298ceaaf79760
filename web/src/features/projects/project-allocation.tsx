import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { SliceTable } from "@/components/slice-table";
import { Loaded } from "@/components/ui/loaded";
import { Segments } from "@/components/ui/tabs";
import { DIMENSIONS, NONE } from "@/lib/dimensions";
import { formatMoney } from "@/lib/money";
import { type Project, ProjectService } from "@/services/project.service";
import { useProjectDays } from "./project-costs";
import { useProjectCut } from "./project-cut";

const CUTS = ["department", "team", "purpose", "client", "campaign", "tag"] as const;

/** Whom a project's costs are charged to; what nobody is charged for is said too. */
export function ProjectAllocation({ project }: { project: Project }) {
  const [by, setBy] = useProjectCut(CUTS, "team");
  const { period, timeZone, name, link } = useProjectDays();
  const allocation = useQuery({
    queryKey: ["allocation", project.id, by, period, timeZone],
    queryFn: () => ProjectService.getCostAllocation(project.id, by, period.start, period.end, timeZone),
    placeholderData: keepPreviousData,
  });
  return (
    <div className="grid grid-cols-1 gap-3">
      <Segments
        label="Charged to"
        value={by}
        onChange={setBy}
        choices={CUTS.map((value) => ({ value, name: DIMENSIONS[value].one }))}
        className="justify-self-start"
      />
      <Loaded query={allocation} skeleton="h-72">
        {({ totalCost, groups, groupBy }) => (
          <>
            <p className="mb-3 text-muted">
              <span className="nums font-semibold text-ink">{formatMoney(totalCost)}</span> in {name.toLowerCase()}
              {groupBy === "tag" && "; a call with several tags is in each of them"}.
            </p>
            {groups.length > 0 && (
              <SliceTable
                name={DIMENSIONS[groupBy].one}
                slices={groups}
                nameOf={(slice) => (
                  <Link
                    to="/explorer"
                    search={{ ...link, project: [project.id], [groupBy]: [slice.name] }}
                    className="rounded hover:underline"
                  >
                    {slice.name === NONE ? "nobody" : slice.name}
                  </Link>
                )}
              />
            )}
          </>
        )}
      </Loaded>
    </div>
  );
}
