import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Plus, X } from "lucide-react";
import { type FormEvent, useState } from "react";
import type { Schemas } from "@/api/client";
import { Button } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { Loaded } from "@/components/ui/loaded";
import { Empty } from "@/components/ui/states";
import { Cell, Row, RowHead, Table } from "@/components/ui/table";
import { differenceOf, formatChange, formatMoney, numberOf } from "@/lib/money";
import { counted, formatCount, formatRate } from "@/lib/numbers";
import { ModelPicker } from "./model-picker";
import { type Candidate, candidateOf, candidateText, simulation } from "./queries";
import { ScopeBar, useScope } from "./scope-bar";

const route = getRouteApi("/prices");
/** What the server simulates at once. */
const CANDIDATES_MAX = 10;

/** What past calls would have cost with other models, uncached, or in batches. */
export function Simulator() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const scope = useScope("last-month");
  const candidates = search.candidate ?? [];
  const answer = useQuery(simulation(scope, candidates.map(candidateOf)));
  const put = (next: string[]) =>
    void navigate({ search: (old) => ({ ...old, candidate: next.length ? next : undefined }), resetScroll: false });
  return (
    <div className="grid grid-cols-1 gap-4">
      <ScopeBar fallback="last-month" />
      <Card className="overflow-hidden">
        <CardHead
          title="What these calls would have cost"
          hint="The same tokens at the prices of their time. Other models may need more or fewer tokens for the same work."
        >
          <AddModel
            disabled={candidates.length >= CANDIDATES_MAX}
            onAdd={(text) => put([...new Set([...candidates, text])])}
          />
        </CardHead>
        <Loaded query={answer} skeleton="h-48">
          {(known) => (
            <Scenarios
              answer={known}
              // One may have been asked for without its provider.
              onRemove={({ service, model }) =>
                put(candidates.filter((one) => one !== model && one !== candidateText({ service, model })))
              }
            />
          )}
        </Loaded>
      </Card>
    </div>
  );
}

function AddModel({ disabled, onAdd }: { disabled: boolean; onAdd: (text: string) => void }) {
  const [round, setRound] = useState(0);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const text = String(new FormData(event.currentTarget).get("model") ?? "").trim();
    if (!text) return;
    onAdd(text);
    setRound(round + 1);
  };
  return (
    <form onSubmit={submit} className="flex w-full gap-2 sm:w-auto">
      <ModelPicker
        key={round}
        name="model"
        aria-label="Model to compare with"
        className="sm:w-64"
        disabled={disabled}
      />
      <Button type="submit" disabled={disabled}>
        <Plus />
        Add
      </Button>
    </form>
  );
}

function Scenarios({ answer, onRemove }: { answer: Schemas["Simulation"]; onRemove: (candidate: Candidate) => void }) {
  if (answer.requests === 0) return <Empty title="No calls in this period" />;
  const actual = answer.actualCost;
  return (
    <>
      <p className="px-4 pb-3 sm:px-5">
        {counted(answer.requests, "call")} cost <span className="nums font-semibold">{formatMoney(actual)}</span>
        {answer.unpricedRequests > 0 && (
          <span className="text-warn">, {counted(answer.unpricedRequests, "call")} without a price not counted</span>
        )}
        .
      </p>
      <Table
        label="Scenarios"
        columns={[
          { name: "With" },
          { name: "Cost", align: "right" },
          { name: "Difference", align: "right" },
          { name: "Nothing cached", align: "right" },
          { name: "In batches", align: "right" },
          { name: "Without a price", align: "right" },
          { name: <span className="sr-only">Remove</span>, align: "right" },
        ]}
      >
        {answer.scenarios.map((scenario) => {
          const text = scenario.model ? candidateText({ service: scenario.service, model: scenario.model }) : undefined;
          return (
            <Row key={text ?? ""}>
              <RowHead className="min-w-36 font-medium break-words">{text ?? "the calls' own models"}</RowHead>
              <Cell right>{formatMoney(scenario.cost)}</Cell>
              <Cell right>
                <Difference cost={scenario.cost} actual={actual} />
              </Cell>
              <Cell right>{formatMoney(scenario.costWithoutCaching)}</Cell>
              <Cell right>{formatMoney(scenario.costInBatch)}</Cell>
              <Cell right className={scenario.unpricedRequests > 0 ? "text-warn" : "text-muted"}>
                {formatCount(scenario.unpricedRequests)}
              </Cell>
              <Cell right>
                {text && (
                  <Button
                    look="quiet"
                    size="small-icon"
                    aria-label={`Remove ${text}`}
                    onClick={() => onRemove({ service: scenario.service, model: scenario.model ?? "" })}
                  >
                    <X />
                  </Button>
                )}
              </Cell>
            </Row>
          );
        })}
      </Table>
    </>
  );
}

type Cost = Schemas["Scenario"]["cost"];

function Difference({ cost, actual }: { cost: Cost; actual: Cost }) {
  const change = differenceOf(cost, actual);
  if (numberOf(change) === 0) return <span className="text-muted">–</span>;
  return (
    <span className={numberOf(change) < 0 ? "text-good" : "text-bad"}>
      {formatChange(change)}
      {numberOf(actual) > 0 && (
        <span className="block text-xs text-muted">{formatRate(numberOf(change) / numberOf(actual))}</span>
      )}
    </span>
  );
}
