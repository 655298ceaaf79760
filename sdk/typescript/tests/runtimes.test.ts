/** The same program under Node 18, Deno, Bun, and where there is nothing but the platform of the web. `sdk/check` installs them. */

import { execFile } from "node:child_process";
import { cpSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Fake, KEY, TrackerServer } from "./servers.js";

const sdk = join(import.meta.dirname, "..");
const folder = join(sdk, "../../target/sdk/runtimes");
const installed = (name: string) => join(folder, "node_modules", name);

let fake: Fake;
let tracker: TrackerServer;
beforeAll(async () => {
  // The package as it is built, and the official client beside it.
  for (const name of ["ai-cost-optimizer", "openai"]) rmSync(installed(name), { recursive: true, force: true });
  cpSync(join(sdk, "dist"), join(installed("ai-cost-optimizer"), "dist"), { recursive: true });
  cpSync(join(sdk, "package.json"), join(installed("ai-cost-optimizer"), "package.json"));
  symlinkSync(join(sdk, "node_modules/openai"), installed("openai"));
  fake = await Fake.start();
  tracker = await (await TrackerServer.start()).setUp();
});
afterAll(async () => {
  await fake.stop();
  await tracker.remove();
});

/** Meters a streamed call of the official client, and sends what was recorded. */
const program = (name: string) => `
import { AICostOptimizer, attribute } from "ai-cost-optimizer";
import OpenAI from "openai";

const optimizer = new AICostOptimizer({ dashboardConfig: { baseUrl: "${tracker.url}/api", apiKey: "${tracker.key}" } });
const client = new OpenAI({ apiKey: "${KEY}", baseURL: "${fake.url}/v1", dangerouslyAllowBrowser: true });
const openai = optimizer.observe(client, { sessionId: "${name}" });

async function main() {
  const messages = [{ role: "user", content: "hello" }];
  const stream = await openai.chat.completions.create({ model: "gpt-4o-mini", messages, stream: true });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  await optimizer.flush();
  return JSON.stringify({ text, sent: optimizer.stats.sent });
}
`;

/** The program as one script without imports, for a context that has no modules, and what runs it there. */
async function edgeProgram(name: string): Promise<string> {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, `${program(name)}\nglobalThis.done = attribute({ tags: ["around"] }, main);`);
  const bundle = await rolldown({ input: file, platform: "browser", logLevel: "silent" });
  const { output } = await bundle.generate({ format: "iife" });
  const code = JSON.stringify(output[0].code);
  return `import { EdgeVM } from "@edge-runtime/vm";
    import { AsyncLocalStorage } from "node:async_hooks";
    // As edge platforms have them; OpenAI's client looks for the version there.
    const platform = { process: { env: {}, version: "" }, AsyncLocalStorage };
    const vm = new EdgeVM({ extend: (context) => Object.assign(context, platform) });
    vm.evaluate(${code});
    console.log(await vm.context.done);`;
}

/** Where the context of a call is kept; Node 18 has it, but not where one can look without importing it. */
const AROUND = new Set(["deno", "bun", "edge"]);

test.each([
  ["node", "node", []],
  ["deno", "deno", ["run", "--quiet", "--allow-all", "--node-modules-dir=manual"]],
  ["bun", "bun", ["run"]],
  ["edge", process.execPath, []],
])("%s", async (name, command, args) => {
  const file = join(folder, `${name}-program.mjs`);
  writeFileSync(
    file,
    name === "edge"
      ? await edgeProgram(name)
      : `${program(name)}\nconsole.log(await attribute({ tags: ["around"] }, main));`,
  );
  const binary = name === "edge" ? command : join(folder, "node_modules/.bin", command);
  const env = { PATH: process.env.PATH, HOME: folder, DENO_NO_UPDATE_CHECK: "1" };
  const { stdout } = await promisify(execFile)(binary, [...args, file], { cwd: folder, env });
  expect(JSON.parse(stdout)).toEqual({ text: expect.stringContaining("Every call has its price"), sent: 1 });
  const records = (await tracker.records()).filter(({ sessionId }) => sessionId === name);
  // gpt-4o-mini: 0.15 in, 0.60 out a million, of what the provider counted.
  const tags = AROUND.has(name) ? ["around"] : [];
  expect(records).toMatchObject([{ tags, service: "openai", totalTokens: expect.any(Number), costSource: "catalog" }]);
});
