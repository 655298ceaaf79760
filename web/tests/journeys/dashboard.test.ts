import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launch } from "../../tools/stage.mjs";
import { base, call, costsIn, DEMO, enter, OWNER, tokenOf, violationsOf } from "./browser";
import { postOffice } from "./post";

const VIEWER = { email: "viewer@example.com", password: "viewer-password-1" };
const defects: string[] = [];
let browser: Browser;
let page: Page;
let owners: Page;

beforeAll(async () => {
  browser = await launch();
  page = await enter(browser, DEMO, defects);
  owners = await enter(browser, OWNER, defects);
});

afterAll(() => browser?.close());

test("a call is found and its cost explained", async () => {
  await page.goto(`${base}/records`);
  await page
    .getByRole("listitem")
    .filter({ has: page.getByRole("checkbox") })
    .first()
    .getByRole("link")
    .click();
  await page.getByRole("dialog").waitFor();
  expect(new URL(page.url()).searchParams.get("record")).toBeTruthy();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
});

test("calls are followed as they are recorded", async () => {
  await page.goto(`${base}/records`);
  await page.getByRole("button", { name: "Follow" }).click();
  await page.getByRole("button", { name: "Live" }).waitFor();
  await call("/api/usage/track", { model: "gpt-followed", service: "openai", cost: 1 }, await tokenOf(DEMO));
  await page.getByRole("link", { name: /^gpt-followed/ }).waitFor();
});

test("a call is told of on the overview as it is recorded", async () => {
  await page.goto(base);
  await page.getByText("Live", { exact: true }).waitFor();
  await call("/api/usage/track", { model: "gpt-ticked", service: "openai", cost: 1.5 }, await tokenOf(DEMO));
  await page.getByRole("link", { name: "gpt-ticked $1.50" }).click();
  await page.getByRole("dialog", { name: "gpt-ticked" }).waitFor();
});

test("a name in the explorer narrows it, and the file has the sum that is on the screen", async () => {
  await page.goto(`${base}/explorer?by=service`);
  await page.getByRole("button", { name: "openai", exact: true }).last().click();
  await page.getByRole("button", { name: "Remove the filter Provider openai" }).waitFor();
  expect(new URL(page.url()).searchParams.get("service")).toBe("openai");
  await page.getByLabel("Group by").selectOption("model");
  await page.locator("main [aria-busy=false]").first().waitFor();
  const foot = page.locator("tfoot tr");
  await foot.getByText(/^All \d+ shown$/).waitFor();
  await page.waitForLoadState("networkidle");
  const shown = await foot.locator("td").first().textContent();
  await page.getByRole("button", { name: "Export" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: "This table as CSV" }).click(),
  ]);
  const { rows, sum } = costsIn(await download.path());
  expect(sum).toBe(shown?.replaceAll(",", ""));
  expect(await foot.locator("th").textContent()).toBe(`All ${rows} shown`);
  const row = page.locator("table:has(tfoot) tbody tr").first();
  const [model, cost] = [await row.locator("th").textContent(), await row.locator("td").first().textContent()];
  await page
    .getByRole("link", { name: /calls: show them$/ })
    .first()
    .click();
  await page.getByRole("heading", { name: "Records", level: 1 }).waitFor();
  const drilled = new URL(page.url()).searchParams;
  expect([drilled.get("service"), drilled.get("model")]).toEqual(["openai", model]);
  await page.getByText(new RegExp(`calls? · \\${cost}`)).waitFor();
});

test("a day of the chart opens its hours, an hour its calls, and back is as it was", async () => {
  const today = new Date().toISOString().slice(0, 10);
  await page.goto(`${base}/explorer?chart=table&from=${today}&to=${today}&tz=UTC&model=gpt-ticked`);
  const hour = page.getByRole("region", { name: "Cost by model" }).getByRole("row").filter({ hasText: "$1.50" });
  await hour.getByRole("button").click();
  await page.getByRole("heading", { name: "Records", level: 1 }).waitFor();
  expect(new URL(page.url()).searchParams.get("from")).toMatch(new RegExp(`^${today}T\\d{2}:00Z$`));
  await page.getByText("1 call · $1.50").waitFor();
  await page.getByRole("link", { name: "Explore", exact: true }).click();
  await page.getByRole("option", { name: "by hour" }).waitFor({ state: "attached" });
  await page.goBack();
  await page.goBack();
  await hour.waitFor();
});

test("a key is made and shown once", async () => {
  await page.goto(`${base}/settings`);
  await page.getByLabel("Name", { exact: true }).fill("A journey");
  await page.getByRole("button", { name: "Make a key" }).click();
  await page.getByText(/^aict_\S+$/).waitFor();
});

test("a budget that is driven over its threshold turns, and is on the list", async () => {
  await page.goto(`${base}/projects?new=yes`);
  await page.getByLabel("Name", { exact: true }).fill("Journey");
  await page.getByLabel("Budget", { exact: true }).fill("12.5");
  await page.getByRole("button", { name: "Make the project" }).click();
  await page.getByRole("dialog", { name: "Journey" }).waitFor();
  const projectId = new URL(page.url()).searchParams.get("project");
  await page.goto(`${base}/budgets?search=Journey`);
  await page.getByRole("img", { name: "0.0 % used, on course" }).waitFor();
  const token = await tokenOf(DEMO);
  for (const cost of [7, 3.5])
    await call("/api/usage/track", { model: "gpt-4o", service: "openai", cost, projectId }, token);
  await page.reload();
  await page.getByRole("img", { name: "84.0 % used, past its last threshold" }).waitFor();
  await page.goto(`${base}/alerts?project=${projectId}`);
  await page.getByText("Journey reached 80 % of its budget").waitFor();
  await page.getByText("$10.50 of $12.50").first().waitFor();
  await page.getByRole("link", { name: "Journey" }).first().click();
  await page.getByRole("heading", { name: "Burn-down" }).waitFor();
  expect(await page.getByText(/^Fired/).count()).toBe(2);
});

test("a webhook is made, and its test is in the log", async () => {
  await page.goto(`${base}/webhooks?new=yes`);
  await page.getByLabel("URL").fill("http://127.0.0.1:9/hook");
  await page.getByLabel("What it is for").fill("A journey");
  await page.getByRole("button", { name: "Make the webhook" }).click();
  await page.getByText(/^whsec_\S+$/).waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("link", { name: "A journey" }).click();
  await page.getByRole("button", { name: "Send a test" }).click();
  await page.getByText("webhook.test").waitFor();
});

test("who was invited to look may not change", async () => {
  const project = page.getByRole("dialog", { name: "Journey" });
  await page.goto(`${base}/projects?search=Journey`);
  await page.getByRole("link", { name: "Journey" }).click();
  await project.getByRole("tab", { name: "Members" }).click();
  await project.getByLabel("E-mail").fill(VIEWER.email);
  await project.getByLabel("Role", { exact: true }).selectOption("viewer");
  await project.getByRole("button", { name: "Add" }).click();
  const invitation = await project.getByRole("status").locator("code").textContent();
  await call("/api/auth/register", { ...VIEWER, name: "Viewer", invitation });
  const theirs = await enter(browser, VIEWER, defects);
  await theirs.goto(`${base}/records`);
  await theirs.getByRole("listitem").filter({ hasText: "gpt-4o" }).first().waitFor();
  expect(await theirs.getByRole("checkbox").count()).toBe(0);
  await theirs.goto(`${base}/projects`);
  await theirs.getByRole("link", { name: "Journey" }).waitFor();
  expect(await theirs.getByRole("button", { name: "New project" }).count()).toBe(0);
  await theirs.getByRole("link", { name: "Journey" }).click();
  await theirs.getByRole("tab", { name: "Members" }).waitFor();
  expect(await theirs.getByRole("tab", { name: "Settings" }).count()).toBe(0);
  await theirs.getByRole("tab", { name: "Members" }).click();
  expect(await theirs.getByRole("button", { name: "Add" }).count()).toBe(0);
  await theirs.goto(`${base}/budgets`);
  await theirs.getByRole("link", { name: "Journey" }).click();
  await theirs.getByRole("heading", { name: "Burn-down" }).waitFor();
  expect(await theirs.getByRole("button", { name: "Change" }).count()).toBe(0);
  await theirs.goto(`${base}/audit`);
  await theirs.getByText("You may not see this").waitFor();
  await theirs.close();
});

test("what cannot be loaded says so, and can be tried again", async () => {
  await page.route("**/api/budgets", (route) => route.fulfill({ status: 500, body: "{}" }));
  await page.goto(`${base}/budgets`);
  await page.getByText("This could not be loaded").waitFor();
  await page.unroute("**/api/budgets");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("link", { name: "Journey" }).waitFor();
});

test("a price for a model without one is found, and its calls are costed", async () => {
  const unknown = { service: "self-hosted", model: "journey-32b", promptTokens: 1_000_000, completionTokens: 100_000 };
  await call("/api/usage/track", unknown, await tokenOf(DEMO));
  await owners.goto(`${base}/prices?tab=unpriced`);
  const row = owners.getByRole("row").filter({ hasText: unknown.model });
  await row.getByRole("button", { name: /^Add a price/ }).click();
  const dialog = owners.getByRole("dialog");
  await dialog.getByRole("radio", { name: "It has rates of its own" }).click();
  await dialog.getByLabel("Input", { exact: true }).fill("0.25");
  await dialog.getByLabel("Output").fill("1");
  await dialog.getByRole("button", { name: "Show the effect" }).click();
  await dialog.getByText(/since then: about \$0\.\d+/).waitFor();
  await dialog.getByRole("button", { name: "Add the price and cost the calls" }).click();
  await dialog.waitFor({ state: "detached" });
  await row.waitFor({ state: "detached" });
  await owners.goto(`${base}/audit?action=overrides`);
  await owners.getByText("/api/prices/overrides").waitFor();
  await owners.getByRole("button", { name: "Verify the chain" }).click();
  await owners.getByText(/^The log is whole/).waitFor();
});

test("spending that was far from usual is on the overview, and is marked as expected", async () => {
  await owners.goto(base);
  await owners
    .getByRole("link", { name: /^acme-spike spent 50 times its usual/ })
    .first()
    .waitFor();
  await owners.getByRole("link", { name: "All anomalies" }).click();
  // The overview has a list of them as well.
  await owners.getByRole("heading", { name: "Alerts", level: 1 }).waitFor();
  const rows = owners.getByRole("listitem").filter({ hasText: "acme-spike spent" });
  await rows.first().waitFor();
  expect(await violationsOf(owners)).toEqual([]);
  const before = await rows.count();
  await rows.first().getByRole("button", { name: "Was expected" }).click();
  await owners.getByRole("dialog").getByLabel("Why").fill("A journey");
  expect(await violationsOf(owners)).toEqual([]);
  await owners.getByRole("button", { name: "Mark as expected" }).click();
  await owners.getByRole("dialog").waitFor({ state: "detached" });
  await owners.getByRole("radio", { name: "Expected", exact: true }).click();
  await owners.getByText(/^Expected since .*: A journey$/).waitFor();
  expect(new URL(owners.url()).searchParams.get("expected")).toBe("yes");
  await owners.getByRole("radio", { name: "Unexpected" }).click();
  await owners.locator("main [aria-busy=false]").first().waitFor();
  expect(await rows.count()).toBe(before - 1);
});

test("a forgotten password is replaced by the link of an e-mail", async () => {
  const post = await postOffice(inject("mailPort"), /(\/reset-password#token=\S+)/);
  const context = await browser.newContext();
  const theirs = await context.newPage();
  await theirs.goto(base);
  await theirs.getByRole("link", { name: "Forgotten the password?" }).click();
  expect(await violationsOf(theirs)).toEqual([]);
  await theirs.getByLabel("E-mail").fill(VIEWER.email);
  await theirs.getByRole("button", { name: "Send the e-mail" }).click();
  await theirs.getByText(/^If there is an account for viewer@example.com/).waitFor();
  await theirs.goto(base + (await post.letter));
  await theirs.getByRole("heading", { name: "Set a new password" }).waitFor();
  await theirs.waitForURL(`${base}/reset-password`);
  expect(await violationsOf(theirs)).toEqual([]);
  await theirs.getByLabel("New password").fill("another-password-1");
  await theirs.getByRole("button", { name: "Set the password" }).click();
  await theirs.getByText("The password is changed").waitFor();
  await context.close();
  const again = await enter(browser, { ...VIEWER, password: "another-password-1" }, defects);
  await again.close();
});

test("pages are reached by keys", async () => {
  await page.goto(base);
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("b");
  await page.getByRole("heading", { name: "Budgets", level: 1 }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("nobody");
  await page.getByText("No budget of that name").waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.type("webhooks");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Webhooks", level: 1 }).waitFor();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("gpt-ticked");
  await page.getByRole("option", { name: "gpt-ticked", exact: true }).click();
  await page.getByRole("heading", { name: "Explorer", level: 1 }).waitFor();
  expect(new URL(page.url()).searchParams.get("model")).toBe("gpt-ticked");
});

test("no page broke, and nothing ran against the policy", () => {
  expect(defects).toEqual([]);
});
