// Makes src/schema.ts from docs/openapi.json: the types of what the SDK sends and gets. `--check` only compares.
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";

const ROOTS = [
  "TrackUsage",
  "Tracked",
  "BulkOutcome",
  "Analytics",
  "Comparison",
  "BudgetStatus",
  "Estimate",
  "PriceView",
];
// The document spells these as the code does, the wire in lower case with underscores.
const SPELLED_ON_THE_WIRE = ["CostSource", "Status", "Origin", "Flag", "ErrorCode"];

const root = new URL("../", import.meta.url);
const document = JSON.parse(readFileSync(new URL("../../docs/openapi.json", root), "utf8"));
const all = document.components.schemas;
for (const name of SPELLED_ON_THE_WIRE) {
  if (all[name]?.enum)
    all[name].enum = all[name].enum.map((word) => word.replace(/(?<!^)(?=[A-Z])/g, "_").toLowerCase());
}

const schemas = {};
const take = (name) => {
  if (schemas[name]) return;
  schemas[name] = all[name];
  for (const [, inner] of JSON.stringify(all[name]).matchAll(/#\/components\/schemas\/(\w+)/g)) take(inner);
};
ROOTS.forEach(take);

const sorted = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => a.localeCompare(b)));
const ast = await openapiTS({ ...document, paths: {}, components: { schemas: sorted } }, { defaultNonNullable: false });
const text = COMMENT_HEADER + astToString(ast);
const file = new URL("src/schema.ts", root);
if (!process.argv.includes("--check")) {
  writeFileSync(file, text);
} else if (readFileSync(file, "utf8") !== text) {
  console.error("src/schema.ts is not what docs/openapi.json says: run npm run generate");
  process.exit(1);
}
