import { History } from "lucide-react";
import type { Schemas } from "@/api/client";
import { formatInstant } from "@/lib/days";

/** Says where figures rest on sums alone, because their records were deleted by age. */
export function RecordsGone({ period }: { period: Schemas["PeriodView"] }) {
  if (!period.recordsFrom) return null;
  return (
    <p className="flex items-start gap-2 rounded-lg bg-warn-soft px-3 py-2 text-[13px] text-warn [&_svg]:mt-0.5 [&_svg]:size-4 [&_svg]:shrink-0">
      <History aria-hidden="true" />
      <span>
        Records from before {formatInstant(period.recordsFrom, period.timeZone)} were deleted by age. Sums by day,
        project, account, provider and model are whole; whatever else is asked for, and durations, lack what was before.
      </span>
    </p>
  );
}
