import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { ConfirmButton } from "@/components/ui/confirm";
import { Empty, InlineFailure } from "@/components/ui/states";
import { Cell, Row, RowHead, Table } from "@/components/ui/table";
import { toast } from "@/components/ui/toasts";
import { differenceOf, formatChange, formatMoney, sumOf } from "@/lib/money";
import { counted, formatCount } from "@/lib/numbers";
import { formatPeriod } from "@/lib/period";
import { type RepricingView, reprice } from "./queries";
import { ScopeBar, useScope } from "./scope-bar";

type Scope = ReturnType<typeof useScope>;

const asked = (scope: Scope) => JSON.stringify(scope);

/** Costs kept records anew, after showing what that changes. */
export function Repricing() {
  const client = useQueryClient();
  const scope = useScope("mtd");
  const work = useMutation({
    mutationFn: ({ scope: of, apply }: { scope: Scope; apply: boolean }) => reprice(of, apply),
    onSuccess({ applied }) {
      if (!applied) return;
      toast("The records are costed anew; all sums follow.");
      void client.invalidateQueries();
    },
  });
  // What was shown holds for the calls that it was asked for, and for no others.
  const shown = work.data && work.variables && asked(work.variables.scope) === asked(scope) ? work.data : undefined;
  return (
    <div className="grid grid-cols-1 gap-4">
      <ScopeBar fallback="mtd" />
      <Card className="overflow-hidden">
        <CardHead
          title="Cost calls anew"
          hint={`Calls of ${formatPeriod(scope.period, scope.timeZone)}, with today's knowledge of the prices of their own time. Reported costs stay.`}
        >
          <Button busy={work.isPending} onClick={() => work.mutate({ scope, apply: false })}>
            Show what changes
          </Button>
        </CardHead>
        <div className="px-4 pb-4 sm:px-5">
          <InlineFailure failure={work.error} />
          {!shown && !work.error && <p className="text-muted">Nothing is written before you have seen it.</p>}
        </div>
        {shown && <Changes view={shown} busy={work.isPending} onWrite={() => work.mutate({ scope, apply: true })} />}
      </Card>
    </div>
  );
}

function Changes({ view, busy, onWrite }: { view: RepricingView; busy: boolean; onWrite: () => void }) {
  const looked = `${counted(view.lookedAt, "call")} looked at`;
  if (view.changes.length === 0) return <Empty title="Nothing changes">{looked}; each costs what it should.</Empty>;
  const [before, after] = [sumOf(view.changes.map((one) => one.before)), sumOf(view.changes.map((one) => one.after))];
  const records = view.changes.reduce((sum, one) => sum + one.records, 0);
  return (
    <>
      <Table
        label="What changes"
        columns={[
          { name: "Model" },
          { name: "Month" },
          { name: "Calls", align: "right" },
          { name: "Newly priced", align: "right" },
          { name: "Before", align: "right" },
          { name: "After", align: "right" },
          { name: "Difference", align: "right" },
        ]}
      >
        {view.changes.map((change) => (
          <Row key={`${change.service} ${change.model} ${change.month}`}>
            <RowHead>
              <span className="font-medium">{change.model}</span>
              <span className="block text-xs text-muted">{change.service}</span>
            </RowHead>
            <Cell>{change.month}</Cell>
            <Cell right>{formatCount(change.records)}</Cell>
            <Cell right>{formatCount(change.newlyPriced)}</Cell>
            <Cell right>{formatMoney(change.before)}</Cell>
            <Cell right>{formatMoney(change.after)}</Cell>
            <Cell right className="font-medium">
              {formatChange(differenceOf(change.after, change.before))}
            </Cell>
          </Row>
        ))}
      </Table>
      <div className="flex flex-wrap items-center justify-between gap-3 border-t px-4 py-3 sm:px-5">
        <p className="nums">
          {looked}, {formatCount(records)} change:{" "}
          <span className="font-semibold">{formatChange(differenceOf(after, before))}</span>
        </p>
        {view.applied ? (
          <span className="font-medium text-good">Written</span>
        ) : (
          <ConfirmButton
            label="Write these costs"
            sure={`Change ${counted(records, "call")}`}
            busy={busy}
            onConfirm={onWrite}
          />
        )}
      </div>
    </>
  );
}
