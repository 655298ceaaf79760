import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Gauge } from "lucide-react";
import { BudgetBar } from "@/components/budget-bar";
import { Button, buttonClasses } from "@/components/ui/button";
import { Loaded } from "@/components/ui/loaded";
import { Empty } from "@/components/ui/states";
import { AlertHistory } from "@/features/budgets/alert-history";
import { Facts } from "@/features/budgets/facts";
import { budgetStatus } from "@/features/budgets/queries";
import { thresholdsOf } from "@/lib/budget";
import type { Project } from "@/services/project.service";

/** How a project's budget stands, and who was told. */
export function ProjectBudget({ project, onTab }: { project: Project; onTab: (tab: string) => void }) {
  if (!project.budget) return <NoBudget project={project} onTab={onTab} />;
  return <Standing project={project} />;
}

function NoBudget({ project, onTab }: { project: Project; onTab: (tab: string) => void }) {
  const mayChange = project.role === "owner" || project.role === "admin";
  return (
    <Empty icon={<Gauge />} title="No budget">
      <p>A budget says what the project may spend, and who is told on the way.</p>
      {mayChange && (
        <Button className="mt-3" onClick={() => onTab("settings")}>
          Give it a budget
        </Button>
      )}
    </Empty>
  );
}

function Standing({ project }: { project: Project }) {
  const status = useQuery(budgetStatus(project.id));
  return (
    <Loaded query={status} skeleton="h-80">
      {(known) => (
        <div className="grid grid-cols-1 gap-4">
          <BudgetBar
            used={known.utilization / 100}
            pace={known.pace ? known.pace.elapsed / 100 : undefined}
            thresholds={thresholdsOf(known.budget)}
          />
          <Facts status={known} />
          <AlertHistory status={known} />
          <Link
            to="/budgets/$budgetId"
            params={{ budgetId: project.id }}
            className={`${buttonClasses()} justify-self-start`}
          >
            Burn-down and increases
          </Link>
        </div>
      )}
    </Loaded>
  );
}
