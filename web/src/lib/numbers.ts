const whole = new Intl.NumberFormat("en-US");
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

export const formatCount = (count: number): string => whole.format(count);
export const formatCompact = (count: number): string =>
  Math.abs(count) < 10_000 ? whole.format(count) : compact.format(count);

export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${whole.format(count)} ${count === 1 ? one : many}`;

/** One decimal, rounded towards zero: 100 % is all of them. */
export function formatShare(part: number): string {
  return `${(Math.trunc(part * 1000) / 10).toFixed(1)} %`;
}

/** A change in percent, with its sign unless it rounds to nothing. */
export function formatRate(rate: number): string {
  const percent = Math.abs(rate * 100);
  const text = percent >= 1000 ? whole.format(Math.round(percent)) : percent.toFixed(1);
  return `${text === "0.0" ? "" : rate > 0 ? "+" : "−"}${text} %`;
}

export function formatMs(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${whole.format(Math.floor(seconds / 3_600))} h ${Math.floor((seconds % 3_600) / 60)} min`;
}
