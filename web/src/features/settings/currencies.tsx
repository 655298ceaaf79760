import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import type { FormEvent } from "react";
import { api, dataOf, type Schemas } from "@/api/client";
import { currentSession } from "@/api/session";
import { isAdministrator } from "@/app/places";
import { Button } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { ConfirmButton } from "@/components/ui/confirm";
import { Field, Input } from "@/components/ui/field";
import { Loaded } from "@/components/ui/loaded";
import { Empty, InlineFailure } from "@/components/ui/states";
import { Cell, Row, RowHead, Table } from "@/components/ui/table";
import { toast } from "@/components/ui/toasts";
import { formatDay } from "@/lib/days";

type FxRate = Schemas["FxRate"];

const fxRates = () =>
  queryOptions({
    queryKey: ["fx-rates"],
    queryFn: async ({ signal }) => (await dataOf(api.GET("/api/fx-rates", { signal }))).rates,
  });

/** Exchange rates for budgets in other currencies. None is built in, and none is fetched. */
export function Currencies() {
  const rates = useQuery(fxRates());
  const session = currentSession();
  const mayChange = session.state === "in" && isAdministrator(session.user);
  return (
    <Card className="overflow-hidden">
      <CardHead
        title="Exchange rates"
        hint="For budgets in other currencies. A rate counts from its day until the next one; none is built in, and none is fetched."
      />
      <Loaded query={rates} skeleton="h-32">
        {(all) => <List all={all} mayChange={mayChange} />}
      </Loaded>
    </Card>
  );
}

function List({ all, mayChange }: { all: FxRate[]; mayChange: boolean }) {
  const client = useQueryClient();
  const replace = useMutation({
    mutationFn: (rates: FxRate[]) => dataOf(api.PUT("/api/fx-rates", { body: { rates } })),
    onSuccess: () => toast("The rates are changed; budgets follow at once."),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ["fx-rates"] }),
        client.invalidateQueries({ queryKey: ["budgets"] }),
      ]),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const said = (name: string) => String(form.get(name) ?? "").trim();
    const rate: FxRate = {
      currency: said("currency").toUpperCase(),
      rate: Number(said("rate")),
      effectiveDate: said("effectiveDate"),
      source: said("source"),
    };
    const others = all.filter(
      ({ currency, effectiveDate }) => currency !== rate.currency || effectiveDate !== rate.effectiveDate,
    );
    replace.mutate([...others, rate]);
  };
  return (
    <>
      {all.length === 0 ? (
        <Empty title="No rate yet">Budgets are in US dollars until there is a rate.</Empty>
      ) : (
        <Table
          label="Exchange rates"
          columns={[
            { name: "Currency" },
            { name: "US dollars for one", align: "right" },
            { name: "From" },
            { name: "Source" },
            { name: <span className="sr-only">Delete</span>, align: "right" },
          ]}
        >
          {all.map((rate) => (
            <Row key={`${rate.currency} ${rate.effectiveDate}`}>
              <RowHead className="font-medium">{rate.currency}</RowHead>
              <Cell right>{rate.rate}</Cell>
              <Cell className="whitespace-nowrap">
                {formatDay(rate.effectiveDate, { day: "numeric", month: "short", year: "numeric" })}
              </Cell>
              <Cell className="text-muted">{rate.source}</Cell>
              <Cell right>
                {mayChange && (
                  <ConfirmButton
                    label={`Delete the rate of ${rate.currency} from ${rate.effectiveDate}`}
                    sure="Delete"
                    icon={<Trash2 />}
                    onConfirm={() => replace.mutate(all.filter((one) => one !== rate))}
                  />
                )}
              </Cell>
            </Row>
          ))}
        </Table>
      )}
      <div className="px-4 pt-3 pb-4 sm:px-5">
        <InlineFailure failure={replace.error} />
        {mayChange && (
          <form onSubmit={submit} className="grid items-end gap-3 sm:grid-cols-[6rem_9rem_10rem_1fr_auto]">
            <Field label="Currency">
              {(parts) => (
                <Input
                  {...parts}
                  name="currency"
                  required
                  pattern="[A-Za-z]{3}"
                  title="Three letters"
                  placeholder="EUR"
                />
              )}
            </Field>
            <Field label="Dollars for one">
              {(parts) => (
                <Input
                  {...parts}
                  name="rate"
                  required
                  inputMode="decimal"
                  pattern="\d+(\.\d{1,12})?"
                  title="A rate like 1.08"
                />
              )}
            </Field>
            <Field label="From">{(parts) => <Input {...parts} name="effectiveDate" type="date" required />}</Field>
            <Field label="Source">
              {(parts) => <Input {...parts} name="source" placeholder="the bank's fixing" />}
            </Field>
            <Button type="submit" busy={replace.isPending}>
              Add
            </Button>
          </form>
        )}
      </div>
    </>
  );
}
