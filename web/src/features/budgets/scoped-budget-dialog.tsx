import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { Schemas } from "@/api/client";
import { trackerKeys } from "@/api/queries";
import { currentSession } from "@/api/session";
import { isAdministrator } from "@/app/places";
import { Button } from "@/components/ui/button";
import { ConfirmButton } from "@/components/ui/confirm";
import { Dialog } from "@/components/ui/dialog";
import { Field, Input, Select } from "@/components/ui/field";
import { InlineFailure } from "@/components/ui/states";
import { toast } from "@/components/ui/toasts";
import { BudgetFields, budgetOf } from "./budget-fields";
import { type BudgetScope, type BudgetStatus, changeBudget, createBudget, deleteBudget } from "./queries";

type Kind = Exclude<BudgetScope["type"], "project">;

function scopeOf(form: FormData, kind: Kind): BudgetScope {
  const said = (name: string) => String(form.get(name) ?? "").trim();
  if (kind === "tag") return { type: "tag", tag: said("tag") };
  return kind === "key" ? { type: "key", keyId: said("keyId") } : { type: "account" };
}

type Props = { kept?: BudgetStatus; onClose: () => void; onRemoved?: () => void };

/** A budget of a tracker key, of a tag or of every call. What it is over does not change afterwards. */
export function ScopedBudgetDialog({ kept, onClose, onRemoved }: Props) {
  const client = useQueryClient();
  const session = currentSession();
  const all = session.state === "in" && isAdministrator(session.user);
  const [kind, setKind] = useState<Kind>(all ? "tag" : "key");
  const again = { onSettled: () => client.invalidateQueries({ queryKey: ["budgets"] }) };
  const save = useMutation({
    mutationFn: (budget: Schemas["NewBudget"]) => (kept ? changeBudget(kept.id, budget) : createBudget(budget)),
    onSuccess() {
      toast(kept ? "The budget is changed." : "The budget is made.");
      onClose();
    },
    ...again,
  });
  const remove = useMutation({ mutationFn: deleteBudget, onSuccess: onRemoved, ...again });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const budget = budgetOf(form, kept?.budget);
    const scope = kept?.scope ?? scopeOf(form, kind);
    if (budget) save.mutate({ name: String(form.get("name")).trim(), scope, budget });
  };
  return (
    <Dialog
      open
      onClose={onClose}
      shape="medium"
      title={kept ? `Budget ${kept.name}` : "New budget"}
      description="A project's budget is made in the project. This one is over a tag, a tracker key, or every call."
    >
      <form onSubmit={submit} className="grid gap-4">
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Name" className={kept ? "sm:col-span-2" : ""}>
            {(parts) => <Input {...parts} name="name" required autoComplete="off" defaultValue={kept?.name} />}
          </Field>
          {!kept && <ScopeFields all={all} kind={kind} onKind={setKind} />}
        </div>
        <BudgetFields budget={kept?.budget} required />
        <InlineFailure failure={save.error ?? remove.error} />
        <div className="flex items-center justify-between gap-2">
          {kept ? (
            <ConfirmButton label="Delete the budget" sure="Delete it" onConfirm={() => remove.mutate(kept.id)} />
          ) : (
            <span />
          )}
          <Button type="submit" look="primary" busy={save.isPending}>
            {kept ? "Save" : "Make the budget"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Administrators choose what it is over; everybody else has their own keys. */
function ScopeFields({ all, kind, onKind }: { all: boolean; kind: Kind; onKind: (kind: Kind) => void }) {
  const { data: keys = [] } = useQuery({ ...trackerKeys(), enabled: kind === "key" });
  return (
    <>
      <Field label="Over">
        {(parts) => (
          <Select {...parts} value={kind} onChange={(event) => onKind(event.target.value as Kind)}>
            {all && <option value="tag">calls with a tag</option>}
            <option value="key">calls with a tracker key</option>
            {all && <option value="account">every call</option>}
          </Select>
        )}
      </Field>
      {kind === "tag" && (
        <Field label="Tag" className="sm:col-span-2">
          {(parts) => <Input {...parts} name="tag" required autoComplete="off" />}
        </Field>
      )}
      {kind === "key" && (
        <Field label="Tracker key" className="sm:col-span-2">
          {(parts) => (
            <Select {...parts} name="keyId" required>
              {keys.map(({ keyId, name, maskedKey }) => (
                <option key={keyId} value={keyId}>
                  {name} ({maskedKey})
                </option>
              ))}
            </Select>
          )}
        </Field>
      )}
    </>
  );
}
