/** The guide's budget, as it is written: by the API, to a mail server and to a webhook of the project. */

import ts from "typescript";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TrackerServer } from "../../sdk/typescript/tests/servers.js";
import { block } from "./guide.js";
import { startMailServer, startWebhookReceiver } from "./receivers.js";

const code = ts.transpile(`${block("Budget Management › Budget Alerts")}\nbudgetConfig`);
// biome-ignore lint/security/noGlobalEval: the guide's own object, as JavaScript reads it
const budgetConfig = eval(code) as { amount: number; alerts: unknown[] };

let mail: Awaited<ReturnType<typeof startMailServer>>;
let hooks: Awaited<ReturnType<typeof startWebhookReceiver>>;
let tracker: TrackerServer;
beforeAll(async () => {
  [mail, hooks] = [await startMailServer(), await startWebhookReceiver()];
  const settings = [
    "smtp.host=127.0.0.1",
    `smtp.port=${mail.port}`,
    "smtp.security=none",
    "smtp.from=costs@example.com",
  ];
  const all = [...settings, "notify.allow_private_addresses=true"];
  tracker = await (await TrackerServer.start(undefined, 0, all)).setUp();
});
afterAll(async () => {
  await tracker.remove();
  mail.close();
  hooks.close();
});

test("its alerts fire by the channel that each names, once", async () => {
  const { id, budget } = await tracker.send("POST", "/api/projects", { name: "Chat", budget: budgetConfig });
  expect(budget).toMatchObject(budgetConfig);
  const url = `http://127.0.0.1:${hooks.port}/hook`;
  await tracker.send("POST", "/api/webhooks", { url, projectId: id, events: ["budget.threshold_crossed"] });
  const spend = (cost: number) => tracker.send("POST", "/api/usage/track", { model: "gpt-4o", projectId: id, cost });
  await spend(500);
  await mail.arrivals.reach(1);
  await spend(300);
  await Promise.all([mail.arrivals.reach(2), hooks.arrivals.reach(1)]);
  await spend(100);
  await hooks.arrivals.reach(2);
  expect(mail.arrivals.items).toEqual([
    "Chat: 50 % of the budget of $1,000.00 is spent",
    "Chat: 80 % of the budget of $1,000.00 is spent",
  ]);
  expect(hooks.arrivals.items.map(({ type, data }) => [type, data.threshold])).toEqual([
    ["budget.threshold_crossed", 80],
    ["budget.threshold_crossed", 90],
  ]);
  const { summary } = await tracker.send("GET", `/api/analytics/projects/${id}`);
  expect(summary.budgetUtilization).toBe(90);
});

test("a project that exists takes it, too, and keeps the rest of itself", async () => {
  await tracker.send("PUT", `/api/projects/${tracker.project}`, { budget: budgetConfig });
  const { name, budget } = await tracker.send("GET", `/api/projects/${tracker.project}`);
  expect([name, budget]).toMatchObject(["SDK", budgetConfig]);
});

test.each(["monthly", "quarterly", "yearly"])("a budget may be %s", async (period) => {
  const { budget } = await tracker.send("POST", "/api/projects", { name: period, budget: { ...budgetConfig, period } });
  expect(budget.period).toBe(period);
});
