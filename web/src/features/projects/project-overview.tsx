import { Link } from "@tanstack/react-router";
import { BudgetBar } from "@/components/budget-bar";
import { Sparkline } from "@/components/charts/sparkline";
import { FactGrid } from "@/components/fact-grid";
import { RecordsGone } from "@/components/records-gone";
import { SliceTable } from "@/components/slice-table";
import { buttonClasses } from "@/components/ui/button";
import { Loaded } from "@/components/ui/loaded";
import { Badge } from "@/components/ui/states";
import { thresholdsOf } from "@/lib/budget";
import { formatMoney, numberOf } from "@/lib/money";
import { formatCompact, formatCount, formatMs, formatRate, formatShare } from "@/lib/numbers";
import type { Project } from "@/services/project.service";
import { useProjectCosts, useProjectDays } from "./project-costs";

/** How a project stands: what it cost, how much of its budget is used, and by which models. */
export function ProjectOverview({ project }: { project: Project }) {
  const costs = useProjectCosts(project);
  const days = useProjectDays();
  const link = { ...days.link, project: [project.id] };
  return (
    <Loaded query={costs} skeleton="h-96">
      {({ period, summary, timeline, breakdown, trends }) => (
        <div className="grid grid-cols-1 gap-5">
          <RecordsGone period={period} />
          <FactGrid
            className="grid-cols-2 sm:grid-cols-5 [&>:last-child]:max-sm:col-span-2"
            facts={[
              {
                name: days.name,
                value: formatMoney(summary.totalCost),
                note:
                  trends.changePercentage == null
                    ? "nothing before"
                    : `${formatRate(trends.changePercentage / 100)} vs the days before`,
              },
              { name: "Requests", value: formatCount(summary.totalRequests) },
              { name: "Tokens", value: formatCompact(summary.totalTokens), title: formatCount(summary.totalTokens) },
              {
                name: "Per request",
                value: summary.averageCostPerRequest ? formatMoney(summary.averageCostPerRequest) : "–",
              },
              { name: "Median duration", value: formatMs(summary.latency.p50) },
            ]}
          />
          {project.budget && (
            <div>
              <p className="nums mb-1.5 text-[13px] text-muted">
                {formatMoney(project.spending.totalCost)} of {formatMoney(project.budget.amount)} (
                {project.budget.period}, {formatShare((project.spending.budgetUtilization ?? 0) / 100)})
              </p>
              <BudgetBar
                used={(project.spending.budgetUtilization ?? 0) / 100}
                thresholds={thresholdsOf(project.budget)}
              />
            </div>
          )}
          <Sparkline values={timeline.map(({ cost }) => numberOf(cost))} />
          {project.tags.length > 0 && (
            <div className="flex flex-wrap gap-1.5">
              {project.tags.map((tag) => (
                <Badge key={tag}>{tag}</Badge>
              ))}
            </div>
          )}
          {breakdown.models.length > 0 ? (
            <SliceTable name="Model" slices={breakdown.models} />
          ) : (
            <p className="text-muted">No call named this project in these days.</p>
          )}
          <div className="flex flex-wrap gap-2">
            <Link to="/explorer" search={link} className={buttonClasses()}>
              Explore its costs
            </Link>
            <Link to="/records" search={link} className={buttonClasses()}>
              Its records
            </Link>
          </div>
        </div>
      )}
    </Loaded>
  );
}
