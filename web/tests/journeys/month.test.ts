import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch } from "../../tools/stage.mjs";
import { base, costsIn, DEMO, enter } from "./browser";

const defects: string[] = [];
let browser: Browser;
let page: Page;

beforeAll(async () => {
  browser = await launch();
  page = await enter(browser, DEMO, defects);
});

afterAll(() => browser?.close());

test("a month is closed: who pays it, with its proof, and against what a provider billed", async () => {
  await page.goto(`${base}/close?tz=UTC`);
  const payers = page.getByRole("region", { name: "Who pays" });
  await payers.locator("tfoot").waitFor();
  const shown = await payers.locator("tfoot td").first().textContent();
  await page.getByRole("button", { name: "Export" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: "Who pays as CSV" }).click(),
  ]);
  const { rows, sum } = costsIn(await download.path());
  expect(sum).toBe(shown?.replaceAll(",", ""));
  expect(rows).toBe(await payers.locator("tbody tr").count());

  // Each of these calls was reported to have cost a dollar.
  const own = page.getByRole("region", { name: "Against the invoices" }).getByRole("row").filter({ hasText: /^own/ });
  const calls = Number(await own.getByRole("cell").first().textContent());
  await own.getByLabel("Invoice of own, in dollars").fill(`${calls + 10}.25`);
  await page.keyboard.press("Enter");
  await own.getByText("+$10.25").waitFor();
  await page.reload();
  await own.getByText("+$10.25").waitFor();

  const engineering = payers.getByRole("row").filter({ hasText: "Engineering" });
  const cost = await engineering.getByRole("cell").first().textContent();
  await engineering
    .getByRole("link", { name: /calls: show them$/ })
    .first()
    .click();
  await page.getByRole("heading", { name: "Records", level: 1 }).waitFor();
  await page.getByText(new RegExp(`calls · \\${cost}`)).waitFor();
  expect(defects).toEqual([]);
});
