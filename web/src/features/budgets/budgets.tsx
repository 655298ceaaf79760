import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus, ShieldBan } from "lucide-react";
import { BudgetBar } from "@/components/budget-bar";
import { Button, buttonClasses } from "@/components/ui/button";
import { Card, PageHead } from "@/components/ui/card";
import { Input, Select } from "@/components/ui/field";
import { Loaded } from "@/components/ui/loaded";
import { Badge, Empty } from "@/components/ui/states";
import { lastDayOf, paceOf, type Standing, standingOf, thresholdsOf } from "@/lib/budget";
import { formatDay } from "@/lib/days";
import { formatMoney, nanosOf, sumOf } from "@/lib/money";
import { counted, formatShare } from "@/lib/numbers";
import { type BudgetView, budgets, scopeText } from "./queries";
import { ScopedBudgetDialog } from "./scoped-budget-dialog";

const route = getRouteApi("/budgets");

/** All that may be spent now, in US dollars: increases, what was carried over and exchange rates are in it. */
const limitOf = ({ budget, spending }: BudgetView) =>
  spending.remaining == null ? budget.amount : sumOf([spending.totalCost, spending.remaining]);
const usedOf = ({ spending }: BudgetView) => (spending.budgetUtilization ?? 0) / 100;
const paceOfBudget = ({ spending }: BudgetView, now: Date) => paceOf(spending.periodStart, spending.periodEnd, now);
const standing = (view: BudgetView, now: Date): Standing =>
  standingOf(usedOf(view), paceOfBudget(view, now), thresholdsOf(view.budget));

const ORDERS = {
  used: (one: BudgetView, other: BudgetView) => usedOf(other) - usedOf(one),
  amount: (one: BudgetView, other: BudgetView) => Number(nanosOf(limitOf(other)) - nanosOf(limitOf(one))),
  name: (one: BudgetView, other: BudgetView) => one.name.localeCompare(other.name),
};

/** Every budget with how much of it is used, the fullest first. */
export function Budgets() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const known = useQuery(budgets());
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: (old) => ({ ...old, ...next }), replace: true, resetScroll: false });
  return (
    <>
      <PageHead
        title="Budgets"
        hint="What may be spent, and how fast it goes. The upright mark is how much of the period is over."
      >
        <Input
          type="search"
          data-page-search
          aria-label="Find a budget"
          placeholder="Find a budget"
          className="w-44"
          value={search.search ?? ""}
          onChange={(event) => change({ search: event.target.value || undefined })}
        />
        <Select
          aria-label="Order"
          className="w-auto"
          value={search.sort ?? "used"}
          onChange={(event) =>
            change({ sort: event.target.value === "used" ? undefined : (event.target.value as "name") })
          }
        >
          <option value="used">Fullest first</option>
          <option value="amount">Largest first</option>
          <option value="name">By name</option>
        </Select>
        <Button look="primary" onClick={() => change({ new: "yes" })}>
          <Plus />
          New budget
        </Button>
      </PageHead>
      <Loaded query={known} skeleton="h-96">
        {(all) => <List all={all} words={search.search ?? ""} order={ORDERS[search.sort ?? "used"]} />}
      </Loaded>
      {search.new && <ScopedBudgetDialog onClose={() => change({ new: undefined })} />}
    </>
  );
}

function List({ all, words, order }: { all: BudgetView[]; words: string; order: (typeof ORDERS)["used"] }) {
  const now = new Date();
  if (all.length === 0) {
    return (
      <Card>
        <Empty title="No budget yet">
          <p>
            A budget says what a project may spend, and who is told on the way. It is made in the project's settings.
          </p>
          <Link to="/projects" className={`${buttonClasses()} mt-3`}>
            To the projects
          </Link>
        </Empty>
      </Card>
    );
  }
  const shown = all.filter((view) => view.name.toLowerCase().includes(words.trim().toLowerCase())).sort(order);
  return (
    <div className="grid grid-cols-1 gap-4">
      <Facts all={all} now={now} />
      <Card>
        {shown.length === 0 && <Empty title="No budget of that name" />}
        <ul className="divide-y">
          {shown.map((view) => (
            <BudgetRow key={view.id} view={view} now={now} />
          ))}
        </ul>
      </Card>
    </div>
  );
}

function Facts({ all, now }: { all: BudgetView[]; now: Date }) {
  const count = (wanted: Standing) => all.filter((view) => standing(view, now) === wanted).length;
  const facts = [
    { name: "Budgets", value: all.length, tone: "" },
    { name: "Used up", value: count("over"), tone: "text-bad" },
    { name: "Past the last threshold", value: count("near"), tone: "text-warn" },
    { name: "Ahead of the time", value: count("ahead"), tone: "text-warn" },
  ];
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-xl border bg-line sm:grid-cols-4">
      {facts.map(({ name, value, tone }) => (
        <div key={name} className="bg-surface px-4 py-3">
          <dt className="text-[13px] text-muted">{name}</dt>
          <dd className={`nums text-xl font-semibold ${value > 0 ? tone : ""}`}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function BudgetRow({ view, now }: { view: BudgetView; now: Date }) {
  const { budget, spending } = view;
  const remaining = spending.remaining;
  const over = remaining != null && nanosOf(remaining) < 0n;
  return (
    <li className="relative grid gap-x-6 gap-y-2 px-4 py-3.5 hover:bg-sunken sm:px-5 md:grid-cols-[minmax(0,1.2fr)_minmax(0,2fr)_11rem] md:items-center">
      <div className="min-w-0">
        <p className="flex items-center gap-2">
          <Link
            to="/budgets/$budgetId"
            params={{ budgetId: view.id }}
            className="truncate font-medium after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
          >
            {view.name}
          </Link>
          {budget.enforcement === "block" && (
            <Badge title="Calls through the gateway are refused when it is used up">
              <ShieldBan className="size-3" />
              blocks
            </Badge>
          )}
        </p>
        <p className="truncate text-[13px] text-muted">
          {scopeText(view.scope)}, {budget.period}
          {spending.periodEnd && `, until ${formatDay(lastDayOf(spending.periodEnd, budget.timeZone ?? "UTC"))}`}
        </p>
      </div>
      <div className="min-w-0">
        <p className="nums mb-1.5 flex justify-between gap-3 text-[13px]">
          <span>
            <span className="font-medium">{formatMoney(spending.totalCost)}</span>{" "}
            <span className="text-muted">of {formatMoney(limitOf(view))}</span>
          </span>
          <span className="font-medium">{formatShare(usedOf(view))}</span>
        </p>
        <BudgetBar used={usedOf(view)} pace={paceOfBudget(view, now)} thresholds={thresholdsOf(view.budget)} />
      </div>
      <p className="nums text-[13px] md:text-right">
        {remaining != null && (
          <span className={over ? "font-medium text-bad" : ""}>
            {over ? `${formatMoney(remaining).replace("−", "")} over` : `${formatMoney(remaining)} left`}
          </span>
        )}
        {spending.unpricedRequests > 0 && (
          <span className="block text-warn">{counted(spending.unpricedRequests, "call")} without a price</span>
        )}
      </p>
    </li>
  );
}
