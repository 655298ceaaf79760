import { Link } from "@tanstack/react-router";
import { ArrowDown, ArrowUp } from "lucide-react";
import type { ReactNode } from "react";
import type { Group } from "@/api/queries";
import { classes } from "@/lib/classes";
import { DIMENSIONS, type Dimension, type Filters } from "@/lib/dimensions";
import { COLUMNS, type ColumnId, changeOf, isUnknown, type Sort, sorted, sumsOf } from "@/lib/group-rows";
import { formatMoney, moneyOf } from "@/lib/money";
import { formatCompact, formatCount, formatRate, formatShare } from "@/lib/numbers";
import type { PeriodSearch } from "@/lib/period";
import { dimensionsOf, keyOf } from "@/lib/series";
import { ScrollRegion } from "./ui/scroll";

type Props = {
  label: string;
  groups: readonly Group[];
  by: readonly Dimension[];
  /** Everything in the period that the groups are compared with. */
  compared: { cost: Group["cost"] } | undefined;
  sort: Sort;
  onSort: (sort: Sort) => void;
  /** The value of a group as something to follow. */
  nameOf: (group: Group, dimension: Dimension) => ReactNode;
  /** Which calls a count is of, as the address of the list of records says it; all groups' without a group. */
  callsOf?: CallsOf;
  /** At most so many rows; the sums are those of what is shown. */
  limit?: number;
};

/** Counts that lead to the calls that they are of. */
const OF_CALLS = {
  requests: {},
  errors: { status: ["error"] },
  unpricedRequests: { costSource: ["unpriced"] },
} as const satisfies Partial<Record<ColumnId, Filters>>;

const isOfCalls = (column: ColumnId): column is keyof typeof OF_CALLS => Object.hasOwn(OF_CALLS, column);

type CallsOf = (
  group: Group | undefined,
  by: readonly Dimension[],
) => PeriodSearch & Filters & { tz?: string | undefined };

const CELL = "px-3 py-2 text-right whitespace-nowrap";

/** The exact sums of each group, by any column. */
export function GroupTable({ label, groups, by: asked, compared, sort, onSort, nameOf, callsOf, limit }: Props) {
  const by = dimensionsOf(groups, asked);
  const rows = sorted(groups, sort).slice(0, limit);
  const columns = COLUMNS.filter(({ id }) => id !== "change" || compared);
  return (
    <ScrollRegion label={label} className="max-h-[36rem] overflow-auto -outline-offset-2">
      <table className="nums w-full text-[13px]">
        <thead className="sticky top-0 z-10 bg-sunken text-muted">
          <tr>
            {by.map((dimension) => (
              <th key={dimension} scope="col" className="px-3 py-2 text-left font-medium">
                {DIMENSIONS[dimension].one}
              </th>
            ))}
            {columns.map((column) => (
              <Head key={column.id} column={column} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((group) => (
            <tr
              key={by.map((dimension) => keyOf(group, dimension) ?? "").join("\u0000")}
              className="border-t hover:bg-sunken"
            >
              {by.map((dimension) => (
                <th key={dimension} scope="row" className="max-w-32 px-3 py-2 text-left font-normal sm:max-w-64">
                  {nameOf(group, dimension)}
                </th>
              ))}
              {columns.map(({ id }) => (
                <Figure key={id} group={group} column={id} calls={callsOf?.(group, by)} />
              ))}
            </tr>
          ))}
        </tbody>
        <Foot
          rows={rows}
          all={groups.length}
          by={by}
          columns={columns.map(({ id }) => id)}
          calls={rows.length === groups.length ? callsOf?.(undefined, by) : undefined}
        />
      </table>
    </ScrollRegion>
  );
}

type HeadProps = { column: (typeof COLUMNS)[number]; sort: Sort; onSort: (sort: Sort) => void };

function Head({ column, sort, onSort }: HeadProps) {
  const isSorted = sort.by === column.id;
  const Arrow = sort.descending ? ArrowDown : ArrowUp;
  return (
    <th
      scope="col"
      aria-sort={isSorted ? (sort.descending ? "descending" : "ascending") : "none"}
      className={classes(CELL, "font-medium")}
    >
      <button
        type="button"
        title={"title" in column ? column.title : undefined}
        className={classes("inline-flex items-center gap-1 rounded hover:text-ink", isSorted && "text-ink")}
        onClick={() => onSort({ by: column.id, descending: isSorted ? !sort.descending : true })}
      >
        {isSorted && <Arrow aria-hidden="true" className="size-3" />}
        {column.name}
      </button>
    </th>
  );
}

type Calls = ReturnType<CallsOf> | undefined;

function Figure({ group, column, calls }: { group: Group; column: ColumnId; calls: Calls }) {
  switch (column) {
    case "cost":
      return isUnknown(group) ? (
        <td className={classes(CELL, "text-warn")} title="None of these calls has a price">
          unknown
        </td>
      ) : (
        <td className={CELL} title={`$${group.cost}`}>
          {formatMoney(group.cost)}
        </td>
      );
    case "change":
      return <td className={classes(CELL, "text-muted")}>{changeText(group)}</td>;
    case "share":
    case "cacheHitRate": {
      const part = group[column];
      return <td className={classes(CELL, "text-muted")}>{part == null ? "–" : formatShare(part)}</td>;
    }
    case "costPerRequest":
    case "costPerMillionTokens": {
      const money = group[column];
      return (
        <td className={CELL} title={money == null ? undefined : `$${money}`}>
          {money == null ? "–" : formatMoney(money)}
        </td>
      );
    }
    default:
      return <Count count={group[column]} column={column} calls={calls} />;
  }
}

const TONES: Partial<Record<ColumnId, string>> = { unpricedRequests: "text-warn", errors: "text-bad" };

function Count({ count, column, calls }: { count: number; column: ColumnId; calls: Calls }) {
  return (
    <td className={classes(CELL, count === 0 ? "text-muted" : TONES[column])} title={formatCount(count)}>
      {count === 0 ? "–" : <ToCalls count={count} column={column} calls={calls} />}
    </td>
  );
}

/** A count, and the way to the calls that it is of. */
function ToCalls({ count, column, calls }: { count: number; column: ColumnId; calls: Calls }) {
  if (!calls || !isOfCalls(column)) return formatCompact(count);
  return (
    <Link
      to="/records"
      search={{ ...calls, ...OF_CALLS[column] }}
      className="relative rounded underline-offset-2 hover:underline"
    >
      {formatCompact(count)}
      <span className="sr-only"> calls: show them</span>
    </Link>
  );
}

function changeText(group: Group): string {
  const change = changeOf(group);
  if (change !== null) return formatRate(change);
  if (isUnknown(group) || !group.before) return "–";
  if (group.before.requests === 0) return "new";
  return isUnknown(group.before) ? "unknown" : "–";
}

type FootProps = {
  rows: readonly Group[];
  all: number;
  by: readonly Dimension[];
  columns: readonly ColumnId[];
  calls: Calls;
};

function Foot({ rows, all, by, columns, calls }: FootProps) {
  const sums = sumsOf(rows);
  const cost = moneyOf(sums.cost);
  return (
    <tfoot className="sticky bottom-0 border-t bg-surface font-semibold">
      <tr className="border-t">
        <th scope="row" colSpan={by.length} className="px-3 py-2 text-left">
          {rows.length === all ? `All ${formatCount(all)}` : `${formatCount(rows.length)} of ${formatCount(all)}`} shown
        </th>
        {columns.map((id) => (
          <td key={id} className={CELL} title={id === "cost" ? `$${cost}` : undefined}>
            {id === "cost" ? (
              formatMoney(cost)
            ) : id in sums ? (
              <ToCalls count={Number(sums[id as "requests"])} column={id} calls={calls} />
            ) : null}
          </td>
        ))}
      </tr>
    </tfoot>
  );
}
