import { fireEvent, screen, waitFor } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { expect, test } from "vitest";
import { openPage } from "../../tests/page";
import { neverAnswers, refuses, says, server } from "../../tests/server";

const PAGES = [
  { page: "/budgets", route: "/api/budgets", empty: "No budget yet" },
  { page: "/alerts", route: "/api/alerts", empty: "Nothing here" },
  { page: "/alerts?tab=anomalies", route: "/api/anomalies", empty: "Nothing unusual" },
  { page: "/webhooks", route: "/api/webhooks", empty: "No webhook yet" },
  { page: "/prices", route: "/api/prices", empty: "No price of that name" },
  { page: "/prices?tab=overrides", route: "/api/prices/overrides", empty: "No rule yet" },
  { page: "/prices?tab=names", route: "/api/prices/mappings", empty: "No name is mapped" },
  { page: "/prices?tab=changes", route: "/api/prices/revisions", empty: "Nothing was changed" },
  { page: "/audit", route: "/api/audit", empty: "No entry matches" },
  { page: "/projects", route: "/api/projects", empty: "No project yet" },
  { page: "/records", route: "/api/usage", empty: "No call yet" },
  { page: "/settings", route: "/api/user/api-keys", empty: "No key of a provider is kept." },
];

test.each(PAGES)("$page says that there is nothing: $empty", async ({ page, empty }) => {
  openPage(page);
  await screen.findByText(empty);
});

test.each(PAGES)("$page says when it could not be loaded, and tries again", async ({ page, route, empty }) => {
  server.use(refuses(route, 500, "the disk is full"));
  openPage(page);
  await screen.findByText(/the disk is full/);
  server.resetHandlers();
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByText(empty);
});

test.each(PAGES)("$page says when one may not see it", async ({ page, route }) => {
  server.use(refuses(route, 403));
  openPage(page);
  await screen.findByText("You may not see this");
});

test.each(PAGES.filter(({ page }) => page !== "/settings"))("$page says that it loads", async ({ page, route }) => {
  server.use(neverAnswers(route));
  openPage(page);
  await screen.findByRole("status", { name: "Loading" });
});

test("what is shown says when it could not be got anew, and stops saying so", async () => {
  openPage("/webhooks");
  await screen.findByText("No webhook yet");
  server.use(refuses("/api/webhooks", 503, "the server is stopping"));
  fireEvent(window, new Event("visibilitychange"));
  await screen.findByText(/^The server is stopping\. Some of what you see is of \d{2}:\d{2}:\d{2}\.$/);
  expect(screen.queryByText("No webhook yet")).not.toBeNull();
  server.resetHandlers();
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(screen.queryByText(/Some of what you see/)).toBeNull());
});

test("what only administrators may do others do not see", async () => {
  openPage("/prices", "member");
  await screen.findByRole("tab", { name: "Names" });
  expect(screen.queryByRole("tab", { name: "Reprice" })).toBeNull();
  expect(screen.queryByRole("link", { name: "Audit log" })).toBeNull();
});

test("an alert is read by a press, and the count follows", async () => {
  const alert = {
    id: "a1",
    budgetId: "p1",
    budgetName: "Support",
    scope: { type: "project", projectId: "p1" },
    threshold: 80,
    exceeded: false,
    type: "email",
    amount: 100,
    spent: 80.5,
    periodStart: "2026-11-01T00:00:00Z",
    periodEnd: "2026-12-01T00:00:00Z",
    firedAt: "2026-11-20T10:00:00Z",
    readAt: null as string | null,
    snoozedUntil: null,
  };
  const list = () =>
    HttpResponse.json({ success: true, data: [alert], pagination: { limit: 50, hasNext: false, hasPrev: false } });
  server.use(
    http.get("*/api/alerts", list),
    http.get("*/api/alerts/unread-count", () =>
      HttpResponse.json({ success: true, data: { count: alert.readAt ? 0 : 1 } }),
    ),
    http.put("*/api/alerts/a1", async ({ request }) => {
      expect(await request.json()).toEqual({ read: true });
      alert.readAt = "2026-11-20T11:00:00Z";
      return HttpResponse.json({ success: true, data: alert });
    }),
  );
  openPage("/alerts");
  await screen.findByRole("link", { name: /Alerts.*1.*unread/ });
  fireEvent.click(await screen.findByRole("button", { name: "Mark as read" }));
  await screen.findByRole("link", { name: "Alerts" });
  await screen.findByRole("button", { name: "Mark as unread" });
});

test("a webhook's secret is shown once, and all events are none in particular", async () => {
  const sent: unknown[] = [];
  server.use(
    http.post("*/api/webhooks", async ({ request }) => {
      sent.push(await request.json());
      const data = {
        id: "w1",
        url: "https://example.com",
        events: [],
        format: "json",
        enabled: true,
        secret: "whsec_abc",
      };
      return HttpResponse.json({ success: true, data: { ...data, description: "", ofBudget: false } }, { status: 201 });
    }),
  );
  openPage("/webhooks?new=yes");
  fireEvent.change(await screen.findByLabelText("URL"), { target: { value: "https://example.com" } });
  fireEvent.click(screen.getByRole("button", { name: "Make the webhook" }));
  await screen.findByText("whsec_abc");
  expect(sent).toEqual([{ url: "https://example.com", description: "", events: [] }]);
});

test("own rates for a model without a price: first the effect, then the rule", async () => {
  const summary = { totalCost: 0, totalTokens: 3, totalRequests: 2, unpricedRequests: 2, latency: {} };
  const sent: unknown[] = [];
  server.use(
    says("/api/analytics", {
      period: { start: "", end: "", timeZone: "UTC", bucket: "day" },
      summary,
      timeline: [],
      breakdown: { projects: [], users: [], models: [], services: [], teams: [] },
      groups: [{ key: { service: "own", model: "acme-1" }, cost: 0, tokens: 3, requests: 2 }],
      trends: {},
    }),
    says("/api/usage/stats", {
      ...summary,
      inputTokens: 2_000_000,
      cachedTokens: 1_000_000,
      outputTokens: 1_000_000,
      listCost: 0,
      cacheSavings: 0,
    }),
    http.put("*/api/prices/overrides", async ({ request }) => {
      const body = await request.json();
      sent.push(body);
      return HttpResponse.json({ success: true, data: body });
    }),
  );
  openPage("/prices?tab=unpriced&from=2026-11-01&to=2026-11-24");
  fireEvent.click(await screen.findByRole("button", { name: /Add a price/ }));
  fireEvent.change(await screen.findByLabelText("Input"), { target: { value: "1.5" } });
  fireEvent.change(screen.getByLabelText("Cached input"), { target: { value: "0.5" } });
  fireEvent.change(screen.getByLabelText("Output"), { target: { value: "6" } });
  fireEvent.click(screen.getByRole("button", { name: "Show the effect" }));
  await screen.findByText("$8.00");
  fireEvent.click(screen.getByRole("button", { name: "Add the price and cost the calls" }));
  await waitFor(() => expect(sent).toHaveLength(1));
  expect(sent[0]).toEqual({
    rules: [
      {
        id: "rule-1",
        service: "own",
        model: "acme-1",
        validFrom: "2026-11-01T00:00:00Z",
        rates: { input_tokens: "1.5", cache_read_tokens: "0.5", output_tokens: "6" },
      },
    ],
  });
});
