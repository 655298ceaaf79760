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

/** A change in percent, with its sign. */
export function formatRate(rate: number): string {
  const percent = Math.abs(rate * 100);
  const text = percent >= 1000 ? whole.format(Math.round(percent)) : percent.toFixed(1);
  return `${rate > 0 ? "+" : rate < 0 ? "−" : ""}${text} %`;
}

export function formatMs(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1000) return `${ms} ms`;
  return ms < 60_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}
