// A browser that logs in as people do, and a client that calls the API as their programs do.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { inject } from "vitest";
import { fromDist, logIn, post } from "../../tools/stage.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const base = inject("base");
export const OWNER = { email: "owner@example.com", password: "owner-password-1" };
export const DEMO = { email: "demo@localhost", password: inject("password") };

/** A page of its own for one person, logged in; what breaks or breaks the policy is noted in `defects`. */
export async function enter(
  browser: Browser,
  person: { email: string; password: string },
  defects: string[],
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, acceptDownloads: true });
  await fromDist(context);
  const page = await context.newPage();
  page.on("pageerror", (error) => defects.push(error.message));
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) defects.push(message.text());
  });
  await logIn(page, base, person);
  return page;
}

export const call = <Data>(path: string, body: unknown, token?: string): Promise<Data> => post(base, path, body, token);

export const tokenOf = async (person: { email: string; password: string }): Promise<string> =>
  (await call<{ accessToken: string }>("/api/auth/login", person)).accessToken;

/** What axe finds serious or critical, when nothing fades in or out any more: half-way there is no contrast. */
export async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(async () => {
    const ends = (animation: Animation) => animation.effect?.getComputedTiming().endTime !== Infinity;
    const fading = document.getAnimations().filter(ends);
    await Promise.allSettled(fading.map(({ finished }) => finished));
  });
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    type Result = { violations: { impact: string; id: string; nodes: { target: string[] }[] }[] };
    const { axe } = window as unknown as { axe: { run: (of: Document) => Promise<Result> } };
    const { violations } = await axe.run(document);
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes[0]?.target.join(" ")}`);
  });
}

/** How many rows a table of costs has, and their exact sum as a page shows it. */
export function costsIn(file: string): { rows: number; sum: string } {
  const [head = "", ...rows] = readFileSync(file, "utf8").trim().split(/\r?\n/);
  const column = head.split(",").indexOf("cost");
  const nanos = rows.reduce((sum, row) => sum + nanosOf(row.split(",")[column] ?? ""), 0n);
  const cents = (nanos + 5_000_000n) / 10_000_000n;
  return { rows: rows.length, sum: `$${cents / 100n}.${String(cents % 100n).padStart(2, "0")}` };
}

function nanosOf(money: string): bigint {
  const [whole = "", fraction = ""] = money.split(".");
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
}
