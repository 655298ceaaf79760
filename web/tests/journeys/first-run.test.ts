import OpenAI from "openai";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { fromDist, launch } from "../../tools/stage.mjs";
import { violationsOf } from "./browser";

let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});

afterAll(() => browser?.close());

test("from nothing to the first call through the gateway, by OpenAI's own SDK, and why it cost what it did", async () => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  await fromDist(context);
  const page = await context.newPage();
  await page.goto(inject("freshBase"));
  await page.getByRole("heading", { name: "Create the owner" }).waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await page.getByLabel("Name").fill("Ada");
  await page.getByLabel("E-mail").fill("ada@example.com");
  await page.getByLabel("Password").fill("first-password-1");
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("heading", { name: "Record your first call" }).waitFor();
  expect(await violationsOf(page)).toEqual([]);

  await page.getByRole("button", { name: "Make a key" }).click();
  await page.getByText(/^aict_\S+$/).waitFor();
  await page.getByRole("radio", { name: "Change the base URL" }).click();
  await page.getByLabel("Example", { exact: true }).selectOption("openai-node");
  await page.getByLabel("Key of the provider").fill("sk-upstream");
  await page.getByRole("button", { name: "Add the key" }).click();
  await page.getByLabel("Key of the provider").waitFor({ state: "detached" });
  expect(await violationsOf(page)).toEqual([]);

  // What the page says to put into the program is all that is put into it.
  const snippet = (await page.locator("pre code").textContent()) ?? "";
  const said = (name: string) => new RegExp(`${name}: "([^"]+)"`).exec(snippet)?.[1] ?? "";
  const client = new OpenAI({ baseURL: said("baseURL"), apiKey: said("apiKey"), maxRetries: 0 });
  const { data, response } = await client.chat.completions
    .create({ model: "gpt-4o-mini", messages: [{ role: "user", content: "Hello" }] })
    .withResponse();
  expect(data.choices[0]?.message.content).toBeTruthy();
  const cost = response.headers.get("x-cost-usd");

  await page.getByRole("link", { name: "Why this cost" }).click();
  const record = page.getByRole("dialog", { name: "gpt-4o-mini" });
  await record.getByText(`exactly $${cost}`).waitFor();
  await record.getByText("from the price catalog").waitFor();
  await record.getByText("Catalog price").waitFor();
  await page.goto(inject("freshBase"));
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  await context.close();
});
