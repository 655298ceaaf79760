import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Check, Radio } from "lucide-react";
import type { ReactNode } from "react";
import { newestRecord } from "@/api/queries";
import { useUsageStream } from "@/api/usage-stream";
import { ExamplePicker } from "@/components/integration/examples";
import { Button, buttonClasses } from "@/components/ui/button";
import { PageHead } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy";
import { InlineFailure } from "@/components/ui/states";
import { formatMoney } from "@/lib/money";
import { userService } from "@/services/user.service";

/** How often the page looks whether the first call has arrived. */
const POLL_MS = 1_500;

/** From nothing to the first call: a key, a request, and the call as it arrives. */
export function FirstSteps() {
  const client = useQueryClient();
  const create = useMutation({
    mutationFn: () => userService.createTrackerKey({ name: "First steps", scopes: ["ingest", "read"] }),
  });
  // The list is asked under another key, so that the overview does not take the page away before the call was shown.
  const arrival = useQuery({
    ...newestRecord(),
    queryKey: ["first-call"],
    refetchInterval: (query) => (query.state.data?.items.length ? false : POLL_MS),
    staleTime: 0,
  });
  // The stream says when it is there; asking again and again is for where a stream cannot be held open.
  useUsageStream(true, () => void arrival.refetch());
  const first = arrival.data?.items[0];
  const key = create.data?.apiKey;
  return (
    <div className="mx-auto max-w-3xl">
      <PageHead
        title="Record your first call"
        hint="Three steps. Nothing to install: any program that can send HTTP will do."
      />
      <ol className="flex flex-col gap-4">
        <Step number={1} title="Make a key" done={Boolean(key)}>
          {key ? (
            <>
              <p className="mb-2 text-muted">It is shown this once. It can record calls and read what they cost.</p>
              <div className="flex flex-wrap items-center gap-2">
                <code className="min-w-0 rounded-lg border bg-sunken px-3 py-1.5 font-mono text-[13px] break-all">
                  {key}
                </code>
                <CopyButton text={key} />
              </div>
            </>
          ) : (
            <>
              <p className="mb-3 text-muted">Your programs show it to this server.</p>
              <Button look="primary" busy={create.isPending} onClick={() => create.mutate()}>
                Make a key
              </Button>
              <div className="mt-2">
                <InlineFailure failure={create.error} />
              </div>
            </>
          )}
        </Step>
        <Step number={2} title="Send a call" done={Boolean(first)}>
          <p className="mb-3 text-muted">Say what was called and what was counted. The cost is computed here.</p>
          <ExamplePicker apiKey={key} />
        </Step>
        <Step number={3} title="See it arrive" done={Boolean(first)}>
          {first ? (
            <div role="status" className="flex flex-wrap items-center gap-3">
              <p className="flex-1">
                <span className="font-medium">{first.model}</span> of {first.service}:{" "}
                <span className="nums font-semibold">{formatMoney(first.cost)}</span>
              </p>
              <Link to="/records" search={{ record: first.id }} className={buttonClasses()}>
                Why this cost
              </Link>
              <Button
                look="primary"
                onClick={() => void client.invalidateQueries({ queryKey: newestRecord().queryKey })}
              >
                To the overview
              </Button>
            </div>
          ) : (
            <p role="status" className="flex items-center gap-2 text-muted">
              <Radio className="size-4 animate-pulse text-accent-text" />
              Waiting for the first call…
            </p>
          )}
        </Step>
      </ol>
      <p className="mt-5 text-muted">
        You have history? <code className="font-mono text-[13px]">ai-cost-tracker import calls.csv</code> brings it in.
        You only want to look around? Stop the server, run{" "}
        <code className="font-mono text-[13px]">ai-cost-tracker demo</code>, start it again and log in as it says.
      </p>
    </div>
  );
}

function Step({
  number,
  title,
  done,
  children,
}: {
  number: number;
  title: string;
  done: boolean;
  children: ReactNode;
}) {
  return (
    <li className="rounded-xl border bg-surface p-4 sm:p-5">
      <h2 className="mb-1 flex items-center gap-2.5 text-[15px] font-semibold">
        <span
          aria-hidden="true"
          className={`grid size-6 shrink-0 place-items-center rounded-full text-xs ${done ? "bg-accent text-accent-ink" : "bg-accent-soft text-accent-text"}`}
        >
          {done ? <Check className="size-3.5" /> : number}
        </span>
        {title}
        {done && <span className="sr-only">(done)</span>}
      </h2>
      <div className="pl-0 sm:pl-8.5">{children}</div>
    </li>
  );
}
