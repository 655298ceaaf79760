import { useMemo, useState } from "react";
import type { Analytics, Bucket } from "@/api/queries";
import { useTheme } from "@/app/theme";
import { Legend } from "@/components/charts/legend";
import { StackedTimeChart } from "@/components/charts/stacked-time";
import { TimeTable } from "@/components/charts/time-table";
import { Button } from "@/components/ui/button";
import { Loaded } from "@/components/ui/loaded";
import { Segments } from "@/components/ui/tabs";
import { pointNames } from "@/lib/axis";
import { DIMENSIONS } from "@/lib/dimensions";
import { formatAbout, formatAxis } from "@/lib/money";
import { layersOf } from "@/lib/series";
import type { Project } from "@/services/project.service";
import { useProjectCosts } from "./project-costs";

const CUTS = ["model", "service", "team", "user"] as const;
type Cut = (typeof CUTS)[number];

/** What a project cost day by day, and on what. */
export function ProjectAnalytics({ project }: { project: Project }) {
  const [by, setBy] = useState<Cut>("model");
  const [table, setTable] = useState(false);
  const costs = useProjectCosts(project, { by: [by], bucket: "day" });
  return (
    <div className="grid grid-cols-1 gap-3">
      <div className="flex flex-wrap items-center gap-2">
        <Segments
          label="Broken down by"
          value={by}
          onChange={setBy}
          choices={CUTS.map((value) => ({ value, name: DIMENSIONS[value].one }))}
        />
        <Button size="small" className="h-8" aria-pressed={table} onClick={() => setTable(!table)}>
          {table ? "Chart" : "Table"}
        </Button>
      </div>
      <Loaded query={costs} skeleton="h-80">
        {(answer) => <Days answer={answer} by={by} table={table} />}
      </Loaded>
    </div>
  );
}

function Days({ answer, by, table }: { answer: Analytics; by: Cut; table: boolean }) {
  const theme = useTheme();
  const layers = useMemo(() => layersOf(answer, [by], "cost", theme), [answer, by, theme]);
  const names = useMemo(
    () => pointNames(answer.timeline, answer.period.bucket as Bucket, answer.period.timeZone),
    [answer],
  );
  const label = `Cost by day and ${DIMENSIONS[by].one.toLowerCase()}`;
  if (answer.summary.totalRequests === 0)
    return <p className="text-muted">No call named this project in the last 30 days.</p>;
  if (table) return <TimeTable titles={names.titles} series={layers} format={formatAbout} label={label} />;
  return (
    <>
      <StackedTimeChart
        kind="bar"
        label={`${label}; the same figures are in the table`}
        points={names.points}
        titles={names.titles}
        series={layers}
        unfinished={answer.timeline.length - 1}
        format={formatAbout}
        formatAxis={formatAxis}
      />
      <Legend series={layers} />
    </>
  );
}
