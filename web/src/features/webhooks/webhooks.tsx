import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus, Webhook } from "lucide-react";
import { useState } from "react";
import { projects } from "@/api/queries";
import { useTimeZone } from "@/app/preferences";
import { SecretOnce } from "@/components/secret-once";
import { Button } from "@/components/ui/button";
import { Card, PageHead } from "@/components/ui/card";
import { Dialog } from "@/components/ui/dialog";
import { Select } from "@/components/ui/field";
import { Loaded } from "@/components/ui/loaded";
import { Badge, Empty } from "@/components/ui/states";
import { formatInstant } from "@/lib/days";
import { createWebhook, type WebhookChange, type WebhookView, webhooks } from "./queries";
import { WebhookDrawer } from "./webhook-drawer";
import { WebhookForm } from "./webhook-form";

const route = getRouteApi("/webhooks");

/** Programs that are told of events. */
export function Webhooks() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data: known = [] } = useQuery(projects());
  const list = useQuery(webhooks(search.project));
  const mine = known.filter(({ role }) => role === "owner" || role === "admin");
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: (old) => ({ ...old, ...next }), resetScroll: false });
  const open = list.data?.find(({ id }) => id === search.webhook);
  return (
    <>
      <PageHead title="Webhooks" hint="Programs that are told of events by signed HTTP calls.">
        <Select
          aria-label="Whose webhooks"
          className="w-auto max-w-56"
          value={search.project ?? ""}
          onChange={(event) => change({ project: event.target.value || undefined, webhook: undefined })}
        >
          <option value="">Mine</option>
          {mine.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Select>
        <Button look="primary" onClick={() => change({ new: "yes" })}>
          <Plus />
          New webhook
        </Button>
      </PageHead>
      <Loaded query={list} skeleton="h-64">
        {(all) => (
          <Card>
            {all.length === 0 && (
              <Empty icon={<Webhook />} title="No webhook yet">
                A webhook tells Slack, Teams, Discord or your own program when a budget is used up, a call has no price,
                or a key was added.
              </Empty>
            )}
            <ul className="divide-y">
              {all.map((webhook) => (
                <WebhookRow key={webhook.id} webhook={webhook} />
              ))}
            </ul>
          </Card>
        )}
      </Loaded>
      {open && <WebhookDrawer key={open.id} webhook={open} onClose={() => change({ webhook: undefined })} />}
      {search.new && <NewWebhook projectId={search.project} onClose={() => change({ new: undefined })} />}
    </>
  );
}

function WebhookRow({ webhook }: { webhook: WebhookView }) {
  return (
    <li className="relative flex items-center gap-3 px-4 py-3 hover:bg-sunken sm:px-5">
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-2">
          <Link
            from="/webhooks"
            to="/webhooks"
            search={(old) => ({ ...old, webhook: webhook.id })}
            resetScroll={false}
            className="min-w-0 truncate font-medium after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
          >
            {webhook.description || webhook.url}
          </Link>
          <WebhookState webhook={webhook} />
        </p>
        <p className="truncate text-[13px] text-muted">
          {webhook.description && `${webhook.url} · `}
          {webhook.events.length ? webhook.events.join(", ") : "every event"}
        </p>
        {webhook.disabledReason && <p className="text-[13px] text-bad">{webhook.disabledReason}</p>}
      </div>
      <Badge>{webhook.format}</Badge>
    </li>
  );
}

export function WebhookState({ webhook }: { webhook: WebhookView }) {
  const timeZone = useTimeZone();
  if (!webhook.enabled) return <Badge tone="bad">switched off</Badge>;
  if (webhook.failingSince)
    return <Badge tone="warn">failing since {formatInstant(webhook.failingSince, timeZone)}</Badge>;
  return webhook.ofBudget ? <Badge>of a budget's alert</Badge> : null;
}

function NewWebhook({ projectId, onClose }: { projectId: string | undefined; onClose: () => void }) {
  const client = useQueryClient();
  const [made, setMade] = useState<WebhookView>();
  const create = useMutation({
    mutationFn: (change: WebhookChange) => createWebhook({ ...change, ...(projectId ? { projectId } : {}) }),
    onSuccess: setMade,
    onSettled: () => client.invalidateQueries({ queryKey: ["webhooks"] }),
  });
  return (
    <Dialog open onClose={onClose} shape="medium" title="New webhook">
      {made ? (
        <div className="grid gap-4">
          {made.secret && (
            <SecretOnce
              title="Copy its secret now: the receiver checks signatures with it. It is not shown again."
              secret={made.secret}
            />
          )}
          <div className="flex justify-end">
            <Button look="primary" onClick={onClose}>
              Done
            </Button>
          </div>
        </div>
      ) : (
        <WebhookForm busy={create.isPending} failure={create.error} onSave={create.mutate} />
      )}
    </Dialog>
  );
}
