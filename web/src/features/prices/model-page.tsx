import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { buttonClasses } from "@/components/ui/button";
import { Card, CardHead, PageHead } from "@/components/ui/card";
import { Select } from "@/components/ui/field";
import { Loaded } from "@/components/ui/loaded";
import { Empty } from "@/components/ui/states";
import { Cell, Row, RowHead, Table } from "@/components/ui/table";
import { formatDay } from "@/lib/days";
import { conditionsText, unitName, type Variant, variantsOf } from "@/lib/prices";
import { PriceHistoryChart } from "./price-history-chart";
import { type PriceView, pricesOf } from "./queries";
import { Rate } from "./rate";

const DAY = { day: "numeric", month: "short", year: "numeric" } as const;
const dayOf = (at: string) => formatDay(at.slice(0, 10), DAY);

/** A model: what it cost when, and under which conditions. */
export function ModelPage({ model }: { model: string }) {
  const prices = useQuery(pricesOf(model));
  return (
    <>
      <nav aria-label="Where you are" className="mb-1 text-[13px]">
        <Link to="/prices" className="rounded text-accent-text hover:underline">
          Models and prices
        </Link>
        <span className="text-muted"> /</span>
      </nav>
      <PageHead title={model} hint="Dollars per million, by the time and the conditions of a call.">
        <Link to="/prices" search={{ tab: "simulate", candidate: [model] }} className={buttonClasses()}>
          What if
        </Link>
        <Link to="/explorer" search={{ range: "30d", model: [model] }} className={buttonClasses()}>
          Explore its costs
        </Link>
      </PageHead>
      <Loaded query={prices} skeleton="h-96">
        {(rows) => (rows.length === 0 ? <Empty title="No price is known" /> : <Content rows={rows} />)}
      </Loaded>
    </>
  );
}

function Content({ rows }: { rows: PriceView[] }) {
  const variants = variantsOf(rows);
  const [chosen, setChosen] = useState(variants[0]?.id);
  const variant = variants.find(({ id }) => id === chosen) ?? variants[0];
  return (
    <div className="grid grid-cols-1 gap-4">
      {variant && (
        <Card>
          <CardHead title="Price over time" hint={historyText(variant)}>
            <Select
              aria-label="Provider and conditions"
              className="h-8 w-auto max-w-full py-0"
              value={variant.id}
              onChange={(event) => setChosen(event.target.value)}
            >
              {variants.map(({ id, provider, conditions }) => (
                <option key={id} value={id}>
                  {provider}, {conditions}
                </option>
              ))}
            </Select>
          </CardHead>
          <div className="px-3 pb-4 sm:px-4">
            <PriceHistoryChart
              prices={variant.prices}
              label={`Price of a million tokens over time, ${variant.id}; the same figures are in the table`}
            />
          </div>
        </Card>
      )}
      <Card className="overflow-hidden">
        <CardHead title="Every price" hint="A call is costed by the row that held at its time, under its conditions." />
        <PriceTable rows={variants.flatMap(({ prices }) => prices)} />
      </Card>
    </div>
  );
}

function historyText({ prices }: Variant): string {
  const changes = prices.filter(({ validFrom }) => validFrom).length;
  return changes === 0
    ? "No change of it is known."
    : `It changed ${changes === 1 ? "once" : `${changes} times`} that are known.`;
}

function PriceTable({ rows }: { rows: PriceView[] }) {
  const units = [...new Set(rows.flatMap(({ rates }) => Object.keys(rates)))];
  return (
    <Table
      label="Every price"
      columns={[
        { name: "Held" },
        { name: "Provider, conditions" },
        ...units.map((unit) => ({ name: unitName(unit), align: "right" as const })),
        { name: "Source" },
      ]}
    >
      {rows.map((price) => (
        <Row key={price.id}>
          <RowHead className="whitespace-nowrap">
            {price.validFrom ? `from ${dayOf(price.validFrom)}` : "since ever"}
            {price.validUntil && <span className="block text-muted">until {dayOf(price.validUntil)}</span>}
          </RowHead>
          <Cell className="whitespace-nowrap">
            {price.provider}
            <span className="block text-xs text-muted">{conditionsText(price.conditions)}</span>
          </Cell>
          {units.map((unit) => (
            <Cell key={unit} right>
              <Rate price={price} unit={unit} />
            </Cell>
          ))}
          <Cell className="min-w-48 text-xs text-muted">
            {price.source.url?.startsWith("https://") ? (
              <a
                href={price.source.url}
                target="_blank"
                rel="noreferrer noopener"
                className="rounded text-accent-text underline"
              >
                {price.source.name}
              </a>
            ) : (
              price.source.name
            )}{" "}
            {price.source.version}
            {price.source.checkedOn && `, checked ${formatDay(price.source.checkedOn, DAY)}`}
            {price.notes && (
              <span title={price.notes} className="line-clamp-2">
                {price.notes}
              </span>
            )}
          </Cell>
        </Row>
      ))}
    </Table>
  );
}
