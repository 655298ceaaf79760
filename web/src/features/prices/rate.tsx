import { formatCount } from "@/lib/numbers";
import { rateLines } from "@/lib/prices";
import type { PriceView } from "./queries";

/** What a million of a unit costs; where it depends on the prompt's size, a line for each. */
export function Rate({ price, unit }: { price: PriceView; unit: string }) {
  const lines = rateLines(price, unit);
  if (lines.length === 0) return <span className="text-muted">–</span>;
  return lines.map(({ from, rate }) => (
    <span key={from} className={from > 0 ? "block text-xs text-muted" : "block"}>
      {rate}
      {from > 0 && ` from ${formatCount(from)}`}
    </span>
  ));
}
