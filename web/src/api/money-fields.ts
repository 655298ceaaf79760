// Made by tools/generate-api.mjs; do not edit.

/** Names of the fields that are money. */
export const MONEY_FIELDS: readonly string[] = [
  "amount",
  "elapsed",
  "utilization"
];
