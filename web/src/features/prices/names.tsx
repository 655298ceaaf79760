import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ArrowUp, Trash2 } from "lucide-react";
import type { FormEvent } from "react";
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
import { ModelPicker } from "./model-picker";
import { candidateOf, type ModelMapping, modelNames, replaceNames } from "./queries";

/** Names of deployments and aliases, and what they really are. The first that fits decides. */
export function Names() {
  const names = useQuery(modelNames());
  const session = currentSession();
  const mayChange = session.state === "in" && isAdministrator(session.user);
  return (
    <Card className="overflow-hidden">
      <CardHead
        title="Names of models"
        hint="For deployments, inference profiles and aliases. A * at the end stands for any ending; the first that fits decides."
      />
      <Loaded query={names} skeleton="h-40" className="pb-4">
        {(all) => <List all={all} mayChange={mayChange} />}
      </Loaded>
    </Card>
  );
}

function List({ all, mayChange }: { all: ModelMapping[]; mayChange: boolean }) {
  const client = useQueryClient();
  const replace = useMutation({
    mutationFn: replaceNames,
    onSuccess: () => toast("The names are changed; calls without a price follow by themselves."),
    onSettled: () => client.invalidateQueries({ queryKey: ["prices"] }),
  });
  const raise = (index: number) => {
    const next = [...all];
    const [moved] = next.splice(index, 1);
    if (moved) next.splice(index - 1, 0, moved);
    replace.mutate(next);
  };
  return (
    <>
      {all.length === 0 ? (
        <Empty title="No name is mapped">
          The catalog recognises models by itself; this is for names that it cannot know.
        </Empty>
      ) : (
        <Table
          label="Names"
          columns={[
            { name: "Name" },
            { name: "Provider of the call" },
            { name: "Is" },
            { name: "Why" },
            { name: <span className="sr-only">Change</span>, align: "right" },
          ]}
        >
          {all.map((mapping, index) => (
            <Row key={`${mapping.service ?? ""} ${mapping.model}`}>
              <RowHead className="font-mono text-[13px]">{mapping.model}</RowHead>
              <Cell>{mapping.service ?? <span className="text-muted">any</span>}</Cell>
              <Cell>
                {mapping.toService}/{mapping.toModel}
              </Cell>
              <Cell className="text-muted">{mapping.note}</Cell>
              <Cell right>
                {mayChange && (
                  <span className="inline-flex gap-1">
                    <Button
                      look="quiet"
                      size="small-icon"
                      aria-label={`Move ${mapping.model} up`}
                      disabled={index === 0 || replace.isPending}
                      onClick={() => raise(index)}
                    >
                      <ArrowUp />
                    </Button>
                    <ConfirmButton
                      label={`Delete the name ${mapping.model}`}
                      sure="Delete"
                      icon={<Trash2 />}
                      onConfirm={() => replace.mutate(all.filter((one) => one !== mapping))}
                    />
                  </span>
                )}
              </Cell>
            </Row>
          ))}
        </Table>
      )}
      <div className="px-4 pt-3 sm:px-5">
        <InlineFailure failure={replace.error} />
        {mayChange && <NewName busy={replace.isPending} onAdd={(mapping) => replace.mutate([...all, mapping])} />}
      </div>
    </>
  );
}

function NewName({ busy, onAdd }: { busy: boolean; onAdd: (mapping: ModelMapping) => void }) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const said = (name: string) => String(form.get(name) ?? "").trim();
    const { service = "", model } = candidateOf(said("to"));
    onAdd({
      model: said("name"),
      toService: service ?? "",
      toModel: model,
      ...(said("service") ? { service: said("service") } : {}),
      ...(said("note") ? { note: said("note") } : {}),
    });
  };
  return (
    <form onSubmit={submit} className="grid items-end gap-3 pt-2 sm:grid-cols-2 lg:grid-cols-[1fr_8rem_1fr_1fr_auto]">
      <Field label="Name">
        {(parts) => <Input {...parts} name="name" required placeholder="prod-chat or prod-*" autoComplete="off" />}
      </Field>
      <Field label="Provider">
        {(parts) => <Input {...parts} name="service" placeholder="any" autoComplete="off" />}
      </Field>
      <Field label="Is">
        {(parts) => <ModelPicker {...parts} name="to" required pattern="[^/]+/.+" title="provider/model" />}
      </Field>
      <Field label="Why">{(parts) => <Input {...parts} name="note" autoComplete="off" />}</Field>
      <Button type="submit" busy={busy}>
        Add
      </Button>
    </form>
  );
}
