import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { analytics } from "@/api/queries";
import { useTimeZone } from "@/app/preferences";
import { BudgetBar } from "@/components/budget-bar";
import { Sparkline } from "@/components/charts/sparkline";
import { ProjectIdGuide } from "@/components/integration";
import { RecordsGone } from "@/components/records-gone";
import { buttonClasses } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { FailureNotice, Skeleton } from "@/components/ui/states";
import { Tabs } from "@/components/ui/tabs";
import { knownCost } from "@/features/overview/top-lists";
import { addDays, today } from "@/lib/days";
import { formatMoney, numberOf } from "@/lib/money";
import { formatCount, formatMs, formatShare } from "@/lib/numbers";
import type { Project } from "@/services/project.service";
import { Members } from "./members";
import { ProjectForm } from "./project-form";

const DAYS = 30;

/** A project: its figures, its members, its settings, and how to record for it. */
export function ViewProjectModal({
  project,
  tab,
  onTab,
  onClose,
}: {
  project: Project;
  tab: string;
  onTab: (tab: string) => void;
  onClose: () => void;
}) {
  const mayChange = project.role === "owner" || project.role === "admin";
  const tabs = [
    { id: "costs", name: "Costs", content: () => <Costs project={project} /> },
    { id: "members", name: "Members", content: () => <Members project={project} mayChange={mayChange} /> },
    { id: "guide", name: "Project id", content: () => <ProjectIdGuide projectId={project.id} /> },
    ...(mayChange
      ? [{ id: "settings", name: "Settings", content: () => <ProjectForm project={project} onDone={onClose} /> }]
      : []),
  ];
  return (
    <Dialog open onClose={onClose} shape="large" title={project.name} description={project.description}>
      <Tabs
        label="Parts of the project"
        tabs={tabs}
        value={tabs.some(({ id }) => id === tab) ? tab : "costs"}
        onChange={onTab}
      />
    </Dialog>
  );
}

function Costs({ project }: { project: Project }) {
  const timeZone = useTimeZone();
  const end = today(new Date(), timeZone);
  const period = { start: addDays(end, 1 - DAYS), end };
  const answer = useQuery(analytics({ period, timeZone, filters: { project: [project.id] } }));
  if (answer.error && !answer.data)
    return <FailureNotice failure={answer.error} onRetry={() => void answer.refetch()} />;
  if (!answer.data || answer.isPlaceholderData) return <Skeleton className="h-72" />;
  const { summary, timeline, breakdown } = answer.data;
  const link = { range: "30d" as const, project: [project.id] };
  const facts = [
    ["Last 30 days", formatMoney(summary.totalCost)],
    ["Requests", formatCount(summary.totalRequests)],
    ["Per request", summary.averageCostPerRequest ? formatMoney(summary.averageCostPerRequest) : "–"],
    ["Median duration", formatMs(summary.latency.p50)],
  ];
  return (
    <div className="grid grid-cols-1 gap-5">
      <RecordsGone period={answer.data.period} />
      <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border bg-line sm:grid-cols-4">
        {facts.map(([name, value]) => (
          <div key={name} className="bg-surface px-3 py-2">
            <dt className="text-xs text-muted">{name}</dt>
            <dd className="nums text-lg font-semibold">{value}</dd>
          </div>
        ))}
      </dl>
      {project.budget && (
        <div>
          <p className="nums mb-1.5 text-[13px] text-muted">
            {formatMoney(project.spending.totalCost)} of {formatMoney(project.budget.amount)} ({project.budget.period},{" "}
            {formatShare((project.spending.budgetUtilization ?? 0) / 100)})
          </p>
          <BudgetBar used={(project.spending.budgetUtilization ?? 0) / 100} />
        </div>
      )}
      <Sparkline values={timeline.map(({ cost }) => numberOf(cost))} />
      <table className="nums w-full text-[13px]">
        <thead>
          <tr className="text-xs text-muted">
            <th scope="col" className="pb-1 text-left font-medium">
              Model
            </th>
            <th scope="col" className="pb-1 text-right font-medium">
              Requests
            </th>
            <th scope="col" className="pb-1 text-right font-medium">
              Cost
            </th>
          </tr>
        </thead>
        <tbody>
          {breakdown.models.map((slice) => (
            <tr key={slice.name} className="border-t">
              <th scope="row" className="py-1.5 text-left font-normal">
                {slice.name}
              </th>
              <td className="py-1.5 text-right">{formatCount(slice.requests)}</td>
              <td className="py-1.5 text-right">{knownCost(slice)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className="flex flex-wrap gap-2">
        <Link to="/explorer" search={link} className={buttonClasses()}>
          Explore its costs
        </Link>
        <Link to="/records" search={link} className={buttonClasses()}>
          Its records
        </Link>
      </div>
    </div>
  );
}
