import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { usageStats } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field, Input } from "@/components/ui/field";
import { InlineFailure } from "@/components/ui/states";
import { Segments } from "@/components/ui/tabs";
import { toast } from "@/components/ui/toasts";
import { today } from "@/lib/days";
import { formatMoney, moneyOf } from "@/lib/money";
import { counted, formatCompact } from "@/lib/numbers";
import { daysOf, type Period } from "@/lib/period";
import { costOf } from "@/lib/prices";
import { ModelPicker } from "./model-picker";
import {
  candidateOf,
  candidateText,
  freeRuleId,
  getNames,
  getRules,
  replaceNames,
  replaceRules,
  simulation,
} from "./queries";
import { RateFields, ratesOf } from "./rate-fields";
import { useSuggestion } from "./suggestion";
import type { UnpricedModel } from "./unpriced";

type Way = "name" | "rates";
type Props = { of: UnpricedModel; period: Period; timeZone: string; onClose: () => void };

/** Gives a model a price: by saying which one it is, or what it costs. */
export function AddPrice({ of, period, timeZone, onClose }: Props) {
  const client = useQueryClient();
  const [chosen, setWay] = useState<Way>();
  // What was asked to be shown; a change of the form makes it old.
  const [asked, setAsked] = useState<FormData>();
  const suggestion = useSuggestion(of.model);
  const way = chosen ?? (suggestion.data ? "name" : "rates");
  const save = useMutation({
    mutationFn: (said: FormData) => (way === "name" ? saveName(of, said) : saveRates(of, said)),
    onSuccess() {
      toast(`${of.model} has a price. Its calls are being costed.`);
      onClose();
    },
    onSettled: () => client.invalidateQueries(),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const said = new FormData(event.currentTarget);
    if (asked) save.mutate(said);
    else setAsked(said);
  };
  const now = today(new Date(), timeZone);
  const first = daysOf(period, timeZone).start;
  return (
    <Dialog
      open
      onClose={onClose}
      shape="medium"
      title={`A price for ${of.model}`}
      description={`${of.service}: ${counted(of.requests, "call")}, ${formatCompact(of.tokens)} tokens without a cost`}
    >
      <form onSubmit={submit} onChange={() => setAsked(undefined)} className="grid gap-4">
        <Segments
          label="How"
          value={way}
          onChange={(next) => {
            setWay(next);
            setAsked(undefined);
          }}
          choices={[
            { value: "name", name: "It is a model of the catalog" },
            { value: "rates", name: "It has rates of its own" },
          ]}
        />
        {way === "name" ? (
          <Field label="It is" hint="All of its calls without a price are costed by that model's prices of their time.">
            {(parts) => (
              <ModelPicker
                {...parts}
                key={suggestion.data?.model}
                name="to"
                required
                pattern="[^/]+/.+"
                title="provider/model"
                defaultValue={suggestion.data ? candidateText(suggestion.data) : ""}
              />
            )}
          </Field>
        ) : (
          <>
            <RateFields />
            <Field label="Since" hint="Calls before that day stay without a price.">
              {(parts) => <Input {...parts} type="date" name="since" required max={now} defaultValue={first} />}
            </Field>
          </>
        )}
        <Field label="Why">
          {(parts) => (
            <Input {...parts} name="note" placeholder="contract, invoice, the provider's page" autoComplete="off" />
          )}
        </Field>
        {asked &&
          (way === "name" ? (
            <NameEffect of={of} to={String(asked.get("to"))} period={{ start: first, end: now }} timeZone={timeZone} />
          ) : (
            <RatesEffect
              of={of}
              rates={ratesOf(asked)}
              period={{ start: String(asked.get("since")), end: now }}
              timeZone={timeZone}
            />
          ))}
        <InlineFailure failure={save.error} />
        <div className="flex justify-end">
          <Button type="submit" look="primary" busy={save.isPending}>
            {asked ? "Add the price and cost the calls" : "Show the effect"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

const noteOf = (said: FormData) => {
  const note = String(said.get("note") ?? "").trim();
  return note ? { note } : {};
};

// The newest ones are the base, so that what others have added meanwhile stays.
async function saveName({ service, model }: UnpricedModel, said: FormData): Promise<void> {
  const to = candidateOf(String(said.get("to")).trim());
  const mapping = { service, model, toService: to.service ?? "", toModel: to.model, ...noteOf(said) };
  await replaceNames([...(await getNames()), mapping]);
}

async function saveRates({ service, model }: UnpricedModel, said: FormData): Promise<void> {
  const validFrom = `${String(said.get("since"))}T00:00:00Z`;
  const rules = await getRules();
  const rates = ratesOf(said) as never;
  await replaceRules([...rules, { id: freeRuleId(rules), service, model, validFrom, rates, ...noteOf(said) }]);
}

function NameEffect({ of, to, period, timeZone }: { of: UnpricedModel; to: string; period: Period; timeZone: string }) {
  const answer = useQuery(simulation({ period, timeZone }, [candidateOf(to)], [of.model]));
  const scenario = answer.data?.scenarios.find(({ model }) => model);
  return (
    <Effect failure={answer.error}>
      {scenario && answer.data && (
        <>
          {counted(answer.data.requests, "call")} of this period would cost{" "}
          <span className="nums font-semibold">{formatMoney(scenario.cost)}</span>
          {scenario.unpricedRequests > 0 &&
            `; ${counted(scenario.unpricedRequests, "call")} would stay without a price`}
          .
        </>
      )}
    </Effect>
  );
}

type RatesProps = { of: UnpricedModel; rates: Record<string, unknown>; period: Period; timeZone: string };

function RatesEffect({ of, rates, period, timeZone }: RatesProps) {
  const filters = { service: [of.service], model: [of.model], costSource: ["unpriced"] };
  const answer = useQuery(usageStats({ period, timeZone, filters }));
  const rate = (unit: string) => (typeof rates[unit] === "string" ? (rates[unit] as string) : undefined);
  const input = rate("input_tokens") ?? "0";
  const sums = answer.data;
  const nanos = sums
    ? costOf(Math.max(0, sums.inputTokens - sums.cachedTokens), input) +
      costOf(sums.cachedTokens, rate("cache_read_tokens") ?? input) +
      costOf(sums.outputTokens, rate("output_tokens") ?? "0")
    : 0n;
  return (
    <Effect failure={answer.error}>
      {sums && (
        <>
          {counted(sums.totalRequests, "call")} since then: about{" "}
          <span className="nums font-semibold">{formatMoney(moneyOf(nanos))}</span> for{" "}
          {formatCompact(sums.inputTokens)} tokens in and {formatCompact(sums.outputTokens)} out.
          {!rate("output_tokens") && sums.outputTokens > 0 && (
            <span className="text-warn"> Without a rate for output these calls stay without a price.</span>
          )}
        </>
      )}
    </Effect>
  );
}

function Effect({ failure, children }: { failure: Error | null; children: ReactNode }) {
  if (failure) return <InlineFailure failure={failure} />;
  return (
    <p role="status" className="rounded-lg bg-accent-soft px-3 py-2">
      {children || "Counting…"}
    </p>
  );
}
