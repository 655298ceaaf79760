/** The fake providers and the tracker, as processes of their own. `TRACKER` and `FAKE_UPSTREAM` name their binaries. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const KEY = "sk-upstream";
export const AWS = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };

const root = join(import.meta.dirname, "../../..");
const binary = (variable: string, name: string) => process.env[variable] ?? `${root}/target/debug/${name}`;

class Server {
  protected constructor(
    private readonly process: ChildProcess,
    readonly url: string,
  ) {}

  protected static async spawn(
    command: string,
    args: string[],
    says: "stdout" | "stderr",
  ): Promise<[ChildProcess, string]> {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    child[says === "stdout" ? "stderr" : "stdout"]?.resume();
    const lines = createInterface({ input: child[says] as NodeJS.ReadableStream });
    for await (const line of lines) {
      const found = /listening on (\S+)/.exec(line);
      if (found?.[1]) {
        lines.close();
        child[says]?.resume();
        return [child, found[1]];
      }
    }
    throw new Error(`${command} ended before it listened`);
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, "exit");
    this.process.kill(signal);
    await ended;
  }
}

export interface Bill {
  provider: string;
  model: string;
  id: string;
  usage: Record<string, number>;
}

export class Fake extends Server {
  static async start(): Promise<Fake> {
    const args = ["--port", "0", "--unique-ids"];
    return new Fake(...(await Server.spawn(binary("FAKE_UPSTREAM", "fake-upstream"), args, "stdout")));
  }

  async ledger(): Promise<Bill[]> {
    return (await fetch(`${this.url}/_fake/ledger`)).json() as Promise<Bill[]>;
  }

  async requests(): Promise<{ target: string; headers: [string, string][]; body: string }[]> {
    return (await fetch(`${this.url}/_fake/requests`)).json() as never;
  }

  async reset(): Promise<void> {
    await fetch(`${this.url}/_fake/reset`, { method: "POST" });
  }

  async release(): Promise<void> {
    await fetch(`${this.url}/_fake/release`, { method: "POST" });
  }
}

// biome-ignore lint/suspicious/noExplicitAny: what the server answers is what is tested
export type Answer = any;

/** The tracker over a store of its own, with an owner, a project and a tracker key. */
export class TrackerServer extends Server {
  token = "";
  project = "";
  key = "";

  static async start(
    data = mkdtempSync(join(tmpdir(), "tracker-")),
    port = 0,
    settings: string[] = [],
  ): Promise<TrackerServer> {
    const quick = ["auth.argon2.memory_kib=8", "auth.argon2.iterations=1", ...settings];
    const args = [
      "--data-dir",
      data,
      "serve",
      "--port",
      String(port),
      ...quick.flatMap((setting) => ["--setting", setting]),
    ];
    const server = new TrackerServer(...(await Server.spawn(binary("TRACKER", "ai-cost-tracker"), args, "stderr")));
    server.data = data;
    return server;
  }

  private data = "";

  async setUp(): Promise<this> {
    const owner = { email: "owner@example.com", password: "correct horse", name: "Owner" };
    this.token = (await this.send("POST", "/api/auth/register", owner)).accessToken;
    const budget = { amount: 100, currency: "USD", period: "monthly" };
    this.project = (await this.send("POST", "/api/projects", { name: "SDK", budget })).id;
    const key = { name: "sdk", scopes: ["admin", "ingest"] };
    this.key = (await this.send("POST", "/api/user/dashboard-api-keys", key)).apiKey;
    return this;
  }

  get dataDir(): string {
    return this.data;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  async send(method: string, path: string, body?: unknown): Promise<Answer> {
    const headers = {
      "content-type": "application/json",
      ...(this.token && { authorization: `Bearer ${this.token}` }),
    };
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    });
    const answer = (await response.json()) as Answer;
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer.data;
  }

  /** Every record, the first first. */
  async records(): Promise<Answer[]> {
    const all: Answer[] = [];
    for (let page = 1; ; page += 1) {
      const records = await this.send("GET", `/api/usage?limit=100&page=${page}`);
      all.push(...records);
      if (records.length < 100) return all.reverse();
    }
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.data, { recursive: true, force: true });
  }
}
