import type { Money } from "@/api/money-json";

const NANOS = 1_000_000_000n;

/** Nano-dollars, exact. The server prints at most nine decimals. */
export function nanosOf(money: Money | string): bigint {
  const [, sign, whole = "0", fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(money) ?? fail(money);
  const size = BigInt(whole) * NANOS + BigInt(fraction.padEnd(9, "0").slice(0, 9) || "0");
  return sign ? -size : size;
}

function fail(text: string): never {
  throw new Error(`not an amount of money: ${text}`);
}

/** The exact digits of nano-dollars. */
export function moneyOf(nanos: bigint): Money {
  const size = nanos < 0n ? -nanos : nanos;
  const fraction = (size % NANOS).toString().padStart(9, "0").replace(/0+$/, "");
  return `${nanos < 0n ? "-" : ""}${size / NANOS}${fraction && `.${fraction}`}` as Money;
}

export const sumOf = (amounts: Iterable<Money>): Money =>
  moneyOf([...amounts].reduce((sum, next) => sum + nanosOf(next), 0n));
export const differenceOf = (after: Money, before: Money): Money => moneyOf(nanosOf(after) - nanosOf(before));

/** For charts and ratios only. */
export const numberOf = (money: Money): number => Number(money);

const grouped = new Intl.NumberFormat("en-US");

/** Two decimals from a dollar, four significant digits below; what is not zero is never shown as zero. */
export function formatMoney(money: Money | null | undefined): string {
  if (money === null || money === undefined) return "unknown";
  const nanos = nanosOf(money);
  const size = nanos < 0n ? -nanos : nanos;
  const sign = nanos < 0n ? "−" : "";
  if (size === 0n) return "$0.00";
  if (size < 100_000n) return `${sign}<$0.0001`;
  if (size >= NANOS) return sign + dollars(rounded(size, 10_000_000n), 2);
  // Below a dollar: four significant digits, at least two decimals.
  const digits = size.toString().length;
  const unit = 10n ** BigInt(Math.max(0, digits - 4));
  const short = rounded(size, unit) * unit;
  if (short >= NANOS) return `${sign}$1.00`;
  const fraction = short.toString().padStart(9, "0").replace(/0+$/, "");
  return `${sign}$0.${fraction.padEnd(2, "0")}`;
}

function dollars(units: bigint, decimals: number): string {
  const scale = 10n ** BigInt(decimals);
  return `$${grouped.format(units / scale)}.${(units % scale).toString().padStart(decimals, "0")}`;
}

/** `size ÷ unit`, half to even. */
function rounded(size: bigint, unit: bigint): bigint {
  const whole = size / unit;
  const twice = (size % unit) * 2n;
  return twice > unit || (twice === unit && whole % 2n === 1n) ? whole + 1n : whole;
}

/** With a sign, for differences. */
export function formatChange(money: Money): string {
  const text = formatMoney(money);
  return nanosOf(money) > 0n ? `+${text}` : text;
}

/** A figure that a chart or an estimate made; not money of the ledger. */
export function formatAbout(dollarsAbout: number): string {
  if (!Number.isFinite(dollarsAbout)) return "–";
  return formatMoney(moneyOf(BigInt(Math.round(dollarsAbout * 1e9))));
}

const significant = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3, useGrouping: false });

/** What an axis says; short. */
export function formatAxis(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `$${+(value / 1e9).toFixed(1)}B`;
  if (size >= 1e6) return `$${+(value / 1e6).toFixed(1)}M`;
  if (size >= 1e4) return `$${+(value / 1e3).toFixed(1)}k`;
  if (size >= 1 || size === 0) return `$${+value.toFixed(2)}`;
  return `$${significant.format(value)}`;
}
