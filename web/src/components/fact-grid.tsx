import { Link, type LinkProps } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { classes } from "@/lib/classes";

export type Fact = {
  name: string;
  value: ReactNode;
  note?: ReactNode;
  title?: string | undefined;
  link?: LinkProps | undefined;
};

/** Figures side by side, in one frame. */
export function FactGrid({ facts, className }: { facts: readonly Fact[]; className?: string }) {
  return (
    <dl className={classes("grid gap-px overflow-hidden rounded-lg border bg-line", className)}>
      {facts.map(({ name, value, note, title, link }) => (
        <div key={name} className="min-w-0 bg-surface px-3 py-2" title={title}>
          <dt className="truncate text-xs text-muted">{name}</dt>
          <dd className="nums text-lg leading-snug font-semibold [overflow-wrap:anywhere]">
            {link ? (
              <Link {...link} className="rounded underline-offset-2 hover:underline">
                {value}
              </Link>
            ) : (
              value
            )}
          </dd>
          {note && <dd className="nums text-xs text-muted">{note}</dd>}
        </div>
      ))}
    </dl>
  );
}
