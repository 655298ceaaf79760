/** The package as it is published. */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TrackerServer } from "./servers.js";

const root = new URL("../", import.meta.url).pathname;
const run = promisify(execFile);

let tracker: TrackerServer;
beforeAll(async () => {
  tracker = await (await TrackerServer.start()).setUp();
});
afterAll(() => tracker.remove());

test("nothing but the platform is imported", () => {
  for (const folder of ["esm", "cjs"]) {
    for (const file of readdirSync(`${root}dist/${folder}`).filter((name) => name.endsWith(".js"))) {
      const code = readFileSync(`${root}dist/${folder}/${file}`, "utf8");
      const imported = [...code.matchAll(/(?:from |import\(|require\()"([^"]+)"/g)].map(([, name]) => name);
      expect(imported.filter((name) => !name?.startsWith("./"))).toEqual([]);
    }
  }
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  expect([dependencies, peerDependencies]).toEqual([undefined, undefined]);
});

test("what is published is what is needed", async () => {
  const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: root });
  const paths: string[] = JSON.parse(stdout)[0].files.map(({ path }: { path: string }) => path);
  expect(paths.filter((path) => !/^dist\/(esm|cjs)\/[a-z0-9-]+\.(js|d\.ts)$/.test(path)).sort()).toEqual([
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "dist/cjs/package.json",
    "package.json",
  ]);
  expect(paths).toContain("dist/esm/index.d.ts");
});

test.each([
  ["esm", "mjs", 'import { AICostOptimizer } from "ai-cost-optimizer";'],
  ["cjs", "cjs", 'const { AICostOptimizer } = require("ai-cost-optimizer");'],
])("%s: a process that ends by itself sends what waits", async (name, extension, importing) => {
  const file = `${root}dist/exit.${extension}`;
  writeFileSync(
    file,
    `${importing}\nnew AICostOptimizer().queueUsage({ model: "gpt-4o-mini", tokens: 2, sessionId: "${name}" });`,
  );
  const env = { PATH: process.env.PATH, API_KEY: `${tracker.url}/api`, AICT_API_KEY: tracker.key };
  await run(process.execPath, [file], { env });
  rmSync(file);
  expect((await tracker.records()).filter(({ sessionId }) => sessionId === name)).toHaveLength(1);
});

test("a process that is killed while a batch is under way loses what waits, and what was taken counts once", async () => {
  const file = `${root}dist/killed.mjs`;
  writeFileSync(
    file,
    `import { AICostOptimizer } from "ai-cost-optimizer";
    const optimizer = new AICostOptimizer({ queue: { batchMax: 2 } });
    for (const requestId of ["k-1", "k-2", "k-3", "k-4"]) optimizer.queueUsage({ model: "m", tokens: 2, requestId });`,
  );
  const program = (url: string) => {
    const env = { PATH: process.env.PATH, API_KEY: `${url}/api`, AICT_API_KEY: tracker.key };
    return spawn(process.execPath, [file], { env, stdio: "ignore" });
  };
  let killed: ReturnType<typeof program> | undefined;
  const relay = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    const headers = { authorization: `Bearer ${tracker.key}`, "content-type": "application/json" };
    await fetch(tracker.url + request.url, { method: "POST", headers, body });
    killed?.kill("SIGKILL");
    response.destroy();
  });
  await new Promise<void>((done) => relay.listen(0, "127.0.0.1", done));
  killed = program(`http://127.0.0.1:${(relay.address() as AddressInfo).port}`);
  await once(killed, "exit");
  relay.close();
  const kept = async () =>
    (await tracker.records()).map(({ requestId }) => requestId).filter((key) => String(key).startsWith("k-"));
  expect([killed.signalCode, await kept()]).toEqual(["SIGKILL", ["k-1", "k-2"]]);
  // Run again, it tells of the same calls.
  await once(program(tracker.url), "exit");
  rmSync(file);
  expect((await kept()).sort()).toEqual(["k-1", "k-2", "k-3", "k-4"]);
});

test("a process ends in spite of a tracker that is not there, and says what was lost", async () => {
  const file = `${root}dist/lost.mjs`;
  const queue = "{ queue: { closeMs: 100 } }";
  writeFileSync(
    file,
    `import { AICostOptimizer } from "ai-cost-optimizer";\nnew AICostOptimizer(${queue}).queueUsage({ model: "m", tokens: 2 });`,
  );
  const { stderr } = await run(process.execPath, [file], {
    env: { PATH: process.env.PATH, API_KEY: "http://127.0.0.1:1/api" },
  });
  rmSync(file);
  expect(stderr).toContain("AI Cost Tracker: records lost in all: 1");
});
