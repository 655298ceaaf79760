import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { projects, settings } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { Checkbox, Field, Input, Textarea } from "@/components/ui/field";
import { InlineFailure } from "@/components/ui/states";
import { toast } from "@/components/ui/toasts";
import { BudgetFields, budgetOf, wordsOf } from "@/features/budgets/budget-fields";
import { type Project, type ProjectChange, ProjectService } from "@/services/project.service";

const daysOf = (text: string): number | null => (text ? Number(text) : null);

/** What the form says; without an amount there is no budget. */
function changeOf(form: FormData, project: Project | undefined): ProjectChange {
  const said = (name: string) => String(form.get(name) ?? "").trim();
  const budget = budgetOf(form, project?.budget);
  return {
    name: said("name"),
    description: said("description"),
    tags: wordsOf(said("tags")),
    ...(budget || project?.budget ? { budget } : {}),
    ...(project
      ? {
          isActive: form.has("isActive"),
          settings: {
            ...project.settings,
            storePrompts: form.has("storePrompts"),
            retention: { contentDays: daysOf(said("contentDays")), recordDays: daysOf(said("recordDays")) },
          },
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
      <div className="sm:col-span-2">
        <BudgetFields budget={project?.budget} />
      </div>
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
          <RetentionFields project={project} />
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

const DAYS = {
  type: "number",
  min: 1,
  max: 36_500,
  step: 1,
  inputMode: "numeric",
} as const;

/** How long the installation keeps it, where a project does not say. */
const keptFor = (days: number | null | undefined): string =>
  days === undefined ? "As the installation" : days === null ? "For good" : String(days);

/** How long what was recorded is kept. What is gone does not come back by a longer time. */
function RetentionFields({ project }: { project: Project }) {
  const { contentDays, recordDays } = project.settings.retention ?? {};
  const { data: known } = useQuery(settings());
  return (
    <>
      <Field label="Days that prompts are kept" hint="Empty: as long as the installation says.">
        {(parts) => (
          <Input
            {...parts}
            {...DAYS}
            name="contentDays"
            placeholder={keptFor(known?.retention.contentDays)}
            defaultValue={contentDays ?? ""}
          />
        )}
      </Field>
      <Field label="Days that records are kept" hint="Older ones are deleted for good. Their sums by day stay.">
        {(parts) => (
          <Input
            {...parts}
            {...DAYS}
            name="recordDays"
            placeholder={keptFor(known?.retention.recordDays)}
            defaultValue={recordDays ?? ""}
          />
        )}
      </Field>
    </>
  );
}
