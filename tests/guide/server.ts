/** The real server, configured by its environment alone. */

import { spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./guide.js";

export const BINARY = process.env.TRACKER ?? join(ROOT, "target/debug/ai-cost-tracker");

export interface Started {
  /** What it said until it listened or ended. */
  text: string;
  /** Where it listens, if it does. */
  url: string | undefined;
  stop: () => void;
}

/** Starts the server in a folder, with these variables and no others. */
export async function startServer(folder: string, env: Record<string, string>): Promise<Started> {
  const child = spawn(BINARY, ["serve", "--port", "0"], {
    cwd: folder,
    env: { ...env, AICT_AUTH__ARGON2__MEMORY_KIB: "8", AICT_AUTH__ARGON2__ITERATIONS: "1" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  const url = await new Promise<string | undefined>((done) => {
    child.stderr.on("data", (piece) => {
      text += piece;
      const found = /listening on (\S+)/.exec(text)?.[1];
      if (found) done(found);
    });
    child.once("close", () => done(undefined));
  });
  return { text, url, stop: () => child.kill("SIGTERM") };
}
