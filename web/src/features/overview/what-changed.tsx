import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { type Answer, analyticsOf } from "@/api/queries";
import { Card, CardHead } from "@/components/ui/card";
import { FailureNotice, Skeleton } from "@/components/ui/states";
import { classes } from "@/lib/classes";
import { NONE } from "@/lib/dimensions";
import { formatAbout, numberOf } from "@/lib/money";
import type { Period } from "@/lib/period";
import { keyOf, namesOf } from "@/lib/series";
import { type Cell, type WhatChanged as Changes, type Contribution, whatChanged } from "@/lib/what-changed";

const SHOWN = 7;
/** Calls without a known cost would look like free ones, and so like a fall of the price. */
const PRICED = { costSource: ["!unpriced"] };

const millions = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 4 });

/** Figures that are compared with each other have the same decimals: cents, unless all of them are below a dollar, or above a million. */
function signed(value: number, most: number): string {
  const size = Math.abs(value);
  if (size < 1e-9) return "–";
  const sign = value > 0 ? "+" : "−";
  if (most < 1) return sign + formatAbout(size);
  if (size >= 1e6) return `${sign}$${millions.format(size)}`;
  return `${sign}${size < 0.005 ? "<$0.01" : `$${size.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`}`;
}

export function WhatChanged({
  period,
  before,
  timeZone,
  className,
}: {
  period: Period;
  before: Period;
  timeZone: string;
  className?: string;
}) {
  const question = { timeZone, by: ["project", "model"] as const, filters: PRICED };
  const after = useQuery(analyticsOf({ ...question, period }, ["groups"]));
  const previous = useQuery(analyticsOf({ ...question, period: before }, ["groups"]));
  const failure = after.error ?? previous.error;
  const changes = useMemo(
    () => after.data && previous.data && whatChanged(cellsOf(previous.data), cellsOf(after.data)),
    [after.data, previous.data],
  );
  return (
    <Card className={classes((after.isPlaceholderData || previous.isPlaceholderData) && "stale", className)}>
      <CardHead
        title="What changed"
        hint="Which projects and models made the difference to the period before, and why."
      />
      {failure && !changes ? (
        <FailureNotice failure={failure} onRetry={() => void Promise.all([after.refetch(), previous.refetch()])} />
      ) : !changes || !after.data || !previous.data ? (
        <div className="px-5 pb-5">
          <Skeleton className="h-64" />
        </div>
      ) : changes.contributions.length === 0 ? (
        <p className="px-5 pb-8 text-muted">No calls in either period.</p>
      ) : (
        <Body
          changes={changes}
          after={after.data}
          previous={previous.data}
          days={{ from: period.start, to: period.end, tz: timeZone }}
        />
      )}
    </Card>
  );
}

/** The period as the address says it, whoever opens it. */
type Days = { from: string; to: string; tz: string };

const SEPARATOR = "\u0000";

function cellsOf(answer: Answer<"groups">): Cell[] {
  return answer.groups.map((group) => ({
    key: [keyOf(group, "project") ?? "", keyOf(group, "model") ?? ""].join(SEPARATOR),
    cost: numberOf(group.cost),
    tokens: group.tokens,
  }));
}

const EFFECTS = [
  { key: "volume", name: "Volume", hint: "more or fewer tokens at the old mix and cost" },
  { key: "mix", name: "Mix", hint: "tokens moved to dearer or cheaper models and projects" },
  { key: "price", name: "Price", hint: "the same tokens at another cost each: rates, caching, longer answers" },
] as const;

function Body({
  changes,
  after,
  previous,
  days,
}: {
  changes: Changes;
  after: Answer<"groups">;
  previous: Answer<"groups">;
  days: Days;
}) {
  const names = namesOf(previous, after);
  const shown = changes.contributions.slice(0, SHOWN);
  const rest = changes.contributions.slice(SHOWN);
  const most = Math.max(...shown.map(({ change }) => Math.abs(change)), 1e-12);
  const nameOf = (id: string) => names("project", id);
  return (
    <div className="px-4 pb-4 sm:px-5">
      <dl className="mb-3 grid grid-cols-2 gap-px overflow-hidden rounded-lg border bg-line sm:grid-cols-4">
        <div className="bg-sunken px-3 py-2">
          <dt className="text-xs text-muted">Difference</dt>
          <dd className="nums font-semibold">{signed(changes.change, most)}</dd>
        </div>
        {EFFECTS.map(({ key, name, hint }) => (
          <div key={key} className="bg-surface px-3 py-2" title={hint}>
            <dt className="text-xs text-muted">{name}</dt>
            <dd className="nums font-medium">{signed(changes[key], most)}</dd>
          </div>
        ))}
      </dl>
      <table className="w-full table-fixed text-[13px]">
        <thead>
          <tr className="text-left text-xs text-muted">
            <th scope="col" className="pb-1 font-medium">
              Project, model
            </th>
            <th scope="col" className="w-24 pb-1 text-right font-medium">
              Difference
            </th>
            {EFFECTS.map(({ key, name, hint }) => (
              <th key={key} scope="col" title={hint} className="hidden w-24 pb-1 text-right font-medium md:table-cell">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((one) => (
            <Row key={one.key} one={one} most={most} nameOf={nameOf} days={days} />
          ))}
        </tbody>
      </table>
      {rest.length > 0 && (
        <p className="mt-2 text-[13px] text-muted">
          {rest.length} others:{" "}
          {signed(
            rest.reduce((sum, { change }) => sum + change, 0),
            most,
          )}{" "}
          together.
        </p>
      )}
    </div>
  );
}

function Row({
  one,
  most,
  nameOf,
  days,
}: {
  one: Contribution;
  most: number;
  nameOf: (id: string) => string;
  days: Days;
}) {
  const [project = "", model = ""] = one.key.split(SEPARATOR);
  const width = (Math.abs(one.change) / most) * 100;
  return (
    <tr className="border-t align-top">
      <th scope="row" className="py-1.5 pr-2 text-left font-normal">
        <Link
          to="/explorer"
          search={{ ...days, project: [project || NONE], model: [model], by: "tag" }}
          className="block truncate hover:underline"
        >
          <span className="font-medium">{nameOf(project)}</span> <span className="text-muted">{model}</span>
        </Link>
        <div aria-hidden="true" className="mt-1 h-1 rounded-full bg-sunken">
          <div
            className={classes("h-full rounded-full", one.change > 0 ? "bg-warn" : "bg-good")}
            style={{ width: `${width}%` }}
          />
        </div>
      </th>
      <td className="py-1.5 text-right font-medium whitespace-nowrap">
        {signed(one.change, most)}
        {(one.before === 0 || one.after === 0) && (
          <span className="block text-xs font-normal text-muted">{one.before === 0 ? "new" : "gone"}</span>
        )}
      </td>
      {EFFECTS.map(({ key }) => (
        <td key={key} className="hidden py-1.5 text-right whitespace-nowrap text-muted md:table-cell">
          {signed(one[key], most)}
        </td>
      ))}
    </tr>
  );
}
