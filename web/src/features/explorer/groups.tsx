import { getRouteApi, Link } from "@tanstack/react-router";
import type { Analytics, Metric } from "@/api/queries";
import { buttonClasses } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ScrollRegion } from "@/components/ui/scroll";
import { classes } from "@/lib/classes";
import { DIMENSIONS, type Dimension, type Filters } from "@/lib/dimensions";
import { formatMoney, moneyOf, nanosOf, numberOf } from "@/lib/money";
import { formatCompact, formatCount, formatRate, formatShare } from "@/lib/numbers";
import type { Preset } from "@/lib/period";
import { amountOf, keyOf, type Names } from "@/lib/series";

const route = getRouteApi("/explorer");
const SEPARATOR = "\u0000";
const FALLBACK: Preset = "30d";

type Row = Pick<Analytics["groups"][number], "cost" | "tokens" | "requests"> & { id: string; keys: (string | null)[] };

function rowsOf(answer: Analytics, by: readonly Dimension[]): Row[] {
  return answer.groups.map((group) => {
    const keys = by.map((dimension) => keyOf(group, dimension));
    return { id: keys.map((key) => key ?? "").join(SEPARATOR), keys, ...group };
  });
}

type GroupsProps = {
  answer: Analytics;
  before: Analytics | undefined;
  by: readonly Dimension[];
  metric: Metric;
  names: Names;
  filters: Filters;
  onFilter: (filters: Filters) => void;
};

/** The exact sums of each group; a name goes one step deeper. */
export function Groups({ answer, before, by, metric, names, filters, onFilter }: GroupsProps) {
  const { range, from, to, tz } = route.useSearch();
  const rows = rowsOf(answer, by).sort((one, other) =>
    metric === "cost" ? Number(nanosOf(other.cost) - nanosOf(one.cost)) : other[metric] - one[metric],
  );
  const then = new Map((before ? rowsOf(before, by) : []).map((row) => [row.id, row]));
  const whole = {
    cost: answer.summary.totalCost,
    tokens: answer.summary.totalTokens,
    requests: answer.summary.totalRequests,
  };
  const all = amountOf(whole, metric);
  const narrow = (keys: readonly (string | null)[]): Filters => ({
    ...filters,
    ...Object.fromEntries(by.map((dimension, index) => [dimension, [keys[index] ?? "(none)"]])),
  });
  const cell = "px-3 py-2 text-right whitespace-nowrap";
  return (
    <Card className="overflow-hidden">
      <ScrollRegion label="Groups" className="max-h-[36rem] overflow-auto -outline-offset-2">
        <table className="w-full text-[13px]">
          <thead className="sticky top-0 z-10 bg-sunken text-muted">
            <tr>
              {by.map((dimension) => (
                <th key={dimension} scope="col" className="px-3 py-2 text-left font-medium">
                  {DIMENSIONS[dimension].one}
                </th>
              ))}
              <th scope="col" className={classes(cell, "font-medium")}>
                Cost
              </th>
              <th scope="col" className={classes(cell, "font-medium")}>
                Share
              </th>
              {before && (
                <th scope="col" className={classes(cell, "font-medium")}>
                  Before
                </th>
              )}
              <th scope="col" className={classes(cell, "font-medium")}>
                Requests
              </th>
              <th scope="col" className={classes(cell, "font-medium")}>
                Tokens
              </th>
              <th scope="col" className={classes(cell, "font-medium")}>
                <span className="sr-only">Records</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => {
              const old = then.get(row.id);
              const [now, past] = [amountOf(row, metric), old ? amountOf(old, metric) : 0];
              return (
                <tr key={row.id} className="border-t hover:bg-sunken">
                  {by.map((dimension, index) => (
                    <th key={dimension} scope="row" className="max-w-32 px-3 py-2 text-left sm:max-w-64 font-normal">
                      <button
                        type="button"
                        title="Show only this"
                        className="max-w-full truncate rounded font-medium hover:underline"
                        onClick={() => onFilter({ ...filters, [dimension]: [row.keys[index] ?? "(none)"] })}
                      >
                        {names(dimension, row.keys[index])}
                      </button>
                    </th>
                  ))}
                  <td className={cell} title={`$${row.cost}`}>
                    {formatMoney(row.cost)}
                  </td>
                  <td className={classes(cell, "text-muted")}>{all > 0 ? formatShare(now / all) : "–"}</td>
                  {before && (
                    <td className={classes(cell, "text-muted")}>
                      {past > 0 ? formatRate((now - past) / past) : "new"}
                    </td>
                  )}
                  <td className={cell}>{formatCount(row.requests)}</td>
                  <td className={cell}>{formatCompact(row.tokens)}</td>
                  <td className={cell}>
                    <Link
                      to="/records"
                      search={{ range: from ? undefined : (range ?? FALLBACK), from, to, tz, ...narrow(row.keys) }}
                      className={buttonClasses("quiet", "small")}
                    >
                      Records
                    </Link>
                  </td>
                </tr>
              );
            })}
          </tbody>
          <tfoot className="sticky bottom-0 border-t bg-surface font-semibold">
            <tr className="border-t">
              <th scope="row" colSpan={by.length} className="px-3 py-2 text-left">
                All {formatCount(rows.length)} shown
              </th>
              <td className={cell}>{formatMoney(moneyOf(rows.reduce((sum, { cost }) => sum + nanosOf(cost), 0n)))}</td>
              <td className={cell} />
              {before && (
                <td className={cell}>
                  {numberOf(before.summary.totalCost) > 0 && metric === "cost"
                    ? formatRate(numberOf(whole.cost) / numberOf(before.summary.totalCost) - 1)
                    : ""}
                </td>
              )}
              <td className={cell}>{formatCount(rows.reduce((sum, { requests }) => sum + requests, 0))}</td>
              <td className={cell}>{formatCompact(rows.reduce((sum, { tokens }) => sum + tokens, 0))}</td>
              <td className={cell} />
            </tr>
          </tfoot>
        </table>
      </ScrollRegion>
    </Card>
  );
}
