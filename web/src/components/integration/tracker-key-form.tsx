import { useQuery } from "@tanstack/react-query";
import type { FormEvent } from "react";
import type { Schemas } from "@/api/client";
import { projects } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { Field, Input, Select } from "@/components/ui/field";
import { InlineFailure } from "@/components/ui/states";
import type { Scope, TrackerKey } from "@/services/user.service";

type Change = Schemas["TrackerKeyChange"];

const SCOPES: { value: string; name: string; scopes: Scope[] }[] = [
  { value: "ingest", name: "Record calls", scopes: ["ingest"] },
  { value: "both", name: "Record calls and read costs", scopes: ["ingest", "read"] },
  { value: "read", name: "Read costs", scopes: ["read"] },
  { value: "write", name: "Read, and change projects and records", scopes: ["write"] },
  { value: "admin", name: "Everything", scopes: ["admin"] },
];

const choiceOf = (key: TrackerKey | undefined) =>
  SCOPES.find(({ scopes }) => key && [...scopes].sort().join() === [...key.scopes].sort().join())?.value ?? "both";

/** The whole last day; the moment as it was, if its day was not changed. */
const expiryOf = (day: string, key: TrackerKey | undefined): string =>
  key?.expiresAt?.slice(0, 10) === day ? key.expiresAt : `${day}T23:59:59Z`;

/** What the form says; an empty project, limit or expiry of a kept key takes it away. */
export function trackerKeyOf(form: FormData, key?: TrackerKey): Change {
  const said = (name: string) => String(form.get(name) ?? "").trim();
  const limit = (name: "requestsPerMinute" | "tokensPerMinute") =>
    said(name) ? { [name]: Number(said(name)) } : key?.[name] ? { [name]: 0 } : {};
  const networks = said("allowedIps")
    .split(/[\s,]+/)
    .filter(Boolean);
  return {
    name: said("name"),
    scopes: SCOPES.find(({ value }) => value === said("scopes"))?.scopes ?? ["ingest"],
    ...(said("projectId") ? { projectId: said("projectId") } : key?.projectId ? { projectId: null } : {}),
    ...(said("expiresOn")
      ? { expiresAt: expiryOf(said("expiresOn"), key) }
      : key?.expiresAt
        ? { expiresAt: null }
        : {}),
    ...(networks.length || key?.allowedIps.length ? { allowedIps: networks } : {}),
    ...limit("requestsPerMinute"),
    ...limit("tokensPerMinute"),
  };
}

type Props = {
  trackerKey?: TrackerKey | undefined;
  busy: boolean;
  failure: Error | null;
  onSave: (change: Change) => void;
};

/** What a key is for, what it may do, and within which bounds. */
export function TrackerKeyForm({ trackerKey: key, busy, failure, onSave }: Props) {
  const { data: known = [] } = useQuery(projects());
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onSave(trackerKeyOf(new FormData(event.currentTarget), key));
  };
  return (
    <form onSubmit={submit} className="mb-4 grid gap-3">
      <div className="grid items-end gap-3 sm:grid-cols-[1fr_1fr_auto]">
        <Field label="Name">
          {(parts) => (
            <Input
              {...parts}
              name="name"
              required
              placeholder="Checkout service"
              autoComplete="off"
              defaultValue={key?.name}
            />
          )}
        </Field>
        <Field label="May">
          {(parts) => (
            <Select {...parts} name="scopes" defaultValue={choiceOf(key)}>
              {SCOPES.map(({ value, name }) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Button type="submit" look="primary" busy={busy}>
          {key ? "Save" : "Make a key"}
        </Button>
      </div>
      <details open={Boolean(key)}>
        <summary className="cursor-pointer rounded text-[13px] text-muted">
          Project, expiry, networks and limits
        </summary>
        <div className="mt-3 grid gap-3 sm:grid-cols-2">
          <Field label="Project of calls that name none">
            {(parts) => (
              <Select {...parts} name="projectId" defaultValue={key?.projectId ?? ""}>
                <option value="">none</option>
                {known.map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <Field label="Works until" hint="Empty: until it is deleted.">
            {(parts) => (
              <Input {...parts} name="expiresOn" type="date" defaultValue={key?.expiresAt?.slice(0, 10) ?? ""} />
            )}
          </Field>
          <Field label="Only from these addresses or networks" className="sm:col-span-2">
            {(parts) => (
              <Input
                {...parts}
                name="allowedIps"
                placeholder="10.0.0.0/8, 203.0.113.7"
                autoComplete="off"
                defaultValue={key?.allowedIps.join(", ")}
              />
            )}
          </Field>
          <Limit label="Calls a minute through the gateway" name="requestsPerMinute" value={key?.requestsPerMinute} />
          <Limit label="Tokens a minute through the gateway" name="tokensPerMinute" value={key?.tokensPerMinute} />
        </div>
      </details>
      <InlineFailure failure={failure} />
    </form>
  );
}

function Limit({ label, name, value }: { label: string; name: string; value: number | null | undefined }) {
  return (
    <Field label={label}>
      {(parts) => (
        <Input {...parts} name={name} type="number" min={1} placeholder="no limit" defaultValue={value ?? undefined} />
      )}
    </Field>
  );
}
