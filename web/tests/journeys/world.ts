// The real server with demo data, and a browser's address for it.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    base: string;
    password: string;
  }
}

const BINARY = fileURLToPath(new URL("../../../target/debug/ai-cost-tracker", import.meta.url));

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === "object" && address ? address.port : 0;
}

export default async function setup({ provide }: TestProject) {
  const data = mkdtempSync(join(tmpdir(), "dashboard-"));
  const filled = execFileSync(BINARY, ["--data-dir", data, "demo", "--records", "2000"], { encoding: "utf8" });
  const port = await freePort();
  const server = spawn(BINARY, ["--data-dir", data, "serve", "--port", String(port)]);
  await new Promise<void>((ready, failed) => {
    const look = (text: Buffer) => String(text).includes("listening") && ready();
    server.stdout.on("data", look);
    server.stderr.on("data", look);
    server.once("exit", (code) => failed(new Error(`the server ended with ${code}`)));
  });
  provide("base", `http://127.0.0.1:${port}`);
  provide("password", /password\s+(\S+)/.exec(filled)?.[1] ?? "");
  return async () => {
    const ended = new Promise((done) => server.once("exit", done));
    server.kill("SIGTERM");
    await ended;
    rmSync(data, { recursive: true });
  };
}
