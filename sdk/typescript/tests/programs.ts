/** Programs of users: whether they compile against the package as it is published, and what they say when they run. */

import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import ts from "typescript";

const root = new URL("../", import.meta.url).pathname;

/** TypeScript's own declarations are read once. */
const sources = new Map<string, ts.SourceFile>();

/** What TypeScript says of a module that stands in this package and imports it by its name. */
export function problemsOf(code: string): string[] {
  const file = `${root}tests/snippet.ts`;
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
    types: ["node"],
  };
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.readFile = (name) => (name === file ? code : readFile(name));
  host.fileExists = (name) => name === file || fileExists(name);
  const getSourceFile = host.getSourceFile;
  host.getSourceFile = (name, ...rest) => {
    if (name === file) return ts.createSourceFile(name, code, ts.ScriptTarget.ES2022);
    const source = sources.get(name) ?? getSourceFile(name, ...rest);
    if (source) sources.set(name, source);
    return source;
  };
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

/** Runs a program that imports the built package by its name, with nothing but `env` in its environment. */
export async function run(code: string, env: Record<string, string>): Promise<{ stdout: string; stderr: string }> {
  const { outputText } = ts.transpileModule(code, { compilerOptions: { target: ts.ScriptTarget.ES2022 } });
  const file = `${root}dist/${randomUUID()}.mjs`;
  writeFileSync(file, outputText);
  try {
    return await promisify(execFile)(process.execPath, [file], { env: { PATH: process.env.PATH, ...env } });
  } finally {
    rmSync(file);
  }
}
