import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Analytics, Bucket } from "@/api/queries";
import { useTheme } from "@/app/theme";
import { Legend } from "@/components/charts/legend";
import { StackedTimeChart } from "@/components/charts/stacked-time";
import { TimeTable } from "@/components/charts/time-table";
import { Button, buttonClasses } from "@/components/ui/button";
import { Loaded } from "@/components/ui/loaded";
import { Segments } from "@/components/ui/tabs";
import { pointNames } from "@/lib/axis";
import { DIMENSIONS } from "@/lib/dimensions";
import { formatAbout, formatAxis } from "@/lib/money";
import { bucketOf, isRunning } from "@/lib/period";
import { layersOf } from "@/lib/series";
import type { Project } from "@/services/project.service";
import { useProjectCosts, useProjectDays } from "./project-costs";
import { useProjectCut, useProjectTable } from "./project-cut";

const CUTS = ["model", "service", "team", "user"] as const;
type Cut = (typeof CUTS)[number];

/** What a project cost day by day, and on what. */
export function ProjectAnalytics({ project }: { project: Project }) {
  const [by, setBy] = useProjectCut(CUTS, "model");
  const [table, setTable] = useProjectTable();
  const { period, link } = useProjectDays();
  const costs = useProjectCosts(project, { by: [by], bucket: bucketOf(period) });
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
        <Link
          to="/explorer"
          search={{ ...link, project: [project.id], by }}
          className={buttonClasses("plain", "small")}
        >
          Explore
        </Link>
      </div>
      <Loaded query={costs} skeleton="h-80">
        {(answer) => (
          <Days answer={answer} by={by} table={table} runs={isRunning(period, new Date(), answer.period.timeZone)} />
        )}
      </Loaded>
    </div>
  );
}

function Days({ answer, by, table, runs }: { answer: Analytics; by: Cut; table: boolean; runs: boolean }) {
  const theme = useTheme();
  const layers = useMemo(() => layersOf(answer, [by], "cost", theme), [answer, by, theme]);
  const names = useMemo(
    () => pointNames(answer.timeline, answer.period.bucket as Bucket, answer.period.timeZone),
    [answer],
  );
  const label = `Cost by ${answer.period.bucket} and ${DIMENSIONS[by].one.toLowerCase()}`;
  if (answer.summary.totalRequests === 0)
    return <p className="text-muted">No call named this project in these days.</p>;
  if (table) return <TimeTable titles={names.titles} series={layers} format={formatAbout} label={label} />;
  return (
    <>
      <StackedTimeChart
        kind="bar"
        label={`${label}; the same figures are in the table`}
        points={names.points}
        titles={names.titles}
        series={layers}
        unfinished={runs ? answer.timeline.length - 1 : undefined}
        format={formatAbout}
        formatAxis={formatAxis}
      />
      <Legend series={layers} />
    </>
  );
}
