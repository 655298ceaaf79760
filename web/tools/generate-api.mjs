// Makes src/api/schema.d.ts and src/api/money-fields.ts from docs/openapi.json; `--check` only compares.
//
// A number of format double is money, unless it is one of the ratios below. Money is typed `Money` (exact digits as text)
// and its field names are what the JSON reader keeps as text, so that the two cannot differ.
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";
import ts from "typescript";

const RATIOS = new Set([
  "share",
  "errorRate",
  "budgetUtilization",
  "changePercentage",
  "utilization",
  "elapsed",
  "rate",
  "deviation",
]);
// The document spells these as the code does, the wire in lower case with underscores.
const SPELLED_ON_THE_WIRE = ["CostSource", "Status", "Origin", "Flag", "ErrorCode"];
// The same, with a dot after the first word: `budget.threshold_crossed`.
const DOTTED_ON_THE_WIRE = ["EventType"];
// Fields of these are spelled so, too.
const CAMEL_ON_THE_WIRE = ["BudgetScope"];

const root = new URL("../", import.meta.url);
const document = JSON.parse(readFileSync(new URL("../docs/openapi.json", root), "utf8"));
const fields = new Set();

for (const name of SPELLED_ON_THE_WIRE) {
  const schema = document.components.schemas[name];
  if (schema?.enum) schema.enum = schema.enum.map((word) => word.replace(/(?<!^)(?=[A-Z])/g, "_").toLowerCase());
}

for (const name of DOTTED_ON_THE_WIRE) {
  const schema = document.components.schemas[name];
  if (schema?.enum)
    schema.enum = schema.enum.map((word) =>
      word
        .replace(/(?<!^)(?=[A-Z])/, ".")
        .replace(/(?<=\w)(?=[A-Z])/g, "_")
        .toLowerCase(),
    );
}

for (const name of CAMEL_ON_THE_WIRE) {
  for (const variant of document.components.schemas[name]?.oneOf ?? []) {
    const camel = (field) => field.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
    variant.properties = Object.fromEntries(
      Object.entries(variant.properties).map(([field, schema]) => [camel(field), schema]),
    );
    variant.required = variant.required?.map(camel);
  }
}

/** Marks the money of every schema, wherever it is nested. */
function markMoney(node) {
  if (typeof node !== "object" || node === null) return;
  for (const [name, property] of Object.entries(node.properties ?? {})) {
    if (property.format !== "double" || RATIOS.has(name)) continue;
    property.format = "money";
    fields.add(name);
  }
  for (const inner of Object.values(node)) markMoney(inner);
}
markMoney(document);

const money = ts.factory.createTypeReferenceNode("Money");
const orNull = ts.factory.createUnionTypeNode([money, ts.factory.createLiteralTypeNode(ts.factory.createNull())]);

const ast = await openapiTS(document, {
  defaultNonNullable: false,
  inject: 'import type { Money } from "./money-json";\n',
  transform(schema) {
    if (schema.format !== "money") return undefined;
    return [schema.type].flat().includes("null") ? orNull : money;
  },
});

const outputs = {
  "src/api/schema.d.ts": COMMENT_HEADER + astToString(ast),
  "src/api/money-fields.ts": `// Made by tools/generate-api.mjs; do not edit.\n\n/** Names of the fields that are money. */\nexport const MONEY_FIELDS: readonly string[] = ${JSON.stringify([...fields].sort(), null, 2)};\n`,
};

let stale = false;
for (const [path, text] of Object.entries(outputs)) {
  const file = new URL(path, root);
  if (!process.argv.includes("--check")) {
    writeFileSync(file, text);
    continue;
  }
  let current = "";
  try {
    current = readFileSync(file, "utf8");
  } catch {
    // Missing counts as different.
  }
  if (current !== text) {
    console.error(`${path} is not what docs/openapi.json says: run npm run generate`);
    stale = true;
  }
}
process.exit(stale ? 1 : 0);
