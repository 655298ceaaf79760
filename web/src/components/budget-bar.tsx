import { STANDINGS, type Standing, standingOf } from "@/lib/budget";
import { classes } from "@/lib/classes";
import { formatShare } from "@/lib/numbers";

const TONES: Record<Standing, string> = { fine: "bg-accent", ahead: "bg-warn", near: "bg-warn", over: "bg-bad" };

type Props = {
  /** Part of the amount, 0 to 1 and beyond. */
  used: number;
  /** How much of the period is over. */
  pace?: number | undefined;
  /** Percent at which people are told. */
  thresholds?: readonly number[];
};

/** How much of a budget is used, with a mark for the time that has passed. */
export function BudgetBar({ used, pace, thresholds = [] }: Props) {
  const standing = standingOf(used, pace, thresholds);
  return (
    <div
      className="relative h-2 rounded-full bg-sunken"
      role="img"
      aria-label={`${formatShare(used)} used, ${STANDINGS[standing]}${pace === undefined ? "" : `; ${formatShare(pace)} of the period is over`}`}
    >
      <div
        className={classes("h-full rounded-full", TONES[standing])}
        style={{ width: `${Math.min(100, Math.max(used > 0 ? 1 : 0, used * 100))}%` }}
      />
      {thresholds
        .filter((threshold) => threshold < 100)
        .map((threshold) => (
          <div
            key={threshold}
            title={`Alert at ${threshold} %`}
            className="absolute inset-y-0 w-px bg-ink/40"
            style={{ left: `${threshold}%` }}
          />
        ))}
      {pace !== undefined && (
        <div
          title="How much of the period is over"
          className="absolute -inset-y-1 w-0.5 rounded bg-ink"
          style={{ left: `${Math.min(100, pace * 100)}%` }}
        />
      )}
    </div>
  );
}
