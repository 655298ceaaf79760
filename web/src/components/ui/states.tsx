import { Inbox, Lock, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Failure } from "@/api/client";
import { classes } from "@/lib/classes";
import { Button } from "./button";

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden="true" className={classes("skeleton h-4", className)} />;
}

function Notice({ icon, title, children }: { icon: ReactNode; title: string; children?: ReactNode }) {
  return (
    <div className="mx-auto flex max-w-md flex-col items-center gap-2 px-4 py-10 text-center">
      <div className="grid size-10 place-items-center rounded-full bg-sunken text-muted [&_svg]:size-5">{icon}</div>
      <p className="font-semibold">{title}</p>
      <div className="text-muted">{children}</div>
    </div>
  );
}

export function Empty({ title, children, icon }: { title: string; children?: ReactNode; icon?: ReactNode }) {
  return (
    <Notice icon={icon ?? <Inbox />} title={title}>
      {children}
    </Notice>
  );
}

/** What the server says begins in small letters; and its last full stop may be missing. */
export const sentence = (text: string) => text.replace(/^./, (first) => first.toUpperCase()).replace(/\.$/, "");

/** Why there is nothing to see: no permission, gone, or something that can be tried again. */
export function FailureNotice({ failure, onRetry }: { failure: Error; onRetry?: () => void }) {
  const status = failure instanceof Failure ? failure.status : undefined;
  if (status === 403) {
    return (
      <Notice icon={<Lock />} title="You may not see this">
        {sentence(failure.message)}. Ask an administrator of this installation for the permission.
      </Notice>
    );
  }
  return (
    <div role="alert">
      <Notice icon={<TriangleAlert />} title={status === 404 ? "This does not exist" : "This could not be loaded"}>
        <p>
          {status === 404 ? `${failure.message}. It may have been deleted, or you are not a member.` : failure.message}
        </p>
        {onRetry && status !== 404 && (
          <Button className="mt-3" onClick={onRetry}>
            Try again
          </Button>
        )}
      </Notice>
    </div>
  );
}

/** A failure beside content that is still there. */
export function InlineFailure({ failure }: { failure: Error | null | undefined }) {
  if (!failure) return null;
  return (
    <p
      role="alert"
      className="flex items-start gap-2 rounded-lg bg-bad-soft px-3 py-2 text-bad [&_svg]:mt-0.5 [&_svg]:size-4 [&_svg]:shrink-0"
    >
      <TriangleAlert />
      <span>
        {failure.message}
        {failure instanceof Failure &&
          failure.details.length > 0 &&
          `: ${failure.details.map(({ field, message }) => `${field} ${message}`).join("; ")}`}
      </span>
    </p>
  );
}

type Tone = "plain" | "good" | "bad" | "warn" | "accent";
const TONES: Record<Tone, string> = {
  plain: "bg-sunken text-muted",
  good: "bg-sunken text-good",
  bad: "bg-bad-soft text-bad",
  warn: "bg-warn-soft text-warn",
  accent: "bg-accent-soft text-accent-text",
};

export function Badge({ tone = "plain", children, title }: { tone?: Tone; children: ReactNode; title?: string }) {
  return (
    <span
      title={title}
      className={classes(
        "inline-flex max-w-full items-center gap-1 overflow-hidden rounded-md px-1.5 py-0.5 text-xs font-medium text-ellipsis whitespace-nowrap",
        TONES[tone],
      )}
    >
      {children}
    </span>
  );
}
