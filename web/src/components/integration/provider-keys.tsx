import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { providerKeys } from "@/api/queries";
import { useTimeZone } from "@/app/preferences";
import { Button } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { Field, Input, Select } from "@/components/ui/field";
import { Badge, InlineFailure } from "@/components/ui/states";
import { toast } from "@/components/ui/toasts";
import { userService } from "@/services/user.service";
import { KeyList, when } from "./key-list";

const PROVIDERS = ["openai", "anthropic", "google", "bedrock", "azure", "mistral", "deepseek"];

/** Takes a provider's key; it is not shown again. */
export function ProviderKeyForm() {
  const client = useQueryClient();
  const add = useMutation({
    mutationFn: ({ service, key }: { service: string; key: string }) => userService.addApiKey(service, key),
    onSuccess: ({ service }) => toast(`The key of ${service} is kept, encrypted.`),
    onSettled: () => client.invalidateQueries({ queryKey: providerKeys().queryKey }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const element = event.currentTarget;
    const form = new FormData(element);
    add.mutate(
      { service: String(form.get("service")), key: String(form.get("key")) },
      { onSuccess: () => element.reset() },
    );
  };
  return (
    <>
      <form onSubmit={submit} className="mb-4 grid items-end gap-3 sm:grid-cols-[10rem_1fr_auto]">
        <Field label="Provider">
          {(parts) => (
            <Select {...parts} name="service">
              {PROVIDERS.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </Select>
          )}
        </Field>
        <Field label="Key of the provider">
          {(parts) => <Input {...parts} name="key" type="password" autoComplete="off" required />}
        </Field>
        <Button type="submit" busy={add.isPending}>
          Add the key
        </Button>
      </form>
      <InlineFailure failure={add.error} />
    </>
  );
}

/** Keys of providers, for the gateway. */
export function ProviderKeys() {
  const client = useQueryClient();
  const keys = useQuery(providerKeys());
  const timeZone = useTimeZone();
  const remove = useMutation({
    mutationFn: userService.removeApiKey,
    onError: (failure) => toast(failure.message, true),
    onSettled: () => client.invalidateQueries({ queryKey: providerKeys().queryKey }),
  });
  return (
    <Card>
      <CardHead title="Provider keys" hint="For the gateway. Kept encrypted, and never shown again." />
      <div className="px-4 pb-4 sm:px-5">
        <ProviderKeyForm />
        <KeyList
          state={keys}
          empty="No key of a provider is kept."
          rows={keys.data?.map((key) => ({
            id: key.service,
            title: key.service,
            masked: key.maskedKey,
            note: `added ${when(key.addedAt, timeZone)} · last used ${when(key.lastUsedAt, timeZone)}`,
            badge: key.status === "active" ? undefined : <Badge tone="bad">cannot be read</Badge>,
          }))}
          onDelete={(id) => remove.mutate(id)}
        />
      </div>
    </Card>
  );
}
