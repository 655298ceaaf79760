import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import type { Money } from "@/api/money-json";
import { projects } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { Checkbox, Field, Input, Select, Textarea } from "@/components/ui/field";
import { InlineFailure } from "@/components/ui/states";
import { toast } from "@/components/ui/toasts";
import { type Budget, type Project, type ProjectChange, ProjectService } from "@/services/project.service";

const PERIODS = ["weekly", "monthly", "quarterly", "yearly", "one-time"] as const;

/** What the form says; parts of a budget that it does not show stay as they are. */
function changeOf(form: FormData, project: Project | undefined): ProjectChange {
  const said = (name: string) => String(form.get(name) ?? "").trim();
  const amount = said("amount");
  const period = said("period") as Budget["period"];
  return {
    name: said("name"),
    description: said("description"),
    tags: [
      ...new Set(
        said("tags")
          .split(",")
          .map((tag) => tag.trim())
          .filter(Boolean),
      ),
    ],
    ...(amount ? { budget: { ...project?.budget, amount: amount as Money, period } as Budget } : {}),
    ...(project
      ? {
          isActive: form.has("isActive"),
          settings: { ...project.settings, storePrompts: form.has("storePrompts") },
        }
      : {}),
  };
}

/** Makes a project, or changes one. */
export function ProjectForm({ project, onDone }: { project?: Project; onDone: (project: Project) => void }) {
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: (change: ProjectChange) =>
      project ? ProjectService.updateProject(project.id, change) : ProjectService.createProject(change),
    onSuccess(kept) {
      toast(project ? "The project is changed." : "The project is made.");
      onDone(kept);
    },
    onSettled: () => client.invalidateQueries({ queryKey: projects().queryKey }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate(changeOf(new FormData(event.currentTarget), project));
  };
  return (
    <form onSubmit={submit} className="grid gap-4 sm:grid-cols-2">
      <Field label="Name" className="sm:col-span-2">
        {(parts) => <Input {...parts} name="name" defaultValue={project?.name} required autoComplete="off" />}
      </Field>
      <Field label="Description" className="sm:col-span-2">
        {(parts) => <Textarea {...parts} name="description" defaultValue={project?.description} />}
      </Field>
      <Field label="Budget in US dollars" hint={project?.budget ? undefined : "Leave it empty for none."}>
        {(parts) => (
          <Input
            {...parts}
            name="amount"
            inputMode="decimal"
            pattern="\d+(\.\d{1,9})?"
            title="An amount like 250 or 99.50"
            defaultValue={project?.budget?.amount}
            required={Boolean(project?.budget)}
          />
        )}
      </Field>
      <Field label="For">
        {(parts) => (
          <Select {...parts} name="period" defaultValue={project?.budget?.period ?? "monthly"}>
            {PERIODS.map((period) => (
              <option key={period}>{period}</option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="Tags" hint="Separated by commas." className="sm:col-span-2">
        {(parts) => <Input {...parts} name="tags" defaultValue={project?.tags.join(", ")} autoComplete="off" />}
      </Field>
      {project && (
        <>
          <Checkbox
            name="isActive"
            defaultChecked={project.isActive}
            label="Open"
            hint="A closed project takes no calls."
          />
          <Checkbox
            name="storePrompts"
            defaultChecked={project.settings.storePrompts ?? false}
            label="Keep prompts"
            hint="Prompts and completions of new calls are kept."
          />
        </>
      )}
      <div className="sm:col-span-2">
        <InlineFailure failure={save.error} />
      </div>
      <div className="flex justify-end sm:col-span-2">
        <Button type="submit" look="primary" busy={save.isPending}>
          {project ? "Save" : "Make the project"}
        </Button>
      </div>
    </form>
  );
}
