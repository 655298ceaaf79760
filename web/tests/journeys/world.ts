// The real server with demo data, and a browser's address for it.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    base: string;
    password: string;
    mailPort: number;
  }
}

const BINARY = fileURLToPath(new URL("../../../target/debug/ai-cost-tracker", import.meta.url));

const SETTINGS = ["smtp.host=127.0.0.1", "smtp.security=none", "smtp.from=costs@example.com"];
const DAY_MS = 86_400_000;

/** A model that costs a dollar a day, and fifty just now; and a call that no price is known for. */
function callsIn(folder: string): string {
  const file = join(folder, "calls.csv");
  const at = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString();
  const rows = Array.from({ length: 57 }, (_, days) => `${at(days)},own,acme-spike,${days === 0 ? 50 : 1},,`);
  rows.push(`${at(0)},self-hosted,acme-research-32b,,1000000,400000`);
  writeFileSync(file, ["timestamp,service,model,cost,promptTokens,completionTokens", ...rows].join("\n"));
  return file;
}

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
  execFileSync(BINARY, ["--data-dir", data, "import", "--user", "demo@localhost", callsIn(data)]);
  const [port, mailPort] = [await freePort(), await freePort()];
  const settings = [`smtp.port=${mailPort}`, `server.public_url=http://127.0.0.1:${port}`, ...SETTINGS].flatMap(
    (setting) => ["--setting", setting],
  );
  const server = spawn(BINARY, ["--data-dir", data, ...settings, "serve", "--port", String(port)]);
  await new Promise<void>((ready, failed) => {
    const look = (text: Buffer) => String(text).includes("listening") && ready();
    server.stdout.on("data", look);
    server.stderr.on("data", look);
    server.once("exit", (code) => failed(new Error(`the server ended with ${code}`)));
  });
  provide("base", `http://127.0.0.1:${port}`);
  provide("mailPort", mailPort);
  provide("password", /password\s+(\S+)/.exec(filled)?.[1] ?? "");
  return async () => {
    const ended = new Promise((done) => server.once("exit", done));
    server.kill("SIGTERM");
    await ended;
    rmSync(data, { recursive: true });
  };
}
