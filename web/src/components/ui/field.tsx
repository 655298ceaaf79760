import { type ComponentProps, type ReactNode, useId } from "react";
import { classes } from "@/lib/classes";

const BOX =
  "h-9 w-full min-w-0 rounded-lg border border-line-strong/60 bg-surface px-3 text-ink placeholder:text-muted aria-invalid:border-bad disabled:opacity-60";

export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input {...rest} className={classes(BOX, className)} />;
}

export function Textarea({ className, ...rest }: ComponentProps<"textarea">) {
  return <textarea {...rest} className={classes(BOX, "h-auto min-h-20 py-2", className)} />;
}

export function Select({ className, children, ...rest }: ComponentProps<"select">) {
  return (
    <select {...rest} className={classes(BOX, "pr-8", className)}>
      {children}
    </select>
  );
}

type Parts = { id: string; "aria-describedby": string | undefined; "aria-invalid": boolean | undefined };

/** A labelled control with its hint and what is wrong with it. */
export function Field({
  label,
  hint,
  problem,
  className,
  children,
}: {
  label: ReactNode;
  hint?: ReactNode;
  problem?: string | undefined;
  className?: string;
  children: (parts: Parts) => ReactNode;
}) {
  const id = useId();
  const described = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ");
  return (
    <div className={classes("min-w-0", className)}>
      <label htmlFor={id} className="mb-1 block text-[13px] font-medium">
        {label}
      </label>
      {children({ id, "aria-describedby": described || undefined, "aria-invalid": problem ? true : undefined })}
      {hint && (
        <p id={`${id}-hint`} className="mt-1 text-[13px] text-muted">
          {hint}
        </p>
      )}
      {problem && (
        <p id={`${id}-problem`} className="mt-1 text-[13px] text-bad">
          {problem}
        </p>
      )}
    </div>
  );
}

export function Checkbox({
  label,
  hint,
  className,
  ...rest
}: ComponentProps<"input"> & { label: ReactNode; hint?: ReactNode }) {
  return (
    <label className={classes("flex items-start gap-2.5", className)}>
      <input type="checkbox" {...rest} className="mt-0.5 size-4 accent-accent" />
      <span>
        {label}
        {hint && <span className="block text-[13px] text-muted">{hint}</span>}
      </span>
    </label>
  );
}
