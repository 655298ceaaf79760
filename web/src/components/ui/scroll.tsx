import type { ComponentProps } from "react";

/** What scrolls must be reachable by keyboard, and say what it is. */
export function ScrollRegion({ label, ...rest }: ComponentProps<"section"> & { label: string }) {
  // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
  return <section {...rest} aria-label={label} tabIndex={0} />;
}
