import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Money } from "@/api/money-json";
import { analyticsOf, type Group } from "@/api/queries";
import { Card, CardHead } from "@/components/ui/card";
import { Input } from "@/components/ui/field";
import { Loaded } from "@/components/ui/loaded";
import { Cell, Row, RowHead, Table } from "@/components/ui/table";
import { toast } from "@/components/ui/toasts";
import { classes } from "@/lib/classes";
import { isUnknown } from "@/lib/group-rows";
import { billedMore, isAmount, readInvoices, withInvoice } from "@/lib/invoices";
import { formatChange, formatMoney } from "@/lib/money";
import { formatCount, formatRate } from "@/lib/numbers";
import type { Period, PeriodSearch } from "@/lib/period";
import { keyOf } from "@/lib/series";

type Props = {
  period: Period;
  timeZone: string;
  /** What was billed, as the address says it. */
  texts: readonly string[] | undefined;
  onChange: (texts: string[]) => void;
  link: PeriodSearch & { tz?: string | undefined };
};

/** On a telephone there is no room for it. */
const WIDE = "hidden sm:table-cell";

/** What was recorded of each provider, against the invoice; the address keeps what was typed in, and can be sent. */
export function Invoices({ period, timeZone, texts, onChange, link }: Props) {
  const answer = useQuery(analyticsOf({ period, timeZone, by: ["service"], metric: "cost" }, ["groups"]));
  const invoices = readInvoices(texts);
  const type = (provider: string, text: string) => {
    const amount = text.trim().replaceAll(",", "");
    if (amount && !isAmount(amount)) return toast(`“${text}” is not an amount in dollars.`, true);
    if (amount !== (invoices.get(provider) ?? "")) onChange(withInvoice(invoices, provider, amount));
  };
  return (
    <Card className="overflow-hidden">
      <CardHead
        title="Against the invoices"
        hint="Type in what a provider billed for the month, in dollars. Taxes and credits are not usage: leave them out."
      />
      <Loaded query={answer} skeleton="h-60">
        {({ groups }) => (
          <Table
            label="Against the invoices"
            columns={[
              { name: "Provider" },
              { name: "Calls", align: "right", className: WIDE },
              { name: "No price", align: "right", className: WIDE },
              { name: "Recorded", align: "right" },
              { name: "Invoice, $", align: "right" },
              { name: "Billed more", align: "right" },
            ]}
          >
            {groups.map((group) => {
              const provider = keyOf(group, "service") ?? "";
              return (
                <Provider
                  key={provider}
                  name={provider}
                  group={group}
                  billed={invoices.get(provider)}
                  link={link}
                  onType={(text) => type(provider, text)}
                />
              );
            })}
          </Table>
        )}
      </Loaded>
    </Card>
  );
}

type ProviderProps = {
  name: string;
  group: Group;
  billed: Money | undefined;
  link: Props["link"];
  onType: (text: string) => void;
};

function Provider({ name, group, billed, link, onType }: ProviderProps) {
  const calls = { ...link, service: [name] };
  return (
    <Row className="align-middle">
      <RowHead>
        <Link
          to="/explorer"
          search={{ ...calls, by: "model" }}
          className="inline-block min-w-28 rounded font-medium hover:underline"
        >
          {name}
        </Link>
      </RowHead>
      <Cell right className={classes("nums", WIDE)}>
        <Link to="/records" search={calls} className="rounded hover:underline">
          {formatCount(group.requests)}
        </Link>
      </Cell>
      <Cell right className={classes("nums", WIDE, group.unpricedRequests > 0 ? "text-warn" : "text-muted")}>
        {group.unpricedRequests > 0 ? (
          <Link to="/records" search={{ ...calls, costSource: ["unpriced"] }} className="rounded hover:underline">
            {formatCount(group.unpricedRequests)}
          </Link>
        ) : (
          "–"
        )}
      </Cell>
      <Cell right className="nums" title={`$${group.cost}`}>
        {isUnknown(group) ? "unknown" : formatMoney(group.cost)}
      </Cell>
      <Cell right>
        <Input
          key={billed ?? ""}
          aria-label={`Invoice of ${name}, in dollars`}
          className="ml-auto h-8 w-24 text-right sm:w-32"
          inputMode="decimal"
          defaultValue={billed ?? ""}
          onBlur={(event) => onType(event.target.value)}
          onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
        />
      </Cell>
      <Cell right className="nums">
        {billed && !isUnknown(group) ? <Difference billed={billed} recorded={group.cost} /> : "–"}
      </Cell>
    </Row>
  );
}

/** A difference of this part should be looked into. */
const NOTABLE = 0.01;

function Difference({ billed, recorded }: { billed: Money; recorded: Money }) {
  const { difference, part } = billedMore(billed, recorded);
  const isNotable = part === undefined || Math.abs(part) >= NOTABLE;
  return (
    <span className={isNotable ? "font-medium text-warn" : "text-good"} title={`$${difference}`}>
      {formatChange(difference)}
      {part !== undefined && <span className="text-xs"> ({formatRate(part)})</span>}
    </span>
  );
}
