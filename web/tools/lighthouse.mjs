// What Lighthouse says of every page, as on a desk and as on a telephone: `node tools/lighthouse.mjs BINARY [a part of a path]`.
// Lighthouse is fetched from npm into target/lighthouse the first time. Fails when a page is below what is asked of all.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { PAGES } from "./places.mjs";
import { BROWSER, BROWSER_FLAGS, dataFolder, drawn, fillWithDemo, logIn, serve } from "./stage.mjs";

const VERSION = "13";
const LEAST = { accessibility: 95, performance: 90 };
const [binary, part = ""] = process.argv.slice(2);
if (!binary) {
  console.error("usage: node tools/lighthouse.mjs BINARY [PART OF A PATH]");
  process.exit(2);
}

async function fetched() {
  const folder = fileURLToPath(new URL("../../target/lighthouse/", import.meta.url));
  if (!existsSync(`${folder}node_modules/lighthouse`)) {
    mkdirSync(folder, { recursive: true });
    execFileSync(
      "npm",
      ["install", "--prefix", folder, "--no-audit", "--no-fund", "--loglevel=error", `lighthouse@${VERSION}`],
      { stdio: "inherit" },
    );
  }
  return import(createRequire(folder).resolve("lighthouse"));
}

const { default: lighthouse, desktopConfig } = await fetched();
const { data, leave } = dataFolder();
const person = fillWithDemo(binary, data, Number(process.env.RECORDS ?? 50_000));
const server = await serve(binary, data, ["auth.argon2.memory_kib=8", "auth.argon2.iterations=1"]);
const port = 9_000 + (process.pid % 900);
// Lighthouse opens its pages in the browser's own context: that one has to be logged in.
const profile = dataFolder();
const browser = await chromium.launchPersistentContext(profile.data, {
  executablePath: BROWSER,
  args: [...BROWSER_FLAGS, `--remote-debugging-port=${port}`],
});

/** The log-in is a cookie of the browser; Lighthouse must not clear it. */
const FLAGS = { port, disableStorageReset: true, onlyCategories: Object.keys(LEAST), logLevel: "error" };
const SETTINGS = { desktop: desktopConfig, mobile: undefined };
let low = 0;
try {
  const page = await browser.newPage();
  await logIn(page, server.base, person);
  await drawn(page);
  await page.close();
  const paths = [...new Set(PAGES.map(([path]) => path))].filter((path) => path.includes(part));
  for (const path of paths)
    for (const [name, config] of Object.entries(SETTINGS)) {
      const { lhr } = await lighthouse(server.base + path, FLAGS, config);
      const scores = Object.fromEntries(
        Object.keys(LEAST).map((of) => [of, Math.round((lhr.categories[of]?.score ?? 0) * 100)]),
      );
      const figure = (id) => lhr.audits[id]?.displayValue ?? "–";
      const failed = Object.keys(LEAST).some((of) => scores[of] < LEAST[of]);
      if (failed) low += 1;
      console.log(
        `${failed ? "LOW " : "    "}${String(scores.accessibility).padStart(3)} ${String(scores.performance).padStart(3)}  ${name.padEnd(7)}  LCP ${figure("largest-contentful-paint").padEnd(7)} TBT ${figure("total-blocking-time").padEnd(8)} CLS ${figure("cumulative-layout-shift").padEnd(6)} ${path}`,
      );
      for (const audit of Object.values(lhr.audits))
        if (
          failed &&
          audit.score !== null &&
          audit.score < 0.9 &&
          ["binary", "metricSavings", "numeric"].includes(audit.scoreDisplayMode)
        )
          console.log(`           ${audit.id} ${audit.displayValue ?? ""}`);
    }
} finally {
  await browser.close();
  await server.stop();
  leave();
  profile.leave();
}
process.exit(low > 0 ? 1 : 0);
