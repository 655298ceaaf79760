import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { RotateCcw } from "lucide-react";
import { useTimeZone } from "@/app/preferences";
import { DeliveryBadge } from "@/components/delivery-badge";
import { Button } from "@/components/ui/button";
import { Loaded } from "@/components/ui/loaded";
import { toast } from "@/components/ui/toasts";
import { formatInstant } from "@/lib/days";
import { counted, formatMs } from "@/lib/numbers";
import { type DeliveryView, deliveries, replayDelivery } from "./queries";

/** What was sent, how often it was tried, and what was answered. */
export function DeliveryLog({ webhookId }: { webhookId: string }) {
  const list = useInfiniteQuery(deliveries(webhookId));
  return (
    <section aria-labelledby="deliveries">
      <h3 id="deliveries" className="mb-2 font-semibold">
        Deliveries
      </h3>
      <Loaded query={list} skeleton="h-40">
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          if (items.length === 0)
            return <p className="text-muted">Nothing was sent yet. A test shows whether it arrives.</p>;
          return (
            <>
              <ul className="divide-y rounded-lg border">
                {items.map((delivery) => (
                  <DeliveryRow key={delivery.id} webhookId={webhookId} delivery={delivery} />
                ))}
              </ul>
              {list.hasNextPage && (
                <Button className="mt-3" busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                  Show earlier ones
                </Button>
              )}
            </>
          );
        }}
      </Loaded>
    </section>
  );
}

function DeliveryRow({ webhookId, delivery }: { webhookId: string; delivery: DeliveryView }) {
  const client = useQueryClient();
  const timeZone = useTimeZone();
  const replay = useMutation({
    mutationFn: () => replayDelivery(webhookId, delivery.id),
    onSuccess: () => toast("It is sent again, with the same webhook-id."),
    onError: (failure) => toast(failure.message, true),
    onSettled: () => client.invalidateQueries({ queryKey: ["deliveries", webhookId] }),
  });
  return (
    <li className="px-3 py-2.5">
      <div className="flex items-center gap-2">
        <DeliveryBadge state={delivery.state} />
        <code className="min-w-0 flex-1 truncate font-mono text-xs">{delivery.event}</code>
        {delivery.state !== "waiting" && (
          <Button size="small" busy={replay.isPending} onClick={() => replay.mutate()}>
            <RotateCcw />
            Send again
          </Button>
        )}
      </div>
      <p className="mt-1 text-[13px] text-muted">
        {formatInstant(delivery.occurredAt, timeZone, true)} · {counted(delivery.attempts, "attempt")}
        {delivery.nextAttemptAt && ` · next ${formatInstant(delivery.nextAttemptAt, timeZone, true)}`}
      </p>
      {delivery.reason && <p className="text-[13px] text-bad">{delivery.reason}</p>}
      {delivery.log.length > 0 && (
        <details className="mt-1 text-[13px]">
          <summary className="cursor-pointer rounded text-muted">Attempts</summary>
          <ol className="mt-1 grid gap-1 border-l pl-3">
            {delivery.log.map((attempt) => (
              <li key={attempt.at}>
                <span className="nums">{formatInstant(attempt.at, timeZone, true)}</span>:{" "}
                <span className={attempt.failure ? "text-bad" : "text-good"}>
                  {attempt.status ?? "no answer"} after {formatMs(attempt.latencyMs)}
                </span>
                {attempt.failure && <span className="text-muted"> – {attempt.failure}</span>}
                {attempt.response && (
                  <pre className="mt-1 rounded border bg-sunken p-2 font-mono text-xs break-words whitespace-pre-wrap">
                    {attempt.response}
                  </pre>
                )}
              </li>
            ))}
          </ol>
        </details>
      )}
    </li>
  );
}
