import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Trash2 } from "lucide-react";
import { type FormEvent, type ReactNode, useState } from "react";
import { providerKeys, trackerKeys } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy";
import { Field, Input, Select } from "@/components/ui/field";
import { Badge, FailureNotice, InlineFailure, Skeleton } from "@/components/ui/states";
import { toast } from "@/components/ui/toasts";
import { formatInstant } from "@/lib/days";
import { type Scope, userService } from "@/services/user.service";
import { ApiKeyIntegration } from "./api-key-integration";

const SCOPES: { value: string; name: string; scopes: Scope[] }[] = [
  { value: "ingest", name: "Record calls", scopes: ["ingest"] },
  { value: "both", name: "Record calls and read costs", scopes: ["ingest", "read"] },
  { value: "read", name: "Read costs", scopes: ["read"] },
  { value: "write", name: "Read, and change projects and records", scopes: ["write"] },
  { value: "admin", name: "Everything", scopes: ["admin"] },
];

const PROVIDERS = ["openai", "anthropic", "google", "bedrock", "azure", "mistral", "deepseek"];

const when = (at: string | null | undefined) => (at ? formatInstant(at, "UTC") : "never");

/** Keys of one's programs, and keys of providers. */
export function ApiKeySettings() {
  return (
    <div className="grid grid-cols-1 gap-4">
      <TrackerKeys />
      <ProviderKeys />
    </div>
  );
}

function TrackerKeys() {
  const client = useQueryClient();
  const keys = useQuery(trackerKeys());
  const [guide, setGuide] = useState(false);
  const again = () => client.invalidateQueries({ queryKey: trackerKeys().queryKey });
  const create = useMutation({
    mutationFn: ({ name, scopes }: { name: string; scopes: Scope[] }) => userService.createTrackerKey({ name, scopes }),
    onSuccess: again,
  });
  const remove = useMutation({
    mutationFn: userService.deleteTrackerKey,
    onSuccess: () => toast("The key is deleted; it works no more."),
    onError: (failure) => toast(failure.message, true),
    onSettled: again,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const scopes = SCOPES.find(({ value }) => value === form.get("scopes"))?.scopes ?? ["ingest"];
    create.mutate({ name: String(form.get("name")), scopes });
  };
  return (
    <Card>
      <CardHead title="Tracker keys" hint="Your programs show one to this server." />
      <div className="px-4 pb-4 sm:px-5">
        <form onSubmit={submit} className="mb-4 grid items-end gap-3 sm:grid-cols-[1fr_1fr_auto]">
          <Field label="Name">
            {(parts) => <Input {...parts} name="name" required placeholder="Checkout service" autoComplete="off" />}
          </Field>
          <Field label="May">
            {(parts) => (
              <Select {...parts} name="scopes" defaultValue="both">
                {SCOPES.map(({ value, name }) => (
                  <option key={value} value={value}>
                    {name}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <Button type="submit" look="primary" busy={create.isPending}>
            Make a key
          </Button>
        </form>
        <InlineFailure failure={create.error} />
        {create.data && (
          <div role="status" className="mb-4 rounded-lg bg-accent-soft p-3">
            <p className="mb-2 font-medium">Copy “{create.data.name}” now. It is not shown again.</p>
            <div className="flex flex-wrap items-center gap-2">
              <code className="min-w-0 rounded-lg border bg-surface px-3 py-1.5 font-mono text-[13px] break-all">
                {create.data.apiKey}
              </code>
              <CopyButton text={create.data.apiKey} />
              <Button size="small" onClick={() => setGuide(true)}>
                How to use it
              </Button>
            </div>
            <ApiKeyIntegration isOpen={guide} onClose={() => setGuide(false)} apiKey={create.data.apiKey} />
          </div>
        )}
        <KeyList
          state={keys}
          empty="No key yet."
          rows={keys.data?.map((key) => ({
            id: key.keyId,
            title: key.name,
            masked: key.maskedKey,
            note: `${key.scopes.join(", ")} · last used ${when(key.lastUsedAt)}`,
            badge: key.isActive ? undefined : <Badge tone="bad">expired</Badge>,
          }))}
          onDelete={(id) => remove.mutate(id)}
        />
      </div>
    </Card>
  );
}

function ProviderKeys() {
  const client = useQueryClient();
  const keys = useQuery(providerKeys());
  const again = () => client.invalidateQueries({ queryKey: providerKeys().queryKey });
  const add = useMutation({
    mutationFn: ({ service, key }: { service: string; key: string }) => userService.addApiKey(service, key),
    onSuccess: ({ service }) => toast(`The key of ${service} is kept, encrypted.`),
    onSettled: again,
  });
  const remove = useMutation({
    mutationFn: userService.removeApiKey,
    onError: (failure) => toast(failure.message, true),
    onSettled: again,
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
    <Card>
      <CardHead title="Provider keys" hint="Kept encrypted, and never shown again." />
      <div className="px-4 pb-4 sm:px-5">
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
          <Field label="Key">
            {(parts) => <Input {...parts} name="key" type="password" autoComplete="off" required />}
          </Field>
          <Button type="submit" busy={add.isPending}>
            Add the key
          </Button>
        </form>
        <InlineFailure failure={add.error} />
        <KeyList
          state={keys}
          empty="No key of a provider is kept."
          rows={keys.data?.map((key) => ({
            id: key.service,
            title: key.service,
            masked: key.maskedKey,
            note: `added ${when(key.addedAt)} · last used ${when(key.lastUsedAt)}`,
            badge: key.status === "active" ? undefined : <Badge tone="bad">cannot be read</Badge>,
          }))}
          onDelete={(id) => remove.mutate(id)}
        />
      </div>
    </Card>
  );
}

type KeyRow = { id: string; title: string; masked: string; note: string; badge: ReactNode };

function KeyList({
  state,
  rows,
  empty,
  onDelete,
}: {
  state: { error: Error | null; refetch: () => unknown };
  rows: KeyRow[] | undefined;
  empty: string;
  onDelete: (id: string) => void;
}) {
  const [sure, setSure] = useState<string>();
  if (state.error && !rows) return <FailureNotice failure={state.error} onRetry={() => void state.refetch()} />;
  if (!rows) return <Skeleton className="h-24" />;
  if (rows.length === 0) return <p className="text-muted">{empty}</p>;
  return (
    <ul className="divide-y">
      {rows.map(({ id, title, masked, note, badge }) => (
        <li key={id} className="flex items-center gap-3 py-2.5">
          <KeyRound aria-hidden="true" className="size-4 shrink-0 text-muted" />
          <div className="min-w-0 flex-1">
            <p className="flex flex-wrap items-center gap-x-2 font-medium">
              <span className="truncate">{title}</span>
              <code className="font-mono text-xs font-normal text-muted">{masked}</code>
              {badge}
            </p>
            <p className="text-[13px] text-muted">{note}</p>
          </div>
          {sure === id ? (
            <Button look="danger" size="small" onClick={() => onDelete(id)}>
              Delete for good
            </Button>
          ) : (
            <Button look="quiet" size="small-icon" aria-label={`Delete the key ${title}`} onClick={() => setSure(id)}>
              <Trash2 />
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}
