import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import type { Schemas } from "@/api/client";
import { Button } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { Field, Input, Select } from "@/components/ui/field";
import { ScrollRegion } from "@/components/ui/scroll";
import { InlineFailure } from "@/components/ui/states";
import { toast } from "@/components/ui/toasts";
import { counted } from "@/lib/numbers";
import { importPrices, type ListFormat } from "./queries";

type Asked = { file: File; format: ListFormat; version: string };

/** Brings a price list in, after showing what it changes. */
export function ImportPrices() {
  const client = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const [asked, setAsked] = useState<Asked>();
  const work = useMutation({
    mutationFn: ({ of, apply }: { of: Asked; apply: boolean }) => importPrices(of.file, of.format, of.version, !apply),
    onSuccess(outcome) {
      if (!outcome.applied) return;
      toast("The list is taken over; nothing of the past was overwritten.");
      setAsked(undefined);
      form.current?.reset();
      void client.invalidateQueries({ queryKey: ["prices"] });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const said = new FormData(event.currentTarget);
    const file = said.get("file");
    if (!(file instanceof File)) return;
    const of = { file, format: said.get("format") as ListFormat, version: String(said.get("version") ?? "").trim() };
    setAsked(of);
    work.mutate({ of, apply: false });
  };
  return (
    <Card>
      <CardHead
        title="Bring a price list in"
        hint="Prices that differ are closed and new ones opened from now on. The past costs what it cost."
      />
      <div className="grid gap-4 px-4 pb-4 sm:px-5">
        <form
          ref={form}
          onSubmit={submit}
          onChange={() => setAsked(undefined)}
          className="grid items-end gap-3 sm:grid-cols-[minmax(0,2fr)_minmax(0,1fr)_minmax(0,1fr)_auto]"
        >
          <Field label="File">
            {(parts) => (
              <Input {...parts} name="file" type="file" accept=".json,application/json" required className="py-1.5" />
            )}
          </Field>
          <Field label="Format">
            {(parts) => (
              <Select {...parts} name="format">
                <option value="genai-prices">genai-prices</option>
                <option value="litellm">LiteLLM</option>
                <option value="native">our own</option>
              </Select>
            )}
          </Field>
          <Field label="Its version">
            {(parts) => <Input {...parts} name="version" placeholder="if you know it" autoComplete="off" />}
          </Field>
          <Button type="submit" busy={work.isPending}>
            Show what changes
          </Button>
        </form>
        <InlineFailure failure={work.error} />
        {work.data && (asked || work.data.applied) && <Outcome outcome={work.data} />}
        {work.data && asked && !work.data.applied && work.data.changeCount > 0 && (
          <div className="flex justify-end">
            <Button look="primary" busy={work.isPending} onClick={() => work.mutate({ of: asked, apply: true })}>
              Take over {counted(work.data.changeCount, "change")}
            </Button>
          </div>
        )}
      </div>
    </Card>
  );
}

function Outcome({ outcome }: { outcome: Schemas["ImportOutcome"] }) {
  const { applied, changeCount, changes, notes } = outcome;
  return (
    <div role="status" className="grid gap-3">
      <p className="font-medium">
        {changeCount === 0
          ? "Nothing changes: the catalog says the same."
          : `${counted(changeCount, "change")} ${applied ? "taken over" : "to take over"}`}
      </p>
      {changes.length > 0 && <Lines label="Changes" lines={changes} />}
      {notes.length > 0 && (
        <details>
          <summary className="cursor-pointer rounded text-muted">
            {counted(notes.length, "remark")} on what could not be taken as it is
          </summary>
          <div className="mt-2">
            <Lines label="Remarks" lines={notes} />
          </div>
        </details>
      )}
    </div>
  );
}

function Lines({ label, lines }: { label: string; lines: string[] }) {
  return (
    <ScrollRegion label={label} className="max-h-80 overflow-auto rounded-lg border bg-sunken p-3">
      <ul className="grid gap-1 font-mono text-[12.5px]">
        {lines.map((line) => (
          <li key={line} className="break-words">
            {line}
          </li>
        ))}
      </ul>
    </ScrollRegion>
  );
}
