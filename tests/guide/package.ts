/** The TypeScript SDK as it is published: packed, installed into a folder of its own, and imported by its name. */

import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import ts from "typescript";
import { ROOT } from "./guide.js";

/** Made by `tests/guide/run`. */
export const FOLDER = join(ROOT, "target/guide/program");

/** What the strict compiler says of a program that stands in the folder. */
export function problemsOf(code: string): string[] {
  const file = join(FOLDER, `${randomUUID()}.mts`);
  writeFileSync(file, code);
  try {
    const program = ts.createProgram([file], {
      strict: true,
      noEmit: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
      types: [],
    });
    const source = program.getSourceFile(file);
    const problems = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
  } finally {
    rmSync(file);
  }
}

/** Runs a program in the folder as an ES module, with nothing but `env` in its environment. */
export async function runProgram(
  code: string,
  env: Record<string, string>,
): Promise<{ stdout: string; stderr: string }> {
  const { outputText } = ts.transpileModule(code, { compilerOptions: { target: ts.ScriptTarget.ES2022 } });
  const file = join(FOLDER, `${randomUUID()}.mjs`);
  writeFileSync(file, outputText);
  try {
    return await promisify(execFile)(process.execPath, [file], { env: { PATH: process.env.PATH, ...env } });
  } finally {
    rmSync(file);
  }
}
