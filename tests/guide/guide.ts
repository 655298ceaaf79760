/** The integration guide: its fenced blocks by the headings above them, who runs each, and how it is filled in. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Block {
  /** The headings above it below the page's own: `Project ID System › Frontend Implementation`. */
  title: string;
  language: string;
  code: string;
}

export const ROOT = join(import.meta.dirname, "../..");
export const GUIDE = readFileSync(join(ROOT, "docs/integration-guide.md"), "utf8");

const HTTP = "tests/guide/http.test.ts";
const SDK = "tests/guide/sdk.test.ts";
const BUDGET = "tests/guide/budget.test.ts";
const DASHBOARD = "web/tests/guide/modules.ts";
const ENVIRONMENT = "tests/guide/environment.test.ts";

/** What runs each block, by its title. A block that is not here fails `guide.test.ts`. */
export const RUNNERS: Record<string, string> = {
  "API Key Management › Backend Implementation": HTTP,
  "API Key Management › Frontend Implementation": DASHBOARD,
  "Project ID System › Backend Implementation": SDK,
  "Project ID System › Frontend Implementation": DASHBOARD,
  "Integration Examples › 1. Basic Usage Tracking": SDK,
  "Integration Examples › 2. Direct API Integration": HTTP,
  "Integration Examples › 3. Bulk Usage Import": SDK,
  "Integration Examples › 4. Project Analytics": SDK,
  "Environment Variables": ENVIRONMENT,
  "Cost Allocation & Tagging › Cost Allocation": SDK,
  "Cost Allocation & Tagging › Tags": SDK,
  "Budget Management › Budget Alerts": BUDGET,
  "Frontend Integration › Components Usage": DASHBOARD,
  "Troubleshooting › Debug Endpoints": HTTP,
};

export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  const headings: string[] = [];
  let open: { language: string; lines: string[] } | undefined;
  for (const line of markdown.split("\n")) {
    const fence = /^```(\w*)$/.exec(line);
    const heading = /^(##+) (.+)$/.exec(line);
    if (open && line === "```") {
      blocks.push({ title: headings.join(" › "), language: open.language, code: open.lines.join("\n") });
      open = undefined;
    } else if (open) {
      open.lines.push(line);
    } else if (fence) {
      open = { language: fence[1] ?? "", lines: [] };
    } else if (heading?.[1] && heading[2]) {
      headings.splice(heading[1].length - 2, Number.POSITIVE_INFINITY, heading[2]);
    }
  }
  if (open) throw new Error("a block does not end");
  return blocks;
}

/** The code of the block below these headings, as it is written. */
export function block(title: string): string {
  const found = blocksOf(GUIDE).find((one) => one.title === title);
  if (!found) throw new Error(`the guide has no block below "${title}"`);
  return found.code;
}

/** The code with each placeholder replaced; one that does not occur is a mistake. */
export function filled(code: string, values: Record<string, string>): string {
  return Object.entries(values).reduce((text, [placeholder, value]) => {
    if (!text.includes(placeholder)) throw new Error(`nothing to replace: ${placeholder}`);
    return text.replaceAll(placeholder, value);
  }, code);
}

/** `GET /api/…` and its like, one a line; what follows is prose. */
export function endpointsOf(code: string): string[] {
  const lines = code.split("\n").filter((line) => line && !line.startsWith("#"));
  return lines.map((line) => {
    const [, method, path] = /^(GET|POST|PUT|PATCH|DELETE)\s+(\/\S+)/.exec(line) ?? [];
    if (!method) throw new Error(`no endpoint: ${line}`);
    return `${method} ${path}`;
  });
}
