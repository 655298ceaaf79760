import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { Button } from "@/components/ui/button";
import { ConfirmButton } from "@/components/ui/confirm";
import { Dialog } from "@/components/ui/dialog";
import { InlineFailure } from "@/components/ui/states";
import { toast } from "@/components/ui/toasts";
import { type Budget, type Project, ProjectService } from "@/services/project.service";
import { BudgetFields, budgetOf } from "./budget-fields";

/** Changes a budget, or takes it away. */
export function BudgetDialog({
  project,
  onClose,
  onRemoved,
}: {
  project: Project;
  onClose: () => void;
  onRemoved: () => void;
}) {
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: (budget: Budget | null) => ProjectService.updateProject(project.id, { budget }),
    onSuccess(_, budget) {
      toast(budget ? "The budget is changed." : "The budget is taken away.");
      void client.invalidateQueries({ queryKey: ["projects"] });
      if (!budget) return onRemoved();
      void client.invalidateQueries({ queryKey: ["budgets"] });
      onClose();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate(budgetOf(new FormData(event.currentTarget), project.budget));
  };
  return (
    <Dialog
      open
      onClose={onClose}
      shape="medium"
      title={`Budget of ${project.name}`}
      description="What is spent stays; the alerts of this period fire anew only where they were changed."
    >
      <form onSubmit={submit} className="grid gap-4">
        <BudgetFields budget={project.budget} required />
        <InlineFailure failure={save.error} />
        <div className="flex items-center justify-between gap-2">
          <ConfirmButton label="Take the budget away" sure="Take it away" onConfirm={() => save.mutate(null)} />
          <Button type="submit" look="primary" busy={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
