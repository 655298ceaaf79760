import type { FormEvent } from "react";
import { Button } from "@/components/ui/button";
import { Checkbox, Field, Input, Select } from "@/components/ui/field";
import { InlineFailure } from "@/components/ui/states";
import { EVENTS, type EventType, type WebhookChange, type WebhookView } from "./queries";

const FORMATS = {
  "": "As its host suggests",
  json: "JSON",
  slack: "Slack",
  discord: "Discord",
  teams: "Teams",
} as const;
/** The test is sent to whom it is for, whether or not they ask for it. */
const ASKED = (Object.keys(EVENTS) as EventType[]).filter((event) => event !== "webhook.test");

function changeOf(form: FormData): WebhookChange {
  const format = String(form.get("format") ?? "");
  const events = form.getAll("events").map(String) as EventType[];
  return {
    url: String(form.get("url") ?? "").trim(),
    description: String(form.get("description") ?? "").trim(),
    // None of them means all of them.
    events: events.length === ASKED.length ? [] : events,
    ...(format ? { format: format as NonNullable<WebhookChange["format"]> } : {}),
  };
}

type Props = {
  webhook?: WebhookView | undefined;
  busy: boolean;
  failure: Error | null;
  onSave: (change: WebhookChange) => void;
};

/** Where a webhook goes, and what it is told of. */
export function WebhookForm({ webhook, busy, failure, onSave }: Props) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onSave(changeOf(new FormData(event.currentTarget)));
  };
  const asks = (event: EventType) => !webhook?.events.length || webhook.events.includes(event);
  return (
    <form onSubmit={submit} className="grid gap-4 sm:grid-cols-2">
      <Field label="URL" className="sm:col-span-2">
        {(parts) => (
          <Input
            {...parts}
            name="url"
            type="url"
            required
            placeholder="https://example.com/hooks/costs"
            defaultValue={webhook?.url}
          />
        )}
      </Field>
      <Field label="What it is for">
        {(parts) => <Input {...parts} name="description" autoComplete="off" defaultValue={webhook?.description} />}
      </Field>
      <Field label="Format">
        {(parts) => (
          <Select {...parts} name="format" defaultValue={webhook?.format ?? ""}>
            {Object.entries(FORMATS)
              .filter(([value]) => !webhook || value)
              .map(([value, name]) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
          </Select>
        )}
      </Field>
      <fieldset className="sm:col-span-2">
        <legend className="mb-1.5 text-[13px] font-medium">It is told when</legend>
        <div className="grid gap-2 sm:grid-cols-2">
          {ASKED.map((event) => (
            <Checkbox
              key={event}
              name="events"
              value={event}
              defaultChecked={asks(event)}
              label={EVENTS[event]}
              hint={<code className="font-mono text-xs">{event}</code>}
            />
          ))}
        </div>
      </fieldset>
      <div className="sm:col-span-2">
        <InlineFailure failure={failure} />
      </div>
      <div className="flex justify-end sm:col-span-2">
        <Button type="submit" look="primary" busy={busy}>
          {webhook ? "Save" : "Make the webhook"}
        </Button>
      </div>
    </form>
  );
}
