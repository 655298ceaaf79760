import type { ComponentProps } from "react";
import { classes } from "@/lib/classes";

const LOOKS = {
  primary: "bg-accent text-accent-ink hover:brightness-110 border-transparent",
  plain: "bg-surface text-ink hover:bg-sunken border-line",
  quiet: "bg-transparent text-muted hover:text-ink hover:bg-sunken border-transparent",
  danger: "bg-surface text-bad hover:bg-bad-soft border-line",
};
const SIZES = {
  small: "h-7 px-2 text-[13px] gap-1.5",
  normal: "h-9 px-3 gap-2",
  icon: "size-9 justify-center",
  "small-icon": "size-7 justify-center",
};

export type ButtonProps = ComponentProps<"button"> & {
  look?: keyof typeof LOOKS;
  size?: keyof typeof SIZES;
  busy?: boolean;
};

export const buttonClasses = (look: keyof typeof LOOKS = "plain", size: keyof typeof SIZES = "normal"): string =>
  classes(
    "inline-flex shrink-0 items-center justify-center rounded-lg border font-medium whitespace-nowrap transition-colors select-none disabled:opacity-50 [&_svg]:size-4 [&_svg]:shrink-0",
    LOOKS[look],
    SIZES[size],
  );

export function Button({ look = "plain", size = "normal", busy, className, children, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={classes(buttonClasses(look, size), className)}
    >
      {children}
    </button>
  );
}
