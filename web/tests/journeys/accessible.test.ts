import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PAGES, PANELS } from "../../tools/places.mjs";
import { drawn, launch, post } from "../../tools/stage.mjs";
import { base, enter, OWNER, tokenOf, violationsOf } from "./browser";

const THEMES = ["light", "dark"] as const;
const WIDTHS = [1440, 375] as const;
const WIDTHS_BETWEEN = [1024, 768] as const;
/** What moves while a page fills, as browsers count it; from here on they call it bad. */
const SHIFT_MAX = 0.1;
const defects: string[] = [];
let browser: Browser;
let page: Page;

beforeAll(async () => {
  browser = await launch();
  page = await enter(browser, OWNER, defects);
  await page.addInitScript(watchShifts);
  const token = await tokenOf(OWNER);
  await post(base, "/api/webhooks", { url: "http://127.0.0.1:9/hook", description: "Looked at" }, token);
  await post(base, "/api/user/dashboard-api-keys", { name: "Looked at", scopes: ["ingest"] }, token);
});

afterAll(() => browser?.close());

type Watched = Window & { shift?: () => number };
type Shift = PerformanceEntry & { value: number; hadRecentInput: boolean };

/** Runs in the page, before anything of it is drawn. */
function watchShifts() {
  let sum = 0;
  const add = (entries: PerformanceEntry[]) => {
    for (const entry of entries as Shift[]) if (!entry.hadRecentInput) sum += entry.value;
  };
  const watch = new PerformanceObserver((list) => add(list.getEntries()));
  watch.observe({ type: "layout-shift", buffered: true });
  (window as Watched).shift = () => {
    add(watch.takeRecords());
    return sum;
  };
}

async function expectFits() {
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
}

async function expectAccessible() {
  expect(await violationsOf(page)).toEqual([]);
  await expectFits();
}

const ALL = THEMES.flatMap((theme) => WIDTHS.map((width) => [theme, width] as const));

test.each(PAGES.flatMap(([path, name]) => ALL.map(([theme, width]) => [path, name, theme, width] as const)))(
  "%s (%s) in %s at %i is accessible, fits and keeps its place",
  async (path, name, theme, width) => {
    await page.emulateMedia({ colorScheme: theme });
    await page.setViewportSize({ width, height: 900 });
    await page.goto(base + path);
    await page.getByRole("heading", { name, level: 1 }).waitFor();
    await drawn(page);
    expect(await page.evaluate(() => (window as Watched).shift?.())).toBeLessThanOrEqual(SHIFT_MAX);
    await expectAccessible();
    for (const between of width === 1440 ? WIDTHS_BETWEEN : []) {
      await page.setViewportSize({ width: between, height: 900 });
      await expectFits();
    }
  },
);

test.each(PANELS.flatMap((panel) => THEMES.map((theme, index) => [panel.name, theme, WIDTHS[index] ?? 375] as const)))(
  "the panel %s in %s at %i is accessible and fits",
  async (name, theme, width) => {
    const panel = PANELS.find((one) => one.name === name);
    await page.emulateMedia({ colorScheme: theme });
    await page.setViewportSize({ width, height: 900 });
    await page.goto(base + panel?.path);
    await drawn(page);
    await panel?.act(page);
    await drawn(page);
    await expectAccessible();
  },
);

test("no page broke, and nothing ran against the policy", () => {
  expect(defects).toEqual([]);
});
