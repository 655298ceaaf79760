// @vitest-environment node
// The dashboard as the guide's variables build it, served from another origin than the server's.
import { execFile } from "node:child_process";
import { createReadStream, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TrackerServer } from "../../../sdk/typescript/tests/servers";
import { block } from "../../../tests/guide/guide";
import { launch } from "../../tools/stage.mjs";

const NAMES = ["VITE_API_URL", "VITE_DEFAULT_PROJECT_ID"];
const TYPES: Record<string, string> = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const site = mkdtempSync(join(tmpdir(), "elsewhere-"));
let pages: Server;
let origin: string;
let tracker: TrackerServer;
let browser: Browser;

beforeAll(async () => {
  pages = createServer((request, response) => {
    const file = join(site, new URL(request.url ?? "/", "http://site").pathname);
    const found = existsSync(file) && statSync(file).isFile() ? file : join(site, "index.html");
    response.writeHead(200, { "content-type": TYPES[extname(found)] ?? "text/html" });
    createReadStream(found).pipe(response);
  });
  await new Promise<void>((done) => pages.listen(0, "127.0.0.1", done));
  origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  tracker = await (await TrackerServer.start(undefined, 0, [`server.cors_origins=${origin}`])).setUp();
  const values = { VITE_API_URL: tracker.url, VITE_DEFAULT_PROJECT_ID: tracker.project };
  const command = ["node_modules/vite/bin/vite.js", "build", "--outDir", site, "--emptyOutDir", "--logLevel", "error"];
  await promisify(execFile)(process.execPath, command, { env: { ...process.env, NODE_ENV: "production", ...values } });
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  pages.close();
  await tracker.remove();
  rmSync(site, { recursive: true });
});

test("one logs in, stays so over a reload, and the page on integration names server and project", async () => {
  const named = [...block("Environment Variables").matchAll(/^(VITE_\w+)=/gm)].map(([, name]) => name);
  expect(named).toEqual(NAMES);
  const page = await (await browser.newContext()).newPage();
  const defects: string[] = [];
  page.on("pageerror", (error) => defects.push(error.message));
  await page.goto(`${origin}/integration`);
  await page.getByLabel("E-mail").fill("owner@example.com");
  await page.getByLabel("Password").fill("correct horse");
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  const code = page.getByLabel("Environment variables");
  await code.waitFor();
  expect(await code.textContent()).toContain(`VITE_API_URL=${tracker.url}`);
  expect(await code.textContent()).toContain(`PROJECT_ID=${tracker.project}`);
  await page.reload();
  await code.waitFor();
  expect(defects).toEqual([]);
});

test("an origin that the operator did not name gets nothing", async () => {
  const asked = { origin: "http://elsewhere.example", "access-control-request-method": "GET" };
  const response = await fetch(`${tracker.url}/api/projects`, { method: "OPTIONS", headers: asked });
  expect(response.headers.get("access-control-allow-origin")).toBeNull();
});
