import type { Schemas } from "@/api/client";

type Price = Schemas["PriceView"];
type Conditions = Price["conditions"];

/** Under which conditions a row holds, in words. */
export function conditionsText({ serviceTier, region, searchType, daily }: Conditions): string {
  const parts = [
    serviceTier ?? undefined,
    region ?? undefined,
    searchType && `${searchType} search`,
    daily ? "some hours" : undefined,
  ].filter(Boolean);
  return parts.length ? parts.join(", ") : "standard";
}

export const unitName = (unit: string): string => unit.replaceAll("_", " ").replace(/ tokens$/, "");

/** The rate for the shortest prompts; in dollars per million. Rates by the hour are not drawn. */
export function baseRate(price: Price, unit: string): number | undefined {
  const rate = price.rates[unit]?.[0]?.rate;
  return rate === undefined || rate.includes("/") ? undefined : Number(rate);
}

/** The exact digits, with commas: `10,000`, `0.36/hour`. */
const groupedRate = (rate: string): string => rate.replace(/^\d+/, (whole) => BigInt(whole).toLocaleString("en-US"));

export type RateLine = { from: number; rate: string };

/** Each rate of a unit with the least prompt it holds for. */
export const rateLines = (price: Price, unit: string): RateLine[] =>
  (price.rates[unit] ?? []).map(({ inputTokensMin, rate }) => ({
    from: inputTokensMin,
    rate: `$${groupedRate(rate)}`,
  }));

export type Variant = { id: string; provider: string; conditions: string; prices: Price[] };

/** The rows of a model by provider and conditions, each in the order of time; the plain ones first. */
export function variantsOf(prices: readonly Price[]): Variant[] {
  const variants = new Map<string, Variant>();
  for (const price of prices) {
    const conditions = conditionsText(price.conditions);
    const id = `${price.provider} ${conditions}`;
    const variant = variants.get(id) ?? { id, provider: price.provider, conditions, prices: [] };
    variant.prices.push(price);
    variants.set(id, variant);
  }
  const from = (price: Price) => (price.validFrom ? Date.parse(price.validFrom) : Number.NEGATIVE_INFINITY);
  for (const { prices: rows } of variants.values()) rows.sort((one, other) => from(one) - from(other));
  const rank = ({ conditions }: Variant) => (conditions === "standard" ? 0 : 1);
  return [...variants.values()].sort((one, other) => rank(one) - rank(other));
}

export type PriceSeries = { unit: string; points: [at: number, rate: number | null][] };

/** Units worth drawing, in the order in which people ask for them. */
const DRAWN = ["input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens"];

/** What a million of each unit cost over time; steps, each to the next row or to `end`. */
export function priceSeries(prices: readonly Price[], start: number, end: number): PriceSeries[] {
  return DRAWN.flatMap((unit) => {
    const points = prices.flatMap((price): [number, number | null][] => {
      const rate = baseRate(price, unit) ?? null;
      const from = Math.max(start, price.validFrom ? Date.parse(price.validFrom) : start);
      const until = Math.min(end, price.validUntil ? Date.parse(price.validUntil) : end);
      return until <= from
        ? []
        : [
            [from, rate],
            [until, rate],
          ];
    });
    return points.some(([, rate]) => rate !== null) ? [{ unit, points }] : [];
  });
}

/** Ever shorter beginnings of a model's name, for looking in the catalog. */
export function stemsOf(model: string): string[] {
  const name = (model.split("/").at(-1) ?? model).toLowerCase().replace(/[@:].*$/, "");
  const words = name.split("-").filter(Boolean);
  const stems = words.map((_, index) => words.slice(0, words.length - index).join("-"));
  return [...new Set(stems)].filter((stem) => stem.length >= 3).slice(0, STEMS_MAX);
}

const STEMS_MAX = 4;

const NANOS_PER_DOLLAR = 1_000_000_000n;
const DECIMALS = 9;

/** What tokens cost at dollars per million, in nano-dollars; exact but for what is below a nano-dollar. */
export function costOf(tokens: number, dollarsPerMillion: string): bigint {
  const [whole = "0", fraction = ""] = dollarsPerMillion.split(".");
  const nanos = BigInt(whole || "0") * NANOS_PER_DOLLAR + BigInt(fraction.padEnd(DECIMALS, "0").slice(0, DECIMALS));
  return (nanos * BigInt(tokens)) / 1_000_000n;
}
