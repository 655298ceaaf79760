import { History } from "lucide-react";
import type { ReactNode } from "react";
import type { Schemas } from "@/api/client";
import { classes } from "@/lib/classes";
import { formatInstant } from "@/lib/days";

/** Says where figures rest on sums alone, because their records were deleted by age. */
export function RecordsGone({ period }: { period: Schemas["PeriodView"] }) {
  if (!period.recordsFrom) return null;
  return (
    <Gone>
      Records from before {formatInstant(period.recordsFrom, period.timeZone)} were deleted by age. Sums by day,
      project, account, provider, model and source of the cost are whole; whatever else is asked for, and durations,
      lack what was before.
    </Gone>
  );
}

/** Says where a list of records begins, because earlier ones were deleted by age. */
export function ListGone({ from, timeZone }: { from: string | null | undefined; timeZone: string }) {
  if (!from) return null;
  return (
    <Gone className="mb-3">
      Records from before {formatInstant(from, timeZone)} were deleted by age: this list does not have them, though the
      period begins before. Their sums are on the overview and in the explorer.
    </Gone>
  );
}

const Gone = ({ className, children }: { className?: string; children: ReactNode }) => (
  <p
    className={classes(
      "flex items-start gap-2 rounded-lg bg-warn-soft px-3 py-2 text-[13px] text-warn [&_svg]:mt-0.5 [&_svg]:size-4 [&_svg]:shrink-0",
      className,
    )}
  >
    <History aria-hidden="true" />
    <span>{children}</span>
  </p>
);
