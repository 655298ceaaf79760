import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import type { Money } from "@/api/money-json";
import { Button } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { ConfirmButton } from "@/components/ui/confirm";
import { Field, Input } from "@/components/ui/field";
import { Loaded } from "@/components/ui/loaded";
import { Badge, InlineFailure } from "@/components/ui/states";
import { formatInstant } from "@/lib/days";
import { type BudgetStatus, createIncrease, increases, withdrawIncrease } from "./queries";

/** More that may be spent for a while, with its reason. */
export function IncreasesCard({ status, mayChange }: { status: BudgetStatus; mayChange: boolean }) {
  const client = useQueryClient();
  const list = useQuery(increases(status.id));
  const zone = status.budget.timeZone ?? "UTC";
  const again = { onSettled: () => client.invalidateQueries({ queryKey: ["budgets"] }) };
  const grant = useMutation({
    mutationFn: (increase: Parameters<typeof createIncrease>[1]) => createIncrease(status.id, increase),
    ...again,
  });
  const withdraw = useMutation({ mutationFn: (id: string) => withdrawIncrease(status.id, id), ...again });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const element = event.currentTarget;
    const said = (name: string) => String(new FormData(element).get(name) ?? "").trim();
    const increase = {
      amount: said("amount") as Money,
      until: new Date(said("until")).toISOString(),
      reason: said("reason"),
    };
    grant.mutate(increase, { onSuccess: () => element.reset() });
  };
  return (
    <Card>
      <CardHead title="Granted on top" hint="More for a while, without changing the budget." />
      <Loaded query={list} skeleton="h-16" className="px-4 pb-4 sm:px-5">
        {(all) => (
          <>
            {all.length === 0 && <p className="text-muted">Nothing was granted on top.</p>}
            <ul className="divide-y">
              {all.map((increase) => (
                <li key={increase.id} className="flex items-center gap-3 py-2">
                  <p className="min-w-0 flex-1">
                    <span className="nums font-medium">
                      {status.budget.currency ?? "USD"} {increase.amount}
                    </span>{" "}
                    until {formatInstant(increase.until, zone)}
                    <span className="block text-[13px] text-muted">{increase.reason}</span>
                  </p>
                  {increase.isActive ? (
                    <Badge tone="accent">counts</Badge>
                  ) : (
                    <Badge>{increase.withdrawnAt ? "withdrawn" : "over"}</Badge>
                  )}
                  {mayChange && increase.isActive && (
                    <ConfirmButton label="Withdraw" sure="Withdraw it" onConfirm={() => withdraw.mutate(increase.id)} />
                  )}
                </li>
              ))}
            </ul>
          </>
        )}
      </Loaded>
      <div className="px-4 pb-4 sm:px-5">
        <InlineFailure failure={grant.error ?? withdraw.error} />
        {mayChange && (
          <form onSubmit={submit} className="mt-2 grid items-end gap-3 sm:grid-cols-[8rem_13rem_1fr_auto]">
            <Field label="More">
              {(parts) => (
                <Input
                  {...parts}
                  name="amount"
                  required
                  inputMode="decimal"
                  pattern="\d+(\.\d{1,9})?"
                  title="An amount like 50 or 99.50"
                />
              )}
            </Field>
            <Field label="Until">{(parts) => <Input {...parts} name="until" type="datetime-local" required />}</Field>
            <Field label="Why">{(parts) => <Input {...parts} name="reason" required autoComplete="off" />}</Field>
            <Button type="submit" busy={grant.isPending}>
              Grant it
            </Button>
          </form>
        )}
      </div>
    </Card>
  );
}
