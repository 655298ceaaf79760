import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { analyticsOf } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { FailureNotice, Skeleton } from "@/components/ui/states";
import { Cell, Row, RowHead, Table } from "@/components/ui/table";
import { type BurnDown, burnDown, thresholdsOf } from "@/lib/budget";
import { formatDay, today } from "@/lib/days";
import { formatAbout, numberOf } from "@/lib/money";
import { BurnDownChart } from "./burn-down-chart";
import { type BudgetStatus, filtersOf, zoneOf } from "./queries";

type BurnDownProps = { status: BudgetStatus; table: boolean; onTable: (table: boolean) => void };

/** The period day by day, as a chart or as a table. */
export function BurnDownCard({ status, table, onTable }: BurnDownProps) {
  const zone = zoneOf(status);
  const period = { start: today(new Date(status.periodStart), zone), end: today(new Date(), zone) };
  const costs = useQuery(
    analyticsOf({ period, timeZone: zone, bucket: "day", filters: filtersOf(status.scope) }, ["timeline"]),
  );
  const drawn = useMemo(
    () =>
      costs.data &&
      burnDown(status, new Map(costs.data.timeline.map(({ date, cost }) => [date, numberOf(cost)])), zone, new Date()),
    [costs.data, status, zone],
  );
  const thresholds = useMemo(() => thresholdsOf(status.budget), [status]);
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
