import type { ComponentProps, ReactNode } from "react";
import { classes } from "@/lib/classes";
import { ScrollRegion } from "./scroll";

type Column = { name: ReactNode; align?: "right"; className?: string };

/** Rows with a head that stays, in a region that scrolls. */
export function Table({
  label,
  columns,
  className,
  children,
}: {
  label: string;
  columns: readonly Column[];
  className?: string;
  children: ReactNode;
}) {
  return (
    <ScrollRegion label={label} className={classes("max-h-[36rem] overflow-auto -outline-offset-2", className)}>
      <table className="w-full text-[13px] [&_tr>:first-child]:pl-4 sm:[&_tr>:first-child]:pl-5 [&_tr>:last-child]:pr-4 sm:[&_tr>:last-child]:pr-5">
        <thead className="sticky top-0 z-10 bg-sunken text-muted">
          <tr>
            {columns.map(({ name, align, className: own }, index) => (
              <th
                // biome-ignore lint/suspicious/noArrayIndexKey: columns do not move
                key={index}
                scope="col"
                className={classes("px-3 py-2 font-medium whitespace-nowrap", align ? "text-right" : "text-left", own)}
              >
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </ScrollRegion>
  );
}

export const Row = ({ className, ...rest }: ComponentProps<"tr">) => (
  <tr {...rest} className={classes("border-t align-top hover:bg-sunken", className)} />
);
export const RowHead = ({ className, ...rest }: ComponentProps<"th">) => (
  <th scope="row" {...rest} className={classes("px-3 py-2 text-left font-normal", className)} />
);
export const Cell = ({ className, right, ...rest }: ComponentProps<"td"> & { right?: boolean }) => (
  <td {...rest} className={classes("px-3 py-2", right && "text-right whitespace-nowrap", className)} />
);
