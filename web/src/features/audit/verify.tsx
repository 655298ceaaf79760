import { useMutation } from "@tanstack/react-query";
import { ShieldAlert, ShieldCheck } from "lucide-react";
import { api, dataOf } from "@/api/client";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy";
import { InlineFailure } from "@/components/ui/states";
import { counted } from "@/lib/numbers";

/** Has the server compute the chain of hashes anew. */
export function Verify() {
  const check = useMutation({ mutationFn: () => dataOf(api.GET("/api/audit/verify")) });
  return (
    <>
      <Button size="small" className="h-8" busy={check.isPending} onClick={() => check.mutate()}>
        <ShieldCheck />
        Verify the chain
      </Button>
      <InlineFailure failure={check.error} />
      {check.data && (
        <div
          role="status"
          className={`flex w-full flex-wrap items-center gap-x-3 gap-y-1 rounded-lg px-3 py-2 [&_svg]:size-4 ${check.data.isWhole ? "bg-accent-soft" : "bg-bad-soft text-bad"}`}
        >
          {check.data.isWhole ? <ShieldCheck /> : <ShieldAlert />}
          <span className="font-medium">
            {check.data.isWhole
              ? `The log is whole: ${counted(check.data.entries, "entry", "entries")}.`
              : `The log was tampered with at entry ${check.data.brokenAt}.`}
          </span>
          <span className="flex min-w-0 items-center gap-2 text-[13px]">
            Head <code className="min-w-0 truncate font-mono text-xs">{check.data.head}</code>
            <CopyButton text={check.data.head} />
          </span>
          <span className="text-[13px] text-muted">Noted elsewhere, it shows later whether the end was cut off.</span>
        </div>
      )}
    </>
  );
}
