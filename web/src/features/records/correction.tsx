import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { api, dataOf, type Schemas } from "@/api/client";
import type { UsageRecord } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field, Input, Select } from "@/components/ui/field";
import { InlineFailure } from "@/components/ui/states";
import { toast } from "@/components/ui/toasts";
import { counted } from "@/lib/numbers";
import type { Project } from "@/services/project.service";

const ALLOCATION = ["department", "team", "purpose", "client", "campaign"] as const;

/** Records by what should change in them: those that need the same are corrected at once. */
function changesOf(records: UsageRecord[], form: FormData): Schemas["NewCorrections"][] {
  const alike = new Map<string, Schemas["NewCorrections"]>();
  for (const record of records) {
    const change = changeOf(record, form);
    const key = JSON.stringify(change);
    alike.set(key, { change, usageIds: [...(alike.get(key)?.usageIds ?? []), record.id] });
  }
  return [...alike.values()];
}

/** What a form says should change in one record; what is left empty stays as it is. */
function changeOf(record: UsageRecord, form: FormData): Schemas["UsageChange"] {
  const said = (name: string) => String(form.get(name) ?? "").trim();
  const allocation: Record<string, string> = {};
  const taken = new Set(form.getAll("without"));
  for (const name of ALLOCATION) {
    const value = said(name) || (!taken.has(name) && record.costAllocation[name]);
    if (value) allocation[name] = value;
  }
  const listed = (name: string) =>
    said(name)
      .split(",")
      .map((tag) => tag.trim())
      .filter(Boolean);
  const [added, removed] = [listed("tags"), listed("tagsWithout")];
  const tags = [...new Set([...record.tags, ...added])].filter((tag) => !removed.includes(tag));
  return {
    ...(said("project") ? { projectId: said("project") } : {}),
    ...(added.length + removed.length > 0 ? { tags } : {}),
    ...(ALLOCATION.some((name) => said(name) || taken.has(name)) ? { costAllocation: allocation } : {}),
  };
}

/** Puts right whom some calls were for. Costs are not changed by it. */
export function CorrectionDialog({
  records,
  projects,
  onClose,
}: {
  records: UsageRecord[];
  projects: Project[];
  onClose: (done: boolean) => void;
}) {
  const client = useQueryClient();
  const correct = useMutation({
    async mutationFn(form: FormData) {
      const refused: Schemas["CorrectionResult"][] = [];
      for (const body of changesOf(records, form)) {
        const { results } = await dataOf(api.POST("/api/usage/corrections", { body }));
        refused.push(...results.filter(({ corrected }) => !corrected));
      }
      if (refused.length)
        throw new Error(
          `${counted(records.length - refused.length, "call")} corrected, ${refused.length} not: ${refused[0]?.message ?? refused[0]?.code}`,
        );
    },
    onSuccess() {
      toast(`${counted(records.length, "call")} corrected`);
      onClose(true);
    },
    onSettled: () => client.invalidateQueries(),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    correct.mutate(new FormData(event.currentTarget));
  };
  return (
    <Dialog
      open
      onClose={() => onClose(false)}
      title={`Correct ${counted(records.length, "call")}`}
      description="What you leave empty stays as it is. Costs do not change."
    >
      <form onSubmit={submit} className="grid gap-4 sm:grid-cols-2">
        <Field label="Project" className="sm:col-span-2">
          {(parts) => (
            <Select {...parts} name="project" defaultValue="">
              <option value="">As it is</option>
              {projects.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </Select>
          )}
        </Field>
        {ALLOCATION.map((name) => (
          <Field key={name} label={name.replace(/^./, (first) => first.toUpperCase())}>
            {(parts) => <Input {...parts} name={name} autoComplete="off" />}
          </Field>
        ))}
        <fieldset className="flex flex-wrap items-center gap-x-4 gap-y-1 sm:col-span-2">
          <legend className="mb-1 text-[13px] font-medium">Take away</legend>
          {ALLOCATION.map((name) => (
            <label key={name} className="flex items-center gap-2">
              <input type="checkbox" name="without" value={name} className="size-4 accent-accent" />
              {name}
            </label>
          ))}
        </fieldset>
        <Field label="Tags to add" hint="Separated by commas.">
          {(parts) => <Input {...parts} name="tags" autoComplete="off" />}
        </Field>
        <Field label="Tags to take away" hint="Separated by commas.">
          {(parts) => <Input {...parts} name="tagsWithout" autoComplete="off" />}
        </Field>
        <div className="sm:col-span-2">
          <InlineFailure failure={correct.error} />
        </div>
        <div className="flex justify-end gap-2 sm:col-span-2">
          <Button onClick={() => onClose(false)}>Cancel</Button>
          <Button type="submit" look="primary" busy={correct.isPending}>
            Correct {counted(records.length, "call")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
