// How long each page takes until it is drawn, with as many records as one likes: `node tools/speed.mjs BINARY DATA RECORDS`.
// The folder is filled when it is not there. Prints a table, and under slow pages the calls that they waited for.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PAGES } from "./places.mjs";
import { drawn, fillWithDemo, fromDist, launch, logIn, serve } from "./stage.mjs";

const [binary, data, records = "1000000"] = process.argv.slice(2);
if (!binary || !data) {
  console.error("usage: node tools/speed.mjs BINARY DATA [RECORDS]");
  process.exit(2);
}
const SLOW_MS = 1_000;
const ROUNDS = 3;

/** Switches within a page: where it starts, what is pressed. */
const SWITCHES = [
  ["/", "by provider", (page) => brokenDownBy(page, "Provider")],
  ["/", "by project", (page) => brokenDownBy(page, "Project")],
  ["/", "by team", (page) => brokenDownBy(page, "Team")],
  ["/", "tokens", (page) => page.getByRole("radio", { name: "Tokens", exact: true }).click()],
  ["/", "last 90 days", (page) => preset(page, "Last 90 days")],
  ["/explorer", "by tag", (page) => page.getByLabel("Group by").selectOption("tag")],
  ["/explorer", "by customer", (page) => page.getByLabel("Group by").selectOption("customerEmail")],
  ["/explorer", "and by project", (page) => page.getByLabel("and", { exact: true }).selectOption("project")],
  ["/explorer", "last 90 days", (page) => preset(page, "Last 90 days")],
  ["/explorer", "heat map", (page) => page.getByRole("radio", { name: "Weekdays and hours" }).click()],
  ["/explorer", "durations", (page) => page.getByRole("radio", { name: "Duration" }).click()],
  ["/explorer", "search", (page) => search(page, "gpt-4o")],
  ["/records", "search", (page) => search(page, "gpt-4o")],
  ["/records", "by cost", (page) => order(page, "Cost")],
  ["/records", "last 90 days", (page) => preset(page, "Last 90 days")],
  ["/records", "a record", (page) => page.locator("[role=listitem] a").first().click()],
  ["/projects", "a project", (page) => page.locator("article a").first().click()],
  ["/budgets", "a budget", (page) => page.locator("main li a").first().click()],
];

function brokenDownBy(page, name) {
  return page.getByRole("radiogroup", { name: "Broken down by" }).getByRole("radio", { name, exact: true }).click();
}

async function preset(page, name) {
  await page.getByRole("button", { name: /^Period/ }).click();
  await page.getByRole("button", { name, exact: true }).click();
}

async function search(page, words) {
  await page.locator("[data-page-search]").fill(words);
  await page.keyboard.press("Enter");
}

async function order(page, name) {
  await page.getByRole("button", { name: /change the order/ }).click();
  await page.getByRole("menuitem", { name, exact: true }).click();
}

function person() {
  const kept = join(data, "log-in.json");
  if (!existsSync(kept)) writeFileSync(kept, JSON.stringify(fillWithDemo(binary, data, Number(records))));
  return JSON.parse(readFileSync(kept, "utf8"));
}

const who = person();
const server = await serve(binary, data, ["auth.argon2.memory_kib=8", "auth.argon2.iterations=1"]);
const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
await fromDist(context);
const page = await context.newPage();
page.setDefaultTimeout(60_000);

let calls = [];
page.on("requestfinished", (request) => {
  const { pathname, search: query } = new URL(request.url());
  const { requestStart, responseEnd } = request.timing();
  if (pathname.startsWith("/api/"))
    calls.push({ what: `${request.method()} ${pathname}${query}`, ms: Math.round(responseEnd - requestStart) });
});

/** Milliseconds until what `act` began is drawn. */
async function time(act) {
  calls = [];
  const start = performance.now();
  await act();
  await page.evaluate(() => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next))));
  await drawn(page);
  return Math.round(performance.now() - start);
}

const median = (values) => [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)];
const rows = [];

/** The middle of some rounds; `prepare` is not counted. */
async function measure(name, prepare, act) {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await prepare();
    const ms = await time(act);
    rounds.push({ ms, calls });
  }
  const middle = median(rounds.map(({ ms }) => ms));
  const of = rounds.find(({ ms }) => ms === middle) ?? rounds[0];
  rows.push({ name, ms: middle, first: rounds[0].ms });
  console.log(`${String(middle).padStart(6)} ms  (first ${rounds[0].ms})  ${name}`);
  if (middle < SLOW_MS && !process.env.VERBOSE) return;
  for (const call of of.calls.sort((one, other) => other.ms - one.ms).slice(0, 16))
    console.log(`${String(call.ms).padStart(13)} ms  ${decodeURIComponent(call.what)}`);
}

try {
  await logIn(page, server.base, who);
  await drawn(page);
  for (const [path] of PAGES.slice(0, -3))
    await measure(
      path,
      async () => {},
      () => page.goto(server.base + path),
    );
  for (const [path, name, act] of SWITCHES)
    await measure(
      `${path} → ${name}`,
      async () => {
        await page.goto(server.base + path);
        await drawn(page);
      },
      () => act(page),
    );
  const slow = rows.filter(({ ms }) => ms >= SLOW_MS);
  console.log(`${rows.length} measured, ${slow.length} of a second or more`);
} finally {
  await browser.close();
  await server.stop();
}
