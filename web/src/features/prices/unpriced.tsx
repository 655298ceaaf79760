import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck } from "lucide-react";
import { useState } from "react";
import { analyticsOf } from "@/api/queries";
import { currentSession } from "@/api/session";
import { isAdministrator } from "@/app/places";
import { Button } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { Loaded } from "@/components/ui/loaded";
import { Empty } from "@/components/ui/states";
import { Cell, Row, RowHead, Table } from "@/components/ui/table";
import { formatCompact, formatCount } from "@/lib/numbers";
import type { Period } from "@/lib/period";
import { keyOf } from "@/lib/series";
import { AddPrice } from "./add-price";
import { candidateText } from "./queries";
import { ScopeBar, useScope } from "./scope-bar";
import { useSuggestion } from "./suggestion";

/** Models get a price in the background; how often the list looks whether they have. */
const POLL_MS = 10_000;
const MODELS_MAX = 500;

export type UnpricedModel = { service: string; model: string; requests: number; tokens: number };

/** Models whose calls have no known cost, and how to give them one. */
export function Unpriced() {
  const scope = useScope("90d");
  const [open, setOpen] = useState<UnpricedModel>();
  const answer = useQuery({
    ...analyticsOf(
      {
        period: scope.period,
        timeZone: scope.timeZone,
        by: ["service", "model"],
        metric: "requests",
        limit: MODELS_MAX,
        filters: { costSource: ["unpriced"], ...(scope.projectId ? { project: [scope.projectId] } : {}) },
      },
      ["groups"],
    ),
    refetchInterval: POLL_MS,
  });
  return (
    <div className="grid grid-cols-1 gap-4">
      <ScopeBar fallback="90d" />
      <Card className="overflow-hidden">
        <CardHead
          title="Models without a price"
          hint="Their calls are in no sum until their price is known. Then they are costed by themselves."
        />
        <Loaded query={answer} skeleton="h-48">
          {({ groups }) => (
            <List
              models={groups
                .map((group) => ({
                  service: keyOf(group, "service") ?? "",
                  model: keyOf(group, "model") ?? "",
                  requests: group.requests,
                  tokens: group.tokens,
                }))
                .sort((one, other) => other.requests - one.requests)}
              period={scope.period}
              onOpen={setOpen}
            />
          )}
        </Loaded>
      </Card>
      {open && (
        <AddPrice of={open} period={scope.period} timeZone={scope.timeZone} onClose={() => setOpen(undefined)} />
      )}
    </div>
  );
}

type ListProps = { models: UnpricedModel[]; period: Period; onOpen: (model: UnpricedModel) => void };

function List({ models, period, onOpen }: ListProps) {
  const session = currentSession();
  const mayChange = session.state === "in" && isAdministrator(session.user);
  if (models.length === 0) return <Empty icon={<CircleCheck />} title="Every call of this period has a price" />;
  return (
    <Table
      label="Models without a price"
      columns={[
        { name: "Model" },
        { name: "Calls", align: "right" },
        { name: "Tokens", align: "right", className: "hidden sm:table-cell" },
        { name: "It could be", className: "hidden w-[36%] sm:table-cell" },
        { name: <span className="sr-only">Act</span>, align: "right" },
      ]}
    >
      {models.map((one) => (
        <Row key={`${one.service} ${one.model}`}>
          <RowHead>
            <span className="font-medium">{one.model}</span>
            <span className="block text-xs text-muted">{one.service}</span>
          </RowHead>
          <Cell right>
            <Link
              to="/records"
              search={{
                from: period.start,
                to: period.end,
                costSource: ["unpriced"],
                service: [one.service],
                model: [one.model],
              }}
              className="rounded underline decoration-line-strong underline-offset-2 hover:decoration-ink"
            >
              {formatCount(one.requests)}
            </Link>
          </Cell>
          <Cell right className="hidden sm:table-cell">
            {formatCompact(one.tokens)}
          </Cell>
          <Cell className="hidden sm:table-cell">
            <Suggestion model={one.model} />
          </Cell>
          <Cell right>
            {mayChange && (
              <Button size="small" onClick={() => onOpen(one)}>
                Add a price<span className="sr-only"> for {one.model}</span>
              </Button>
            )}
          </Cell>
        </Row>
      ))}
    </Table>
  );
}

function Suggestion({ model }: { model: string }) {
  const { data, isPending } = useSuggestion(model);
  if (isPending) return <span className="text-muted">…</span>;
  return data ? candidateText(data) : <span className="text-muted">nothing in the catalog is called so</span>;
}
