import { KeyRound, Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import { ConfirmButton } from "@/components/ui/confirm";
import { FailureNotice, Skeleton } from "@/components/ui/states";
import { formatInstant } from "@/lib/days";

export const when = (at: string | null | undefined, timeZone: string): string =>
  at ? formatInstant(at, timeZone) : "never";

type KeyRow = { id: string; title: string; masked: string; note: string; badge: ReactNode; action?: ReactNode };

/** Keys as far as they can be seen. */
export function KeyList({
  state,
  rows,
  empty,
  onDelete,
}: {
  state: { error: Error | null; refetch: () => unknown };
  rows: KeyRow[] | undefined;
  empty: string;
  onDelete: (id: string) => void;
}) {
  if (state.error && !rows) return <FailureNotice failure={state.error} onRetry={() => void state.refetch()} />;
  if (!rows) return <Skeleton className="h-16" />;
  if (rows.length === 0) return <p className="min-h-16 text-muted">{empty}</p>;
  return (
    <ul className="divide-y">
      {rows.map(({ id, title, masked, note, badge, action }) => (
        <li key={id} className="flex items-center gap-3 py-2.5">
          <KeyRound aria-hidden="true" className="size-4 shrink-0 text-muted" />
          <div className="min-w-0 flex-1">
            <p className="flex flex-wrap items-center gap-x-2 font-medium">
              <span className="truncate">{title}</span>
              <code className="font-mono text-xs font-normal text-muted">{masked}</code>
              {badge}
            </p>
            <p className="text-[13px] text-muted">{note}</p>
          </div>
          {action}
          <ConfirmButton
            label={`Delete the key ${title}`}
            sure="Delete for good"
            icon={<Trash2 />}
            onConfirm={() => onDelete(id)}
          />
        </li>
      ))}
    </ul>
  );
}
