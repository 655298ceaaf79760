import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { projects } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { ConfirmButton } from "@/components/ui/confirm";
import { Dialog } from "@/components/ui/dialog";
import { Loaded } from "@/components/ui/loaded";
import { Empty, InlineFailure } from "@/components/ui/states";
import { Cell, Row, RowHead, Table } from "@/components/ui/table";
import { toast } from "@/components/ui/toasts";
import { formatDay } from "@/lib/days";
import { ruleEffect } from "@/lib/price-rules";
import { freeRuleId, type PriceRule, priceRules, replaceRules } from "./queries";
import { RuleForm } from "./rule-form";

const day = (at: string) => formatDay(at.slice(0, 10), { day: "numeric", month: "short", year: "numeric" });

/** The operator's own rates, discounts and margins. */
export function Overrides() {
  const rules = useQuery(priceRules());
  const [open, setOpen] = useState<PriceRule | "new">();
  return (
    <Card className="overflow-hidden">
      <CardHead
        title="Own prices"
        hint="Effective cost = (own rates, or the list's) × (1 − discount) × (1 + margin). The narrowest rule of each kind applies."
      >
        <Button onClick={() => setOpen("new")}>
          <Plus />
          New rule
        </Button>
      </CardHead>
      <Loaded query={rules} skeleton="h-40">
        {(all) => <List all={all} open={open} onOpen={setOpen} />}
      </Loaded>
    </Card>
  );
}

type ListProps = {
  all: PriceRule[];
  open: PriceRule | "new" | undefined;
  onOpen: (rule: PriceRule | "new" | undefined) => void;
};

function List({ all, open, onOpen }: ListProps) {
  const client = useQueryClient();
  const { data: known = [] } = useQuery(projects());
  const replace = useMutation({
    mutationFn: replaceRules,
    onSuccess() {
      toast("The rules are changed. Calls from now on follow; kept ones when you reprice them.");
      onOpen(undefined);
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["prices"] }),
  });
  const nameOf = (id: string) => known.find((project) => project.id === id)?.name ?? id;
  const whom = (rule: PriceRule) =>
    rule.projectId ? nameOf(rule.projectId) : rule.userId ? `account ${rule.userId}` : "everybody";
  const save = (rule: PriceRule) =>
    replace.mutate(open === "new" ? [...all, rule] : all.map((one) => (one === open ? rule : one)));
  return (
    <>
      {all.length === 0 ? (
        <Empty title="No rule yet">
          A contract's discount, a margin for a customer, or rates of a model of your own.
        </Empty>
      ) : (
        <Table
          label="Rules"
          columns={[
            { name: "For" },
            { name: "Calls" },
            { name: "What it does" },
            { name: "When" },
            { name: <span className="sr-only">Change</span>, align: "right" },
          ]}
        >
          {all.map((rule) => (
            <Row key={rule.id}>
              <RowHead className="font-medium">
                {whom(rule)}
                <span className="block text-xs font-normal text-muted">{rule.id}</span>
                {rule.note && <span className="block text-xs font-normal text-muted">{rule.note}</span>}
              </RowHead>
              <Cell>{[rule.service ?? "any provider", rule.model ?? "any model"].join(", ")}</Cell>
              <Cell>{ruleEffect(rule)}</Cell>
              <Cell className="whitespace-nowrap">
                {rule.validFrom ? `from ${day(rule.validFrom)}` : "since ever"}
                {rule.validUntil && <span className="block text-muted">until {day(rule.validUntil)}</span>}
              </Cell>
              <Cell right>
                <span className="inline-flex gap-1">
                  <Button
                    look="quiet"
                    size="small-icon"
                    aria-label={`Change the rule ${rule.id}`}
                    onClick={() => onOpen(rule)}
                  >
                    <Pencil />
                  </Button>
                  <ConfirmButton
                    label={`Delete the rule ${rule.id}`}
                    sure="Delete"
                    icon={<Trash2 />}
                    onConfirm={() => replace.mutate(all.filter((one) => one !== rule))}
                  />
                </span>
              </Cell>
            </Row>
          ))}
        </Table>
      )}
      {!open && replace.error && (
        <div className="p-4">
          <InlineFailure failure={replace.error} />
        </div>
      )}
      {open && (
        <Dialog
          open
          onClose={() => onOpen(undefined)}
          shape="medium"
          title={open === "new" ? "New rule" : "Change the rule"}
          description="Calls from now on follow at once."
        >
          <RuleForm
            rule={open === "new" ? undefined : open}
            newId={freeRuleId(all)}
            projects={known}
            busy={replace.isPending}
            failure={replace.error}
            onSave={save}
          />
        </Dialog>
      )}
    </>
  );
}
