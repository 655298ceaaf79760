// Made by tools/generate-api.mjs; do not edit.

/** Names of the fields that are money. */
export const MONEY_FIELDS: readonly string[] = [
  "actualCost",
  "after",
  "ahead",
  "amount",
  "averageCostPerRequest",
  "before",
  "cacheSavings",
  "carriedOver",
  "change",
  "cost",
  "costInBatch",
  "costPerThousandTokens",
  "costWithoutCaching",
  "evenSpending",
  "expected",
  "high",
  "increased",
  "listCost",
  "low",
  "previousTotal",
  "remaining",
  "reserved",
  "spent",
  "total",
  "totalCost",
  "usual"
];
