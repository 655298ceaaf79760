import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { SliceTable } from "@/components/slice-table";
import { Loaded } from "@/components/ui/loaded";
import { Segments } from "@/components/ui/tabs";
import { DIMENSIONS } from "@/lib/dimensions";
import { formatMoney } from "@/lib/money";
import { type Project, ProjectService } from "@/services/project.service";
import { useLastDays } from "./project-costs";

const CUTS = ["department", "team", "purpose", "client", "campaign", "tag"] as const;
type Cut = (typeof CUTS)[number];

/** Whom a project's costs are charged to; what nobody is charged for is said too. */
export function ProjectAllocation({ project }: { project: Project }) {
  const [by, setBy] = useState<Cut>("team");
  const { period, timeZone } = useLastDays();
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
              <span className="nums font-semibold text-ink">{formatMoney(totalCost)}</span> in the last 30 days
              {groupBy === "tag" && "; a call with several tags is in each of them"}.
            </p>
            {groups.length > 0 && (
              <SliceTable
                name={DIMENSIONS[groupBy].one}
                slices={groups}
                nameOf={(slice) => (
                  <Link
                    to="/explorer"
                    search={{ range: "30d", project: [project.id], [groupBy]: [slice.name] }}
                    className="rounded hover:underline"
                  >
                    {slice.name === "(none)" ? "nobody" : slice.name}
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
