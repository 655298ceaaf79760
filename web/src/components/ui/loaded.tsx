import type { ReactNode } from "react";
import { classes } from "@/lib/classes";
import { FailureNotice, Skeleton } from "./states";

type Query<Data> = {
  data: Data | undefined;
  error: Error | null;
  isPlaceholderData?: boolean;
  refetch: () => unknown;
};

type Props<Data> = {
  query: Query<Data>;
  /** How high the content will be, so that nothing jumps. */
  skeleton?: string;
  className?: string;
  children: (data: Data) => ReactNode;
};

/** What was asked for; until then that it is being loaded, or why it cannot be. */
export function Loaded<Data>({ query, skeleton = "h-64", className, children }: Props<Data>) {
  if (query.data === undefined && query.error)
    return <FailureNotice failure={query.error} onRetry={() => void query.refetch()} />;
  if (query.data === undefined) {
    return (
      <div role="status" aria-label="Loading" className={className}>
        <Skeleton className={skeleton} />
      </div>
    );
  }
  const stale = query.isPlaceholderData ?? false;
  return (
    <div className={classes("min-w-0", className, stale && "stale")} aria-busy={stale}>
      {children(query.data)}
    </div>
  );
}
