// The real server with demo data, another one with nothing in it, a provider that is none, and a browser's address for them.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { dataFolder, fillWithDemo, listen, post, serve } from "../../tools/stage.mjs";

declare module "vitest" {
  export interface ProvidedContext {
    base: string;
    /** Nobody has an account there. */
    freshBase: string;
    password: string;
    mailPort: number;
  }
}

const program = (name: string) => fileURLToPath(new URL(`../../../target/debug/${name}`, import.meta.url));
const BINARY = program("ai-cost-tracker");

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
  const [full, fresh] = [dataFolder(), dataFolder()];
  const { password } = fillWithDemo(BINARY, full.data, 2_000);
  execFileSync(BINARY, ["--data-dir", full.data, "import", "--user", "demo@localhost", callsIn(full.data)]);
  const [port, mailPort] = [await freePort(), await freePort()];
  const server = await serve(
    BINARY,
    full.data,
    [`smtp.port=${mailPort}`, `server.public_url=http://127.0.0.1:${port}`, ...SETTINGS],
    port,
  );
  const provider = await listen(program("fake-upstream"), ["--port", "0"]);
  const other = await serve(BINARY, fresh.data, [`gateway.providers.openai.base_url=${provider.base}`]);
  // The demo's account is no administrator.
  await post(server.base, "/api/auth/register", {
    email: "owner@example.com",
    password: "owner-password-1",
    name: "Owner",
  });
  provide("base", server.base);
  provide("freshBase", other.base);
  provide("mailPort", mailPort);
  provide("password", password);
  return async () => {
    await Promise.all([server, other, provider].map(({ stop }) => stop()));
    full.leave();
    fresh.leave();
  };
}
