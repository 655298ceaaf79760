import { notifyManager, type Query, useQueryClient } from "@tanstack/react-query";
import { CloudOff } from "lucide-react";
import { useCallback, useEffect, useSyncExternalStore } from "react";
import { Button } from "@/components/ui/button";
import { sentence } from "@/components/ui/states";
import { useTimeZone } from "./preferences";

/** How often it is tried to get what is shown anew. */
const AGAIN_MS = 10_000;

/** What is shown is of an earlier answer: the last attempt to get it failed, or waits for the network. */
const isOld = (query: Query): boolean =>
  query.isActive() &&
  query.state.data !== undefined &&
  (query.state.status === "error" || query.state.fetchStatus === "paused");

/** Says that figures are not of now, since when, and why; and goes when they are again. */
export function OldNotice() {
  const client = useQueryClient();
  const timeZone = useTimeZone();
  const subscribe = useCallback(
    (listener: () => void) => client.getQueryCache().subscribe(notifyManager.batchCalls(listener)),
    [client],
  );
  const old = useSyncExternalStore(subscribe, () => client.getQueryCache().getAll().find(isOld));
  const again = useCallback(() => void client.refetchQueries({ predicate: isOld }), [client]);
  useEffect(() => {
    if (!old) return;
    const timer = setInterval(again, AGAIN_MS);
    return () => clearInterval(timer);
  }, [old, again]);
  if (!old) return null;
  const at = new Date(old.state.dataUpdatedAt).toLocaleTimeString("en-GB", { timeZone });
  return (
    <div
      role="status"
      className="mb-4 flex flex-wrap items-center gap-x-3 gap-y-1 rounded-lg bg-warn-soft px-3 py-2 text-warn"
    >
      <CloudOff aria-hidden="true" className="size-4 shrink-0" />
      <p className="min-w-0 flex-1">
        {sentence(old.state.error?.message ?? "There is no network")}. Some of what you see is of {at}.
      </p>
      <Button size="small" onClick={again}>
        Try again
      </Button>
    </div>
  );
}
