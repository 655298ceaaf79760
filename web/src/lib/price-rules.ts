import type { Schemas } from "@/api/client";
import { unitName } from "./prices";

/** What a rule of the operator does, in words. */
export function ruleEffect({ rates, discountBasisPoints, marginBasisPoints }: Schemas["PriceRule"]): string {
  if (discountBasisPoints != null) return `${discountBasisPoints / 100} % less than the list price`;
  if (marginBasisPoints != null) return `${marginBasisPoints / 100} % more`;
  return Object.entries((rates ?? {}) as Record<string, unknown>)
    .map(([unit, rate]) => `${unitName(unit)} $${typeof rate === "string" ? rate : JSON.stringify(rate)}`)
    .join(", ");
}
