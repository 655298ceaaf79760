// Builds dist/esm and dist/cjs with TypeScript alone.
import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync, writeFileSync } from "node:fs";

const root = new URL("../", import.meta.url);
process.chdir(root.pathname);
rmSync("dist", { recursive: true, force: true });
for (const [folder, module, resolution] of [
  ["esm", "ES2022", "bundler"],
  ["cjs", "CommonJS", "node10"],
]) {
  const options = `--project tsconfig.build.json --module ${module} --moduleResolution ${resolution} --outDir dist/${folder}`;
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", ...options.split(" ")], { stdio: "inherit" });
}
writeFileSync("dist/cjs/package.json", '{ "type": "commonjs" }\n');
for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) copyFileSync(`../../${licence}`, licence);
