import { Link } from "@tanstack/react-router";
import { BudgetBar } from "@/components/budget-bar";
import { Badge } from "@/components/ui/states";
import { paceOf, thresholdsOf } from "@/lib/budget";
import { formatMoney } from "@/lib/money";
import { counted, formatCompact } from "@/lib/numbers";
import type { Project } from "@/services/project.service";

/** A project with what it has spent. */
export function ProjectCard({ project }: { project: Project }) {
  const { spending, budget } = project;
  const used = (spending.budgetUtilization ?? 0) / 100;
  return (
    <article className="relative flex min-h-44 min-w-0 flex-col rounded-xl border bg-surface p-4 hover:border-line-strong">
      <h2 className="flex items-center gap-2 text-[15px] font-semibold">
        <Link
          to="/projects"
          search={(old: { search?: string | undefined }) => ({ search: old.search, project: project.id })}
          className="min-w-0 flex-1 truncate after:absolute after:inset-0 after:rounded-xl focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-accent"
        >
          {project.name}
        </Link>
        {!project.isActive && <Badge>closed</Badge>}
        {used > 1 && <Badge tone="bad">over budget</Badge>}
      </h2>
      <p className="line-clamp-2 text-[13px] text-muted">{project.description || "No description."}</p>
      <p className="nums mt-3 text-xl font-semibold tracking-tight">{formatMoney(spending.totalCost)}</p>
      <p className="nums text-[13px] text-muted">
        {budget ? `of ${formatMoney(budget.amount)}, ${budget.period}` : "this month, without a budget"} ·{" "}
        {formatCompact(spending.totalRequests)} requests
        {spending.unpricedRequests > 0 && (
          <span className="text-warn"> · {counted(spending.unpricedRequests, "call")} without a price</span>
        )}
      </p>
      {budget && (
        <div className="mt-auto pt-3">
          <BudgetBar
            used={used}
            pace={paceOf(spending.periodStart, spending.periodEnd, new Date())}
            thresholds={thresholdsOf(budget)}
          />
        </div>
      )}
    </article>
  );
}
