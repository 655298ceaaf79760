import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { profile } from "@/api/queries";
import { currentSession, renamed, signedOut } from "@/api/session";
import { isTimeZone, readPreferences, useChangePreferences } from "@/app/preferences";
import { Button } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { Field, Input } from "@/components/ui/field";
import { Loaded } from "@/components/ui/loaded";
import { InlineFailure } from "@/components/ui/states";
import { toast } from "@/components/ui/toasts";
import { type Profile, userService } from "@/services/user.service";
import { DigestSettingsCard } from "./digest";

/** One's name, the zone whose days count, and the password. */
export function ProfileSettings() {
  const known = useQuery(profile());
  return (
    <div className="grid grid-cols-1 gap-4">
      <Card>
        <CardHead title="Profile" hint="How others see you, and whose days your dashboard shows." />
        <Loaded query={known} skeleton="h-[339px] sm:h-[204px]" className="px-4 pb-4 sm:px-5">
          {(person) => <ProfileForm person={person} />}
        </Loaded>
      </Card>
      <DigestSettingsCard />
      <Card>
        <CardHead title="Password" hint="Changing it ends every log-in of yours, here too." />
        <PasswordForm />
      </Card>
    </div>
  );
}

function ProfileForm({ person }: { person: Profile }) {
  const client = useQueryClient();
  const preferences = useChangePreferences();
  const rename = useMutation({
    mutationFn: (name: string) => userService.updateProfile({ name }),
    onSuccess(changed) {
      client.setQueryData(profile().queryKey, changed);
      const session = currentSession();
      if (session.state === "in") renamed({ ...session.user, name: changed.name });
    },
  });
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [name, timeZone] = [String(form.get("name")).trim(), String(form.get("timeZone")).trim()];
    if (!isTimeZone(timeZone)) return toast(`There is no time zone “${timeZone}”.`, true);
    try {
      await rename.mutateAsync(name);
      await preferences.mutateAsync({ timeZone });
      toast("Saved.");
    } catch {
      // What went wrong stands in the form.
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)} className="grid gap-4 sm:grid-cols-2">
      <Field label="Name">
        {(parts) => <Input {...parts} name="name" required autoComplete="name" defaultValue={person.name} />}
      </Field>
      <Field label="E-mail">{(parts) => <Input {...parts} value={person.email} readOnly disabled />}</Field>
      <Field label="Time zone" hint="An IANA name: Europe/Berlin.">
        {(parts) => (
          <Input
            {...parts}
            name="timeZone"
            required
            defaultValue={readPreferences(person.preferences).timeZone ?? "UTC"}
          />
        )}
      </Field>
      <Field label="Role in this installation">
        {(parts) => <Input {...parts} value={person.role} readOnly disabled />}
      </Field>
      <div className="sm:col-span-2">
        <InlineFailure failure={rename.error ?? preferences.error} />
      </div>
      <div className="flex justify-end sm:col-span-2">
        <Button type="submit" look="primary" busy={rename.isPending || preferences.isPending}>
          Save
        </Button>
      </div>
    </form>
  );
}

function PasswordForm() {
  const change = useMutation({
    mutationFn: ({ current, next }: { current: string; next: string }) => userService.changePassword(current, next),
    onSuccess() {
      toast("The password is changed. Log in with the new one.");
      signedOut();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    change.mutate({ current: String(form.get("current")), next: String(form.get("next")) });
  };
  return (
    <form onSubmit={submit} className="grid gap-4 px-4 pb-4 sm:grid-cols-2 sm:px-5">
      <Field label="Password so far">
        {(parts) => <Input {...parts} name="current" type="password" required autoComplete="current-password" />}
      </Field>
      <Field label="New password" hint="At least 8 characters.">
        {(parts) => <Input {...parts} name="next" type="password" required minLength={8} autoComplete="new-password" />}
      </Field>
      <div className="sm:col-span-2">
        <InlineFailure failure={change.error} />
      </div>
      <div className="flex justify-end sm:col-span-2">
        <Button type="submit" busy={change.isPending}>
          Change the password
        </Button>
      </div>
    </form>
  );
}
