// Every page, and every dialog and panel with the way to it.

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {{ name: string, path: string, act: (page: Page) => Promise<unknown> }} Place */

/** Each page with its heading. */
export const PAGES = /** @type {const} */ ([
  ["/", "Overview"],
  ["/explorer", "Explorer"],
  ["/explorer?by=team&and=model&chart=area", "Explorer"],
  ["/explorer?chart=line&metric=tokens", "Explorer"],
  ["/explorer?chart=table", "Explorer"],
  ["/explorer?chart=heat", "Explorer"],
  ["/explorer?metric=duration", "Explorer"],
  ["/records", "Records"],
  ["/close", "Month close"],
  ["/projects", "Projects"],
  ["/budgets", "Budgets"],
  ["/alerts", "Alerts"],
  ["/alerts?tab=anomalies&expected=all", "Alerts"],
  ["/prices", "Models and prices"],
  ["/prices?model=gpt-5", "gpt-5"],
  ["/prices?tab=unpriced", "Models and prices"],
  ["/prices?tab=simulate&candidate=gpt-4o-mini", "Models and prices"],
  ["/prices?tab=overrides", "Models and prices"],
  ["/prices?tab=names", "Models and prices"],
  ["/prices?tab=import", "Models and prices"],
  ["/prices?tab=reprice", "Models and prices"],
  ["/prices?tab=changes", "Models and prices"],
  ["/integration", "Integration"],
  ["/webhooks", "Webhooks"],
  ["/audit", "Audit log"],
  ["/settings", "Settings"],
  ["/settings?tab=profile&preview=digest", "Settings"],
  ["/settings?tab=people", "Settings"],
  ["/settings?tab=currencies", "Settings"],
  ["/settings?tab=notifications", "Settings"],
  ["/settings?tab=erasure", "Settings"],
  ["/forgot-password", "Forgotten the password"],
  ["/reset-password", "Set a new password"],
  ["/nowhere", "There is no such page"],
]);

/** @param {string | RegExp} name @returns {(page: Page) => Promise<void>} */
const press = (name) => (page) => page.getByRole("button", { name }).first().click();

/** @param {string} selector @returns {(page: Page) => Promise<void>} */
const follow = (selector) => (page) => page.locator(selector).first().click();

/** @param {string} name @returns {(page: Page) => Promise<void>} */
const partOfProject = (name) => async (page) => {
  await follow("article a")(page);
  await page.getByRole("tab", { name, exact: true }).click();
};

/** @type {Place[]} */
export const PANELS = [
  {
    name: "palette",
    path: "/",
    async act(page) {
      await page.keyboard.press("Control+k");
      await dialog(page);
    },
  },
  { name: "account", path: "/settings", act: (page) => account(page) },
  { name: "period", path: "/explorer", act: press(/^Period/) },
  { name: "filter", path: "/explorer", act: press("Filter") },
  { name: "views", path: "/explorer", act: press("Views") },
  { name: "export", path: "/explorer", act: press("Export") },
  { name: "record", path: "/records", act: follow("[role=listitem] a") },
  {
    name: "correction",
    path: "/records",
    async act(page) {
      await page.getByRole("checkbox").first().click();
      await page.getByRole("button", { name: "Correct them" }).click();
    },
  },
  { name: "project", path: "/projects", act: follow("article a") },
  { name: "project-analytics", path: "/projects", act: partOfProject("Analytics") },
  { name: "project-allocation", path: "/projects", act: partOfProject("Allocation") },
  { name: "project-budget", path: "/projects", act: partOfProject("Budget and alerts") },
  { name: "project-members", path: "/projects", act: partOfProject("Members") },
  { name: "project-id", path: "/projects", act: partOfProject("Project id") },
  { name: "project-settings", path: "/projects", act: partOfProject("Settings") },
  { name: "new-project", path: "/projects?new=yes", act: dialog },
  { name: "new-budget", path: "/budgets?new=yes", act: dialog },
  { name: "budget", path: "/budgets", act: firstBudget },
  {
    name: "budget-form",
    path: "/budgets",
    async act(page) {
      await firstBudget(page);
      await page.getByRole("button", { name: "Change" }).click();
      await dialog(page);
    },
  },
  { name: "new-webhook", path: "/webhooks?new=yes", act: dialog },
  { name: "webhook", path: "/webhooks", act: follow("main li a") },
  { name: "guide", path: "/integration?guide=keys", act: dialog },
  { name: "gateway", path: "/integration?example=openai-python", act: async () => {} },
  { name: "change-key", path: "/settings", act: press(/^Change the key/) },
  { name: "add-price", path: "/prices?tab=unpriced", act: press(/^Add a price/) },
  { name: "expect", path: "/alerts?tab=anomalies", act: press("Was expected") },
];

/** @param {Page} page */
async function firstBudget(page) {
  await follow("main li a")(page);
  await page.getByRole("heading", { name: "Burn-down" }).waitFor();
}

/** @param {Page} page */
function dialog(page) {
  return page.getByRole("dialog").waitFor();
}

/** The menu of the account is in the drawer on narrow screens. @param {Page} page */
async function account(page) {
  const menu = page.getByRole("button", { name: "Menu" });
  if (await menu.isVisible()) await menu.click();
  await page.locator("nav button").last().click();
}
