import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil } from "lucide-react";
import { useState } from "react";
import type { Schemas } from "@/api/client";
import { trackerKeys } from "@/api/queries";
import { useTimeZone } from "@/app/preferences";
import { SecretOnce } from "@/components/secret-once";
import { Button } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { Dialog } from "@/components/ui/dialog";
import { Badge } from "@/components/ui/states";
import { toast } from "@/components/ui/toasts";
import { type TrackerKey, userService } from "@/services/user.service";
import { ApiKeyIntegration } from "./api-key-integration";
import { KeyList, when } from "./key-list";
import { TrackerKeyForm } from "./tracker-key-form";

type Change = Schemas["TrackerKeyChange"];

/** Keys that one's programs show to this server. */
export function TrackerKeys() {
  const client = useQueryClient();
  const keys = useQuery(trackerKeys());
  const timeZone = useTimeZone();
  const [guide, setGuide] = useState(false);
  const [open, setOpen] = useState<TrackerKey>();
  const again = () => client.invalidateQueries({ queryKey: trackerKeys().queryKey });
  const create = useMutation({ mutationFn: userService.createTrackerKey, onSuccess: again });
  const remove = useMutation({
    mutationFn: userService.deleteTrackerKey,
    onSuccess: () => toast("The key is deleted; it works no more."),
    onError: (failure) => toast(failure.message, true),
    onSettled: again,
  });
  return (
    <Card>
      <CardHead title="Tracker keys" hint="Your programs show one to this server." />
      <div className="px-4 pb-4 sm:px-5">
        <TrackerKeyForm busy={create.isPending} failure={create.error} onSave={create.mutate} />
        {create.data && (
          <div className="mb-4 grid gap-2">
            <SecretOnce title={`Copy “${create.data.name}” now. It is not shown again.`} secret={create.data.apiKey} />
            <Button size="small" className="justify-self-start" onClick={() => setGuide(true)}>
              How to use it
            </Button>
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
            note: noteOf(key, timeZone),
            badge: key.isActive ? undefined : <Badge tone="bad">expired</Badge>,
            action: (
              <Button
                look="quiet"
                size="small-icon"
                aria-label={`Change the key ${key.name}`}
                onClick={() => setOpen(key)}
              >
                <Pencil />
              </Button>
            ),
          }))}
          onDelete={(id) => remove.mutate(id)}
        />
      </div>
      {open && <ChangeKey trackerKey={open} onClose={() => setOpen(undefined)} onChanged={again} />}
    </Card>
  );
}

function noteOf(key: TrackerKey, timeZone: string): string {
  return [
    key.scopes.join(", "),
    key.expiresAt && `until ${when(key.expiresAt, timeZone)}`,
    key.allowedIps.length > 0 && `only from ${key.allowedIps.join(", ")}`,
    key.requestsPerMinute && `${key.requestsPerMinute} calls a minute`,
    key.tokensPerMinute && `${key.tokensPerMinute} tokens a minute`,
    `last used ${when(key.lastUsedAt, timeZone)}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

function ChangeKey({
  trackerKey,
  onClose,
  onChanged,
}: {
  trackerKey: TrackerKey;
  onClose: () => void;
  onChanged: () => unknown;
}) {
  const change = useMutation({
    mutationFn: (next: Change) => userService.updateTrackerKey(trackerKey.keyId, next),
    onSuccess() {
      toast("The key is changed; it stays the same secret.");
      onClose();
    },
    onSettled: onChanged,
  });
  return (
    <Dialog open onClose={onClose} shape="medium" title={`Key ${trackerKey.name}`} description={trackerKey.maskedKey}>
      <TrackerKeyForm trackerKey={trackerKey} busy={change.isPending} failure={change.error} onSave={change.mutate} />
    </Dialog>
  );
}
