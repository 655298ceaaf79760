import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Pencil } from "lucide-react";
import { useMemo } from "react";
import { analytics, project } from "@/api/queries";
import { currentSession } from "@/api/session";
import { isAdministrator } from "@/app/places";
import { Button, buttonClasses } from "@/components/ui/button";
import { Card, CardHead, PageHead } from "@/components/ui/card";
import { Loaded } from "@/components/ui/loaded";
import { FailureNotice, Skeleton } from "@/components/ui/states";
import { Cell, Row, RowHead, Table } from "@/components/ui/table";
import { type BurnDown, burnDown, lastDayOf, STANDINGS, standingOf } from "@/lib/budget";
import { formatDay, formatInstant, today } from "@/lib/days";
import { formatAbout, formatMoney, nanosOf, numberOf } from "@/lib/money";
import { formatShare } from "@/lib/numbers";
import { AlertHistory } from "./alert-history";
import { AlertPreview } from "./alert-preview";
import { BudgetDialog } from "./budget-dialog";
import { BurnDownChart } from "./burn-down-chart";
import { IncreasesCard } from "./increases-card";
import { type BudgetStatus, budgetStatus, filtersOf, scopeText } from "./queries";
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

const zoneOf = ({ budget }: BudgetStatus) => budget.timeZone ?? "UTC";

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

function Facts({ status }: { status: BudgetStatus }) {
  const { spent, reserved, remaining, utilization, pace, forecast, exceededAt, projectedExhaustionAt, budget, limit } =
    status;
  const used = utilization / 100;
  const thresholds = (budget.alerts ?? []).map(({ threshold }) => threshold);
  const standing = standingOf(used, pace ? pace.elapsed / 100 : undefined, thresholds);
  const over = nanosOf(remaining) < 0n;
  const zone = zoneOf(status);
  const facts = [
    {
      name: "Spent",
      value: formatMoney(spent),
      note:
        nanosOf(reserved) > 0n
          ? `and ${formatMoney(reserved)} reserved by calls under way`
          : `${formatShare(used)}, ${STANDINGS[standing]}`,
    },
    {
      name: over ? "Overrun" : "Left",
      value: formatMoney(remaining).replace("−", ""),
      note: pace ? `${formatShare(pace.elapsed / 100)} of the period is over` : "no end of the period",
      bad: over,
    },
    {
      name: "Against even spending",
      value: pace ? `${nanosOf(pace.ahead) > 0n ? "+" : ""}${formatMoney(pace.ahead)}` : "–",
      note: pace ? `${formatMoney(pace.evenSpending)} would be even` : "",
    },
    {
      name: "Expected at the end",
      value: forecast ? formatMoney(forecast.expected) : "–",
      note: forecast ? `likely ${formatMoney(forecast.low)} to ${formatMoney(forecast.high)}` : "after a week of calls",
      bad: forecast ? nanosOf(forecast.expected) > nanosOf(limit.total) : false,
    },
    {
      name: exceededAt ? "Used up" : "Runs out",
      value: exceededAt
        ? formatDay(today(new Date(exceededAt), zone))
        : projectedExhaustionAt
          ? formatDay(today(new Date(projectedExhaustionAt), zone))
          : "not in this period",
      note: exceededAt ? formatInstant(exceededAt, zone) : "if spending goes on as it is",
      bad: Boolean(exceededAt ?? projectedExhaustionAt),
    },
  ];
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-xl border bg-line lg:grid-cols-5">
      {facts.map(({ name, value, note, bad }) => (
        <div key={name} className="bg-surface px-4 py-3 last:col-span-2 lg:last:col-span-1">
          <dt className="text-[13px] text-muted">{name}</dt>
          <dd className={`nums text-xl font-semibold tracking-tight ${bad ? "text-bad" : ""}`}>{value}</dd>
          <dd className="nums text-[13px] text-muted">{note}</dd>
        </div>
      ))}
    </dl>
  );
}

type BurnDownProps = { status: BudgetStatus; table: boolean; onTable: (table: boolean) => void };

function BurnDownCard({ status, table, onTable }: BurnDownProps) {
  const zone = zoneOf(status);
  const period = { start: today(new Date(status.periodStart), zone), end: today(new Date(), zone) };
  const costs = useQuery(
    analytics({ period, timeZone: zone, bucket: "day", filters: filtersOf(status.scope), limit: 1 }),
  );
  const drawn = useMemo(
    () =>
      costs.data &&
      burnDown(status, new Map(costs.data.timeline.map(({ date, cost }) => [date, numberOf(cost)])), zone, new Date()),
    [costs.data, status, zone],
  );
  const thresholds = useMemo(() => (status.budget.alerts ?? []).map(({ threshold }) => threshold), [status]);
  return (
    <Card>
      <CardHead
        title="Burn-down"
        hint="Dotted is even spending, dashed what is expected; eight times in ten it ends within the band."
      >
        <Button size="small" aria-pressed={table} onClick={() => onTable(!table)}>
          {table ? "Chart" : "Table"}
        </Button>
      </CardHead>
      <div className="px-3 pb-4 sm:px-4">
        {costs.error && !costs.data ? (
          <FailureNotice failure={costs.error} onRetry={() => void costs.refetch()} />
        ) : !drawn ? (
          <Skeleton className="h-80" />
        ) : table ? (
          <BurnDownTable drawn={drawn} />
        ) : (
          <BurnDownChart
            drawn={drawn}
            amount={numberOf(status.limit.total)}
            thresholds={thresholds}
            label={`Spending of ${status.name} against its budget; the same figures are in the table`}
          />
        )}
      </div>
    </Card>
  );
}

const figure = (value: number | null | undefined) => (value == null ? "–" : formatAbout(value));

function BurnDownTable({ drawn }: { drawn: BurnDown }) {
  return (
    <Table
      label="Burn-down by day"
      className="max-h-96 rounded-lg border"
      columns={[
        { name: "Day" },
        { name: "Spent so far", align: "right" },
        { name: "Even spending", align: "right" },
        { name: "Expected", align: "right" },
        { name: "Likely range", align: "right" },
      ]}
    >
      {drawn.days.map((day, index) => (
        <Row key={day}>
          <RowHead>{formatDay(day)}</RowHead>
          <Cell right>{figure(drawn.spent[index])}</Cell>
          <Cell right>{figure(drawn.ideal[index])}</Cell>
          <Cell right>{figure(drawn.forecast?.expected[index])}</Cell>
          <Cell right>
            {drawn.forecast?.low[index] == null
              ? "–"
              : `${figure(drawn.forecast.low[index])} – ${figure(drawn.forecast.high[index])}`}
          </Cell>
        </Row>
      ))}
    </Table>
  );
}
