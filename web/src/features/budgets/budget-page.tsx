import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Pencil } from "lucide-react";
import { project } from "@/api/queries";
import { currentSession } from "@/api/session";
import { isAdministrator } from "@/app/places";
import { Button, buttonClasses } from "@/components/ui/button";
import { PageHead } from "@/components/ui/card";
import { Loaded } from "@/components/ui/loaded";
import { FailureNotice } from "@/components/ui/states";
import { lastDayOf } from "@/lib/budget";
import { formatDay, today } from "@/lib/days";
import { formatMoney, nanosOf } from "@/lib/money";
import { AlertHistory } from "./alert-history";
import { AlertPreview } from "./alert-preview";
import { BudgetDialog } from "./budget-dialog";
import { BurnDownCard } from "./burn-down-card";
import { Facts } from "./facts";
import { IncreasesCard } from "./increases-card";
import { type BudgetStatus, budgetStatus, filtersOf, scopeText, zoneOf } from "./queries";
import { ScopedBudgetDialog } from "./scoped-budget-dialog";

const route = getRouteApi("/budgets/$budgetId");

/** One budget: how it burns down, who was told, and what was the answer. */
export function BudgetPage() {
  const { budgetId } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const status = useQuery(budgetStatus(budgetId));
  const projectId = status.data?.projectId ?? undefined;
  const owner = useQuery({ ...project(projectId ?? ""), enabled: Boolean(projectId) });
  const mayChange = useMayChange(status.data, owner.data?.role);
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: (old) => ({ ...old, ...next }), resetScroll: false });
  if (status.error && !status.data)
    return <FailureNotice failure={status.error} onRetry={() => void status.refetch()} />;
  return (
    <>
      <nav aria-label="Where you are" className="mb-1 text-[13px]">
        <Link to="/budgets" className="rounded text-accent-text hover:underline">
          Budgets
        </Link>
        <span className="text-muted"> /</span>
      </nav>
      <PageHead title={status.data ? status.data.name : "Budget"} hint={status.data && <Period status={status.data} />}>
        {mayChange && (
          <Button onClick={() => change({ edit: "yes" })}>
            <Pencil />
            Change
          </Button>
        )}
        {status.data && <ExploreLink status={status.data} />}
      </PageHead>
      <Loaded query={status} skeleton="h-[32rem]">
        {(known) => (
          <div className="grid grid-cols-1 gap-4">
            <Facts status={known} />
            <BurnDownCard
              status={known}
              table={search.show === "table"}
              onTable={(table) => change({ show: table ? "table" : undefined })}
            />
            <div className="grid grid-cols-1 gap-4 xl:grid-cols-5">
              <AlertHistory status={known} className="xl:col-span-3" />
              <AlertPreview status={known} className="xl:col-span-2" />
            </div>
            <IncreasesCard status={known} mayChange={mayChange} />
          </div>
        )}
      </Loaded>
      {search.edit && status.data && !projectId && (
        <ScopedBudgetDialog
          kept={status.data}
          onClose={() => change({ edit: undefined })}
          onRemoved={() => void navigate({ to: "/budgets" })}
        />
      )}
      {search.edit && owner.data && (
        <BudgetDialog
          project={owner.data}
          onClose={() => change({ edit: undefined })}
          onRemoved={() => void navigate({ to: "/budgets" })}
        />
      )}
    </>
  );
}

/** Administrators change every budget, a project's own administrators theirs, and whoever has a key the key's. */
function useMayChange(status: BudgetStatus | undefined, role: string | undefined): boolean {
  const session = currentSession();
  if (!status) return false;
  if (status.projectId) return role === "owner" || role === "admin";
  return status.scope.type === "key" || (session.state === "in" && isAdministrator(session.user));
}

/** All that may be spent, in the budget's own currency too, with what it is made of. */
function amountText({ limit }: BudgetStatus): string {
  const { conversion, increased, carriedOver, total } = limit;
  const parts = [
    conversion
      ? `${conversion.currency} ${conversion.amount} (${formatMoney(total)} at the rate of ${formatDay(conversion.rateDate, { day: "numeric", month: "short", year: "numeric" })})`
      : formatMoney(total),
    nanosOf(increased) > 0n && `${formatMoney(increased)} of it granted on top`,
    nanosOf(carriedOver) > 0n && `${formatMoney(carriedOver)} of it carried over`,
  ];
  return parts.filter(Boolean).join(", ");
}

function Period({ status }: { status: BudgetStatus }) {
  const { budget, periodStart, periodEnd } = status;
  const zone = zoneOf(status);
  const from = formatDay(today(new Date(periodStart), zone));
  return (
    <>
      {amountText(status)}, {budget.period}, {scopeText(status.scope)},{" "}
      {periodEnd ? `${from} – ${formatDay(lastDayOf(periodEnd, zone))}` : `since ${from}`} ({zone}).{" "}
      {budget.enforcement === "block"
        ? "Calls through the gateway are refused when it is used up."
        : "Calls go on when it is used up."}
    </>
  );
}

function ExploreLink({ status }: { status: BudgetStatus }) {
  const zone = zoneOf(status);
  return (
    <Link
      to="/explorer"
      search={{
        from: today(new Date(status.periodStart), zone),
        to: today(new Date(), zone),
        tz: zone,
        ...filtersOf(status.scope),
      }}
      className={buttonClasses()}
    >
      Explore its costs
    </Link>
  );
}
