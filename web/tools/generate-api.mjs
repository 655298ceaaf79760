// Makes src/api/schema.d.ts and src/api/money-fields.ts from docs/openapi.json; `--check` only compares.
//
// A number of format decimal is money. It is typed `Money` (exact digits as text)
// and its field names are what the JSON reader keeps as text, so that the two cannot differ.
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";
import ts from "typescript";

const root = new URL("../", import.meta.url);
const document = JSON.parse(readFileSync(new URL("../docs/openapi.json", root), "utf8"));
const fields = new Set();

/** Gathers the money of every schema, wherever it is nested. */
function gatherMoney(node) {
  if (typeof node !== "object" || node === null) return;
  for (const [name, property] of Object.entries(node.properties ?? {})) {
    if (property.format === "decimal") fields.add(name);
  }
  for (const inner of Object.values(node)) gatherMoney(inner);
}
gatherMoney(document);

const money = ts.factory.createTypeReferenceNode("Money");
const orNull = ts.factory.createUnionTypeNode([money, ts.factory.createLiteralTypeNode(ts.factory.createNull())]);

const ast = await openapiTS(document, {
  defaultNonNullable: false,
  inject: 'import type { Money } from "./money-json";\n',
  transform(schema) {
    if (schema.format !== "decimal") return undefined;
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
