import { Link, type LinkProps } from "@tanstack/react-router";
import { ArrowDownRight, ArrowUpRight } from "lucide-react";
import type { ReactNode } from "react";
import { classes } from "@/lib/classes";
import { formatRate } from "@/lib/numbers";
import type { PeriodSearch } from "@/lib/period";

export type PeriodLink = {
  range?: PeriodSearch["range"];
  from?: string | undefined;
  to?: string | undefined;
  tz?: string | undefined;
};

type TileProps = {
  label: ReactNode;
  value: ReactNode;
  note: ReactNode;
  children?: ReactNode;
  link?: LinkProps;
  className?: string;
  action?: ReactNode;
};

/** A figure with its shape; a press opens what it is made of. */
export function Tile({ label, value, note, children, link, className, action }: TileProps) {
  return (
    <section
      className={classes(
        "relative flex min-h-[150px] min-w-0 flex-col rounded-xl border bg-surface p-4 md:col-span-2 xl:col-span-1",
        link && "hover:border-line-strong",
        className,
      )}
    >
      <div className="flex min-h-6 items-center justify-between gap-2">
        <h2 className="min-w-0 truncate text-[13px] font-medium text-muted">
          {link ? (
            <Link
              {...link}
              className="after:absolute after:inset-0 after:rounded-xl focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-accent"
            >
              {label}
            </Link>
          ) : (
            label
          )}
        </h2>
        {action}
      </div>
      <p className="nums mt-0.5 text-xl font-semibold tracking-tight wrap-anywhere sm:text-2xl">{value}</p>
      <div className="mt-0.5 text-[13px] leading-snug text-muted">{note}</div>
      {children && <div className="mt-auto pt-2">{children}</div>}
    </section>
  );
}

/** More spending is neither good nor bad by itself; the arrow says which way, the colour stays quiet. */
export function Change({ now, before, against }: { now: number; before: number; against: string }) {
  if (before <= 0) return <>nothing in {against}</>;
  const rate = (now - before) / before;
  const Arrow = rate > 0 ? ArrowUpRight : ArrowDownRight;
  return (
    <span>
      <span className="inline-flex items-center gap-0.5 font-medium text-ink">
        {rate !== 0 && <Arrow aria-hidden="true" className="size-3.5" />}
        {formatRate(rate)}
      </span>{" "}
      vs {against}
    </span>
  );
}
