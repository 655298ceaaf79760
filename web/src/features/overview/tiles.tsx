import { useQuery } from "@tanstack/react-query";
import type { Schemas } from "@/api/client";
import { type Answer, analyticsOf } from "@/api/queries";
import { BudgetBar } from "@/components/budget-bar";
import { Sparkline } from "@/components/charts/sparkline";
import { classes } from "@/lib/classes";
import { addMonths, type Day, daysBetween, formatDay, monthStart } from "@/lib/days";
import { differenceOf, formatChange, formatMoney, nanosOf, numberOf, sumOf } from "@/lib/money";
import { counted, formatCompact, formatShare } from "@/lib/numbers";
import { type PeriodSearch, periodLink } from "@/lib/period";
import type { Project } from "@/services/project.service";
import { Change, type PeriodLink, Tile } from "./tile";
import { UnitCostTile } from "./unit-cost-tile";

type Current = Answer<"summary" | "timeline" | "trends">;
type Previous = Answer<"summary" | "timeline">;

type Props = {
  current: Current;
  previous: Previous;
  estimated: Schemas["Summary"] | undefined;
  projects: Project[] | undefined;
  search: PeriodSearch & { tz?: string | undefined };
  against: string;
  now: Day;
};

/** The five figures that are asked for first. Each opens what it is made of. */
export function Tiles({ current, previous, estimated, projects, search, against, now }: Props) {
  const period = periodLink(search, "mtd");
  return (
    <div className="grid grid-cols-2 gap-3 md:grid-cols-6 xl:grid-cols-5">
      <SpendTile current={current} previous={previous} against={against} period={period} />
      <ForecastTile current={current} projects={projects} now={now} period={period} />
      <BudgetTile projects={projects} now={now} />
      <UnitCostTile current={current} previous={previous} period={period} />
      <CoverageTile current={current} estimated={estimated} period={period} />
    </div>
  );
}

function SpendTile({
  current,
  previous,
  against,
  period,
}: {
  current: Current;
  previous: Previous;
  against: string;
  period: PeriodLink;
}) {
  const spent = current.summary.totalCost;
  const before = previous.summary.totalCost;
  const allUnknown =
    current.summary.totalRequests > 0 && current.summary.totalRequests === current.summary.unpricedRequests;
  return (
    <Tile
      label="Spend"
      link={{ to: "/explorer", search: period }}
      value={allUnknown ? "unknown" : formatMoney(spent)}
      note={
        <span title={`${formatChange(differenceOf(spent, before))} (${formatMoney(before)} before)`}>
          <Change now={numberOf(spent)} before={numberOf(before)} against={against} />
        </span>
      }
    >
      <Sparkline values={current.timeline.map(({ cost }) => numberOf(cost))} />
    </Tile>
  );
}

const monthly = (projects: Project[] | undefined) =>
  (projects ?? []).filter(({ budget, isActive }) => isActive && budget?.period === "monthly");

function ForecastTile({
  current,
  projects,
  now,
  period,
}: {
  current: Current;
  projects: Project[] | undefined;
  now: Day;
  period: PeriodLink;
}) {
  const forecast = current.trends.forecast;
  const budgets = monthly(projects);
  const budgeted = useForecastOf(budgets, now, current.period.timeZone);
  const budget = sumOf(budgets.flatMap((project) => (project.budget ? [project.budget.amount] : [])));
  const label = `Forecast ${formatDay(now, { month: "short" })}`;
  if (!forecast) return <Tile label={label} value="–" note="After a week of calls." />;
  return (
    <Tile
      label={label}
      link={{ to: "/explorer", search: { ...period, range: "mtd", from: undefined, to: undefined } }}
      value={formatMoney(forecast.expected)}
      note={`Likely ${formatMoney(forecast.low)} to ${formatMoney(forecast.high)}`}
    >
      {budgets.length > 0 && (
        <p
          className="min-h-[2lh] text-[13px] text-muted md:min-h-0"
          title="The forecast of the projects that have a monthly budget, and the sum of those budgets"
        >
          Budgeted:{" "}
          <span
            className={classes(
              "nums font-medium",
              budgeted && nanosOf(budgeted.expected) > nanosOf(budget) && "text-bad",
            )}
          >
            {budgeted ? formatMoney(budgeted.expected) : "…"}
          </span>{" "}
          of {formatMoney(budget)}
        </p>
      )}
    </Tile>
  );
}

/** What the projects that have a budget will have cost; the others have nothing to be compared with. */
function useForecastOf(budgets: Project[], now: Day, timeZone: string) {
  const filters = { project: budgets.map(({ id }) => id).slice(0, FILTER_VALUES_MAX) };
  const { data } = useQuery({
    ...analyticsOf({ period: { start: monthStart(now), end: now }, timeZone, filters }, ["trends"]),
    enabled: budgets.length > 0,
  });
  return data?.trends.forecast;
}

/** How much of this month is over, 0 to 1; today counts whole. */
function paceOf(now: Day): number {
  const start = monthStart(now);
  return (daysBetween(start, now) + 1) / daysBetween(start, addMonths(start, 1));
}

function BudgetTile({ projects, now }: { projects: Project[] | undefined; now: Day }) {
  const budgets = monthly(projects);
  if (projects && budgets.length === 0) {
    return (
      <Tile label="Budget used" value="–" note="No project has a monthly budget yet." link={{ to: "/projects" }} />
    );
  }
  const amount = sumOf(budgets.flatMap((project) => (project.budget ? [project.budget.amount] : [])));
  const spent = sumOf(budgets.map(({ spending }) => spending.totalCost));
  const used = numberOf(amount) > 0 ? numberOf(spent) / numberOf(amount) : 0;
  const pace = paceOf(now);
  const overrun = budgets.filter(({ spending }) => (spending.budgetUtilization ?? 0) > 100).length;
  return (
    <Tile
      label="Budget used"
      link={{ to: "/budgets" }}
      value={projects ? formatShare(used) : "…"}
      note={`${formatMoney(spent)} of ${formatMoney(amount)} in ${counted(budgets.length, "project")}`}
    >
      <BudgetBar used={used} pace={pace} />
      <p className={classes("mt-1 text-xs", overrun > 0 ? "text-bad" : "text-muted")}>
        {overrun > 0 ? `${counted(overrun, "project")} over budget` : `${formatShare(pace)} of the month is over`}
      </p>
    </Tile>
  );
}

/** What one filter of the server takes. */
const FILTER_VALUES_MAX = 200;

function CoverageTile({
  current,
  estimated,
  period,
}: {
  current: Current;
  estimated: Schemas["Summary"] | undefined;
  period: PeriodLink;
}) {
  const { totalRequests: all, unpricedRequests: missing } = current.summary;
  if (!all)
    return <Tile className="col-span-2" label="Coverage" value="–" note="The share of calls whose cost is known." />;
  const guessed = Math.min(estimated?.totalRequests ?? 0, all - missing);
  const parts = [
    { name: "priced", count: all - missing - guessed, colour: "bg-accent" },
    { name: "estimated", count: guessed, colour: "bg-warn" },
    { name: "without a price", count: missing, colour: "bg-bad" },
  ];
  return (
    <Tile
      className="col-span-2"
      label="Coverage"
      link={{ to: "/records", search: { ...period, costSource: missing ? ["unpriced"] : ["estimated"] } }}
      value={formatShare((all - missing) / all)}
      note={
        missing === 0 && guessed === 0
          ? "The cost of every call is known."
          : `${counted(missing, "call")} without a price, ${formatCompact(guessed)} estimated`
      }
    >
      <div
        className="flex h-2 gap-px overflow-hidden rounded-full bg-sunken"
        role="img"
        aria-label={parts.map(({ name, count }) => `${formatCompact(count)} ${name}`).join(", ")}
      >
        {parts.map(({ name, count, colour }) => (
          <div
            key={name}
            className={colour}
            style={{ width: `${count === 0 ? 0 : Math.max(1, (count / all) * 100)}%` }}
          />
        ))}
      </div>
    </Tile>
  );
}
