import { expect, test } from "vitest";
import type { Schemas } from "@/api/client";
import { conditionsText, costOf, priceSeries, rateLines, stemsOf, variantsOf } from "./prices";

const price = (more: Partial<Schemas["PriceView"]>): Schemas["PriceView"] => ({
  id: "a",
  provider: "openai",
  model: "gpt-5",
  conditions: {},
  rates: { input_tokens: [{ inputTokensMin: 0, rate: "1.25" }] },
  source: { name: "test", version: "1" },
  ...more,
});

test("conditions are said in words", () => {
  expect(conditionsText({})).toBe("standard");
  expect(conditionsText({ serviceTier: "batch", region: "eu" })).toBe("batch, eu");
});

test("a rate that depends on the prompt says from which size", () => {
  const tiers = [
    { inputTokensMin: 0, rate: "1.25" },
    { inputTokensMin: 200_001, rate: "10000" },
  ];
  expect(rateLines(price({ rates: { input_tokens: tiers } }), "input_tokens")).toEqual([
    { from: 0, rate: "$1.25" },
    { from: 200_001, rate: "$10,000" },
  ]);
  expect(rateLines(price({}), "output_tokens")).toEqual([]);
});

test("rows of the same conditions are one variant, in the order of time, the standard one first", () => {
  const rows = [
    price({ id: "batch", conditions: { serviceTier: "batch" } }),
    price({ id: "new", validFrom: "2026-10-01T00:00:00Z" }),
    price({ id: "old", validUntil: "2026-10-01T00:00:00Z" }),
  ];
  expect(variantsOf(rows).map(({ conditions, prices }) => [conditions, ...prices.map(({ id }) => id)])).toEqual([
    ["standard", "old", "new"],
    ["batch", "batch"],
  ]);
});

test("a price is drawn as steps, and not for units without one", () => {
  const october = Date.parse("2026-10-01T00:00:00Z");
  const rows = [
    price({ validUntil: "2026-10-01T00:00:00Z" }),
    price({ validFrom: "2026-10-01T00:00:00Z", rates: { input_tokens: [{ inputTokensMin: 0, rate: "1" }] } }),
  ];
  expect(priceSeries(rows, october - 10, october + 10)).toEqual([
    {
      unit: "input_tokens",
      points: [
        [october - 10, 1.25],
        [october, 1.25],
        [october, 1],
        [october + 10, 1],
      ],
    },
  ]);
});

test("a name is looked for by ever shorter beginnings", () => {
  expect(stemsOf("acme/gpt-4o-mini-prod")).toEqual(["gpt-4o-mini-prod", "gpt-4o-mini", "gpt-4o", "gpt"]);
  expect(stemsOf("nova@eu")).toEqual(["nova"]);
});

test.each([
  [1_000_000, "2.5", 2_500_000_000n],
  [3, "0.1", 300n],
  [1, "0.0000001", 0n],
  [0, "5", 0n],
])("%d tokens at $%s per million", (tokens, rate, nanos) => expect(costOf(tokens, rate)).toBe(nanos));
