import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const base = inject("base");

let browser: Browser;
let page: Page;
const defects: string[] = [];

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [...FLAGS, "--disable-component-update", "--disable-sync"],
  });
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.on("pageerror", (error) => defects.push(error.message));
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) defects.push(message.text());
  });
  await page.goto(base);
  // The demo account does not own the installation, so the first page offers to create an owner.
  await page.getByRole("button", { name: "Log in instead" }).click();
  await page.getByLabel("E-mail").fill("demo@localhost");
  await page.getByLabel("Password").fill(inject("password"));
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
});

afterAll(() => browser?.close());

test("a call is found and its cost explained", async () => {
  await page.goto(`${base}/records`);
  await page.getByRole("listitem").first().getByRole("link").click();
  await page.getByRole("dialog").waitFor();
  expect(new URL(page.url()).searchParams.get("record")).toBeTruthy();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
});

test("a name in the explorer narrows it, and the address says so", async () => {
  await page.goto(`${base}/explorer?by=service`);
  await page.getByRole("button", { name: "openai", exact: true }).last().click();
  await page.getByRole("button", { name: "Remove the filter Provider openai" }).waitFor();
  expect(new URL(page.url()).searchParams.get("service")).toBe("openai");
});

test("a key is made and shown once", async () => {
  await page.goto(`${base}/settings`);
  await page.getByLabel("Name").fill("A journey");
  await page.getByRole("button", { name: "Make a key" }).click();
  await page.getByText(/^aict_\S+$/).waitFor();
});

test("a project is made and can be recorded for", async () => {
  await page.goto(`${base}/projects?new=yes`);
  await page.getByLabel("Name", { exact: true }).fill("Journey");
  await page.getByLabel("Budget in US dollars").fill("12.5");
  await page.getByRole("button", { name: "Make the project" }).click();
  await page.getByRole("dialog", { name: "Journey" }).waitFor();
});

const PAGES = [
  ["/", "Overview"],
  ["/explorer", "Explorer"],
  ["/records", "Records"],
  ["/projects", "Projects"],
  ["/integration", "Integration"],
  ["/settings", "Settings"],
] as const;

test.each(
  PAGES.flatMap(([path, name]) =>
    (["light", "dark"] as const).flatMap((theme) => [1440, 375].map((width) => [path, name, theme, width] as const)),
  ),
)("%s (%s) in %s at %i is accessible and fits", async (path, name, theme, width) => {
  await page.emulateMedia({ colorScheme: theme });
  await page.setViewportSize({ width, height: 900 });
  await page.goto(base + path);
  await page.getByRole("heading", { name, level: 1 }).waitFor();
  await page.waitForLoadState("networkidle");
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    type Result = { violations: { impact: string; id: string; nodes: { target: string[] }[] }[] };
    const { axe } = window as unknown as { axe: { run: (of: Document) => Promise<Result> } };
    const { violations } = await axe.run(document);
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes[0]?.target.join(" ")}`);
  });
  expect(found).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
});

test("no page broke, and nothing ran against the policy", () => {
  expect(defects).toEqual([]);
});
