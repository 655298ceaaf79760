import type { ComponentProps, ReactNode } from "react";
import { classes } from "@/lib/classes";

export function Card({ className, ...rest }: ComponentProps<"section">) {
  return <section {...rest} className={classes("min-w-0 rounded-xl border bg-surface", className)} />;
}

export function CardHead({
  title,
  hint,
  children,
  id,
}: {
  title: ReactNode;
  hint?: ReactNode;
  children?: ReactNode;
  id?: string;
}) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 pt-3.5 pb-2 sm:px-5">
      <div className="min-w-0 flex-1 basis-56">
        <h2 id={id} className="text-[15px] font-semibold">
          {title}
        </h2>
        {hint && <p className="text-[13px] text-muted">{hint}</p>}
      </div>
      {children}
    </div>
  );
}

export function PageHead({ title, hint, children }: { title: string; hint?: ReactNode; children?: ReactNode }) {
  return (
    <header className="mb-4 flex flex-wrap items-end gap-x-4 gap-y-3">
      <div className="min-w-0 flex-1 basis-64">
        <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
        {hint && <p className="mt-0.5 text-muted">{hint}</p>}
      </div>
      <div className="flex flex-wrap items-center gap-2">{children}</div>
    </header>
  );
}
