import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import type { FormEvent } from "react";
import { projects } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { ConfirmButton } from "@/components/ui/confirm";
import { CopyButton } from "@/components/ui/copy";
import { Field, Input, Select } from "@/components/ui/field";
import { InlineFailure } from "@/components/ui/states";
import { type Project, type ProjectRole, ProjectService } from "@/services/project.service";

const ROLES: readonly ProjectRole[] = ["viewer", "member", "admin", "owner"];

/** Who may see a project and record for it. */
export function Members({ project, mayChange }: { project: Project; mayChange: boolean }) {
  const client = useQueryClient();
  const again = { onSettled: () => client.invalidateQueries({ queryKey: projects().queryKey }) };
  const add = useMutation({
    mutationFn: ({ email, role }: { email: string; role: ProjectRole }) =>
      ProjectService.addMember(project.id, email, role),
    ...again,
  });
  const change = useMutation({
    mutationFn: ({ userId, role }: { userId: string; role: ProjectRole }) =>
      ProjectService.updateMember(project.id, userId, role),
    ...again,
  });
  const remove = useMutation({
    mutationFn: (userId: string) => ProjectService.removeMember(project.id, userId),
    ...again,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    add.mutate({ email: String(form.get("email")), role: String(form.get("role")) as ProjectRole });
  };
  const invitation = add.data?.invitation;
  return (
    <div className="grid grid-cols-1 gap-4">
      <ul className="divide-y">
        {project.members.map(({ userId, name, email, role }) => (
          <li key={userId} className="flex items-center gap-3 py-2">
            <div className="min-w-0 flex-1">
              <p className="truncate font-medium">{name}</p>
              <p className="truncate text-[13px] text-muted">{email}</p>
            </div>
            {mayChange ? (
              <>
                <Select
                  aria-label={`Role of ${name}`}
                  className="h-8 w-auto py-0"
                  value={role}
                  disabled={change.isPending}
                  onChange={(event) => change.mutate({ userId, role: event.target.value as ProjectRole })}
                >
                  {ROLES.map((one) => (
                    <option key={one}>{one}</option>
                  ))}
                </Select>
                <ConfirmButton
                  label={`Remove ${name}`}
                  sure="Remove"
                  icon={<Trash2 />}
                  onConfirm={() => remove.mutate(userId)}
                />
              </>
            ) : (
              <span className="text-muted">{role}</span>
            )}
          </li>
        ))}
      </ul>
      <InlineFailure failure={add.error ?? change.error ?? remove.error} />
      {invitation && (
        <div role="status" className="rounded-lg bg-accent-soft p-3">
          <p className="mb-2">{invitation.email} has no account yet. Send this invitation; it is shown only now.</p>
          <div className="flex flex-wrap items-center gap-2">
            <code className="min-w-0 font-mono text-[13px] break-all">{invitation.token}</code>
            <CopyButton text={invitation.token} />
          </div>
        </div>
      )}
      {mayChange && (
        <form onSubmit={submit} className="grid items-end gap-3 border-t pt-4 sm:grid-cols-[1fr_9rem_auto]">
          <Field label="E-mail">
            {(parts) => <Input {...parts} name="email" type="email" required autoComplete="off" />}
          </Field>
          <Field label="Role">
            {(parts) => (
              <Select {...parts} name="role" defaultValue="member">
                {ROLES.map((one) => (
                  <option key={one}>{one}</option>
                ))}
              </Select>
            )}
          </Field>
          <Button type="submit" busy={add.isPending}>
            Add
          </Button>
        </form>
      )}
    </div>
  );
}
