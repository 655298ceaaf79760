import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck } from "lucide-react";
import { BudgetBar } from "@/components/budget-bar";
import { Card, CardHead } from "@/components/ui/card";
import { Loaded } from "@/components/ui/loaded";
import { type BudgetStatus, type BudgetView, budgetStatus, budgets } from "@/features/budgets/queries";
import { paceOf, standingOf, thresholdsOf } from "@/lib/budget";
import { formatDay, today } from "@/lib/days";
import { formatMoney, sumOf } from "@/lib/money";

const SHOWN = 4;

const limitOf = ({ budget, spending }: BudgetView) =>
  spending.remaining == null ? budget.amount : sumOf([spending.totalCost, spending.remaining]);
const usedOf = ({ spending }: BudgetView) => (spending.budgetUtilization ?? 0) / 100;
const paceOfBudget = ({ spending }: BudgetView) => paceOf(spending.periodStart, spending.periodEnd, new Date());

/** Budgets that need a look: when they run out, and who was told. */
export function BudgetsAtRisk() {
  const known = useQuery(budgets());
  return (
    <Card>
      <CardHead title="Budgets at risk" hint="Used up, past their last threshold, or faster than the time.">
        <Link to="/budgets" className="text-[13px] font-medium text-accent-text hover:underline">
          All budgets
        </Link>
      </CardHead>
      <Loaded query={known} skeleton="h-32" className="px-4 pb-4 sm:px-5">
        {(all) => (
          <List
            views={all
              .filter((view) => standingOf(usedOf(view), paceOfBudget(view), thresholdsOf(view.budget)) !== "fine")
              .sort((one, other) => usedOf(other) - usedOf(one))
              .slice(0, SHOWN)}
          />
        )}
      </Loaded>
    </Card>
  );
}

function List({ views }: { views: BudgetView[] }) {
  const states = useQueries({ queries: views.map((view) => budgetStatus(view.id)) });
  if (views.length === 0) {
    return (
      <p className="flex items-center gap-2 text-muted">
        <CircleCheck className="size-5 text-good" />
        Every budget is on course.
      </p>
    );
  }
  return (
    <ul className="grid gap-3">
      {views.map((view, index) => (
        <li key={view.id}>
          <p className="nums mb-1.5 flex items-baseline justify-between gap-3">
            <Link
              to="/budgets/$budgetId"
              params={{ budgetId: view.id }}
              className="min-w-0 truncate rounded font-medium hover:underline"
            >
              {view.name}
            </Link>
            <span className="whitespace-nowrap text-[13px] text-muted">
              {formatMoney(view.spending.totalCost)} of {formatMoney(limitOf(view))}
            </span>
          </p>
          <BudgetBar used={usedOf(view)} pace={paceOfBudget(view)} thresholds={thresholdsOf(view.budget)} />
          <p className="mt-1 min-h-4 text-xs text-muted">{sentenceOf(states[index]?.data)}</p>
        </li>
      ))}
    </ul>
  );
}

/** When it runs out, and who was told of the last threshold. */
function sentenceOf(status: BudgetStatus | undefined): string {
  if (!status) return "";
  const day = (at: string) => formatDay(today(new Date(at), status.budget.timeZone ?? "UTC"));
  const end = status.exceededAt
    ? `Used up on ${day(status.exceededAt)}`
    : status.projectedExhaustionAt
      ? `Runs out on ${day(status.projectedExhaustionAt)}`
      : "Lasts to its end as things are";
  const last = [...status.alerts]
    .filter(({ firedAt }) => firedAt)
    .sort((one, other) => other.threshold - one.threshold)[0];
  if (!last?.firedAt) return `${end}; nobody was told yet.`;
  const told = last.deliveries.map(({ to, state }) => `${to} (${state.replaceAll("_", " ")})`).join(", ");
  return `${end}. At ${last.threshold} % on ${day(last.firedAt)} ${told || "members were told on their lists"}.`;
}
