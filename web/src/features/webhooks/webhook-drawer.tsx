import { useMutation, useQueryClient } from "@tanstack/react-query";
import { RefreshCw, Send, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTimeZone } from "@/app/preferences";
import { SecretOnce } from "@/components/secret-once";
import { Button } from "@/components/ui/button";
import { ConfirmButton } from "@/components/ui/confirm";
import { Dialog } from "@/components/ui/dialog";
import { InlineFailure } from "@/components/ui/states";
import { toast } from "@/components/ui/toasts";
import { formatInstant } from "@/lib/days";
import { DeliveryLog } from "./delivery-log";
import {
  changeWebhook,
  deleteWebhook,
  rotateSecret,
  testWebhook,
  type WebhookChange,
  type WebhookView,
} from "./queries";
import { WebhookForm } from "./webhook-form";
import { WebhookState } from "./webhooks";

/** A webhook with what became of its deliveries. */
export function WebhookDrawer({ webhook, onClose }: { webhook: WebhookView; onClose: () => void }) {
  const client = useQueryClient();
  const timeZone = useTimeZone();
  const [editing, setEditing] = useState(false);
  const again = () => client.invalidateQueries({ queryKey: ["webhooks"] });
  const looked = () => client.invalidateQueries({ queryKey: ["deliveries", webhook.id] });
  const change = useMutation({
    mutationFn: (next: WebhookChange) => changeWebhook(webhook.id, next),
    onSuccess: () => setEditing(false),
    onSettled: again,
  });
  const rotate = useMutation({ mutationFn: () => rotateSecret(webhook.id), onSettled: again });
  const test = useMutation({
    mutationFn: () => testWebhook(webhook.id),
    onSuccess: () => toast("A test event is on its way; the log shows the answer."),
    onSettled: looked,
  });
  const remove = useMutation({ mutationFn: () => deleteWebhook(webhook.id), onSuccess: onClose, onSettled: again });
  const failure = rotate.error ?? test.error ?? remove.error ?? (editing ? null : change.error);
  return (
    <Dialog open onClose={onClose} shape="drawer" title={webhook.description || "Webhook"} description={webhook.url}>
      <div className="grid grid-cols-1 gap-5">
        <div className="flex flex-wrap items-center gap-2">
          <Button size="small" busy={test.isPending} onClick={() => test.mutate()}>
            <Send />
            Send a test
          </Button>
          <Button size="small" aria-pressed={editing} onClick={() => setEditing(!editing)}>
            Change
          </Button>
          <Button size="small" busy={change.isPending} onClick={() => change.mutate({ enabled: !webhook.enabled })}>
            {webhook.enabled ? "Switch off" : "Switch on"}
          </Button>
          <ConfirmButton
            label="New secret"
            sure="Make a new secret"
            icon={<RefreshCw />}
            onConfirm={() => rotate.mutate()}
          />
          <ConfirmButton
            label="Delete the webhook"
            sure="Delete it with its log"
            icon={<Trash2 />}
            onConfirm={() => remove.mutate()}
          />
          <WebhookState webhook={webhook} />
        </div>
        {webhook.disabledReason && (
          <p className="rounded-lg bg-bad-soft px-3 py-2 text-bad">Switched off: {webhook.disabledReason}</p>
        )}
        <InlineFailure failure={failure} />
        {rotate.data?.secret && (
          <SecretOnce title="Copy the new secret now. The old one signs for another day." secret={rotate.data.secret} />
        )}
        {!rotate.data && webhook.previousSecretUntil && Date.parse(webhook.previousSecretUntil) > Date.now() && (
          <p className="text-[13px] text-muted">
            The secret before signs until {formatInstant(webhook.previousSecretUntil, timeZone)}.
          </p>
        )}
        {editing && (
          <WebhookForm webhook={webhook} busy={change.isPending} failure={change.error} onSave={change.mutate} />
        )}
        <DeliveryLog webhookId={webhook.id} />
      </div>
    </Dialog>
  );
}
