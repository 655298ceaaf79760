// A server of its own with data of its own, and a browser: what journeys, pictures and measurements stand on.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

/** @typedef {{ email: string, password: string }} Person */
/** @typedef {{ base: string, stop: () => Promise<void> }} Server */

/** A folder for data, that is gone with `leave`. */
export function dataFolder() {
  const data = mkdtempSync(join(tmpdir(), "dashboard-"));
  return { data, leave: () => rmSync(data, { recursive: true }) };
}

/**
 * Fills a folder with the demo, and says who may log in to it.
 * @param {string} binary @param {string} data @param {number} records @returns {Person}
 */
export function fillWithDemo(binary, data, records) {
  const told = execFileSync(binary, ["--data-dir", data, "demo", "--records", String(records)], { encoding: "utf8" });
  return { email: "demo@localhost", password: /password\s+(\S+)/.exec(told)?.[1] ?? "" };
}

/**
 * Starts a program that says where it listens.
 * @param {string} binary @param {string[]} options @returns {Promise<Server>}
 */
export async function listen(binary, options) {
  const server = spawn(binary, options);
  const base = await new Promise((ready, failed) => {
    /** @param {Buffer} text */
    const look = (text) => {
      const address = /listening on (http:\S+)/.exec(String(text))?.[1];
      if (address) ready(address);
    };
    server.stdout.on("data", look);
    server.stderr.on("data", look);
    server.once("exit", (code) => failed(new Error(`${binary} ended with ${code}`)));
  });
  const stop = async () => {
    const ended = new Promise((done) => server.once("exit", done));
    server.kill("SIGTERM");
    await ended;
  };
  return { base, stop };
}

/** @param {string} binary @param {string} data @param {string[]} [settings] @param {number} [port] */
export const serve = (binary, data, settings = [], port = 0) =>
  listen(binary, [
    "--data-dir",
    data,
    ...settings.flatMap((one) => ["--setting", one]),
    "serve",
    "--port",
    String(port),
  ]);

export const BROWSER = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const BROWSER_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const launch = () => chromium.launch({ executablePath: BROWSER, args: BROWSER_FLAGS });

const TYPES = /** @type {Record<string, string>} */ ({
  html: "text/html",
  js: "text/javascript",
  css: "text/css",
  svg: "image/svg+xml",
});

/**
 * With DIST set, a context gets the dashboard from that folder instead of from the program: no build of it is needed.
 * @param {import("playwright-core").BrowserContext} context
 */
export async function fromDist(context) {
  const dist = process.env.DIST;
  if (!dist) return;
  await context.route(/^https?:\/\/[^/]+\/(?!api\/|docs\/|v1\/|gateway\/|readyz$)/, async (route) => {
    const path = new URL(route.request().url()).pathname;
    const file = join(dist, existsSync(join(dist, path)) && path !== "/" ? path : "index.html");
    await route.fulfill({ path: file, contentType: TYPES[file.split(".").at(-1) ?? ""] ?? "application/octet-stream" });
  });
}

/** @param {import("playwright-core").Page} page @param {string} base @param {Person} person */
export async function logIn(page, base, { email, password }) {
  await page.goto(base);
  await page.getByLabel("E-mail").waitFor();
  // An installation without an owner asks for one first.
  const instead = page.getByRole("button", { name: "Log in instead" });
  if (await instead.isVisible()) await instead.click();
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page
    .getByRole("button", { name: /^Search/ })
    .first()
    .waitFor();
}

/**
 * Waits until a page has what it shows: nothing is being loaded, and charts are drawn.
 * @param {import("playwright-core").Page} page
 */
export const drawn = (page) =>
  page.waitForFunction(
    () =>
      document.querySelector("h1, h2") &&
      !document.querySelector(".skeleton, .stale, [aria-busy=true], [aria-label=Loading]") &&
      [...document.querySelectorAll("[role=img].absolute")].every((chart) => chart.querySelector("canvas")),
  );

/**
 * Calls the API as a program does.
 * @param {string} base @param {string} path @param {unknown} body @param {string} [token]
 */
export async function post(base, path, body, token) {
  const response = await fetch(`${base}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text).data;
}
