// Blocks of the integration guide as modules of src/guide, where the imports that they write lead to the sources.
import type { Plugin } from "vite";
import { block } from "../../../tests/guide/guide.ts";

export const FOLDER = `${import.meta.dirname.replace(/tests\/guide$/, "src/guide")}/`;

const GIVEN = 'import { given } from "../../tests/guide/given";\nconst { projectId, startDate, endDate } = given;\n';

/** The elements of a block as one component; what comments on them is one of JSX. */
function component(code: string): string {
  const [imports = "", elements = ""] = code.split(/(?<=;)\n/, 2);
  // The guide shows a second component of the same module, and imports the first.
  const both = imports.replace("{ IntegrationDashboard }", "{ ApiKeyIntegration, IntegrationDashboard }");
  return `${both}\nexport const Shown = () => <>${elements.replace(/^\/\/ (.+)$/gm, "{/* $1 */}")}</>;\n`;
}

/** The blocks as they are written, with what a module needs around them. */
export const MODULES: Record<string, string> = {
  "keys.ts": `${block("API Key Management › Frontend Implementation")}\nexport { apiKeys };\n`,
  "projects.ts": `${GIVEN}${block("Project ID System › Frontend Implementation")}\nexport { projects, analytics };\n`,
  "components.tsx": component(block("Frontend Integration › Components Usage")),
};

export function guideModules(): Plugin {
  return {
    name: "guide-modules",
    enforce: "pre",
    resolveId: (id) => (id.startsWith("guide:") ? FOLDER + id.slice("guide:".length) : undefined),
    load: (id) => (id.startsWith(FOLDER) ? MODULES[id.slice(FOLDER.length)] : undefined),
  };
}
