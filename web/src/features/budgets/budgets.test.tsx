import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { expect, test } from "vitest";
import { openPage } from "../../../tests/page";
import { neverAnswers, refuses, says, server } from "../../../tests/server";

const MONTH = { periodStart: "2026-11-01T00:00:00Z", periodEnd: "2026-12-01T00:00:00Z" };
const BUDGET = {
  amount: 100,
  currency: "USD",
  period: "monthly",
  timeZone: "UTC",
  enforcement: "block",
  alerts: [{ threshold: 80, type: "email", recipients: ["a@example.com"] }],
};
const SPENDING = { totalCost: 85.5, totalRequests: 3, totalTokens: 9, unpricedRequests: 1, ...MONTH };
const VIEW = {
  id: "p1",
  name: "Support",
  scope: { type: "project", projectId: "p1" },
  limit: { total: 100, amount: 100, increased: 0, carriedOver: 0 },
  projectId: "p1",
  projectName: "Support",
  budget: BUDGET,
  spending: { ...SPENDING, remaining: 14.5, budgetUtilization: 85.5 },
};
const PROJECT = {
  id: "p1",
  _id: "p1",
  name: "Support",
  description: "",
  tags: [],
  settings: {},
  members: [],
  role: "admin",
  isActive: true,
  isDemo: false,
  budget: BUDGET,
  spending: VIEW.spending,
};

test("without budgets it says how to get one", async () => {
  openPage("/budgets");
  await screen.findByText("No budget yet");
  expect(screen.getByRole("link", { name: "To the projects" }).getAttribute("href")).toBe("/projects");
});

test("while it loads it says so", async () => {
  server.use(neverAnswers("/api/budgets"));
  openPage("/budgets");
  await screen.findByRole("status", { name: "Loading" });
});

test.each([
  [403, "You may not see this"],
  [500, "This could not be loaded"],
])("%d is %s", async (status, title) => {
  server.use(refuses("/api/budgets", status));
  openPage("/budgets");
  await screen.findByText(title);
});

test("a budget past its last threshold says so", async () => {
  server.use(says("/api/budgets", [VIEW]));
  openPage("/budgets");
  const row = (await screen.findByRole("link", { name: "Support" })).closest("li") as HTMLElement;
  within(row).getByText("$85.50");
  within(row).getByText("$14.50 left");
  within(row).getByText("1 call without a price");
  expect(within(row).getByRole("img").getAttribute("aria-label")).toContain("past its last threshold");
});

test("a search is in the address, and leaves out the others", async () => {
  server.use(says("/api/budgets", [VIEW]));
  const { address } = openPage("/budgets");
  fireEvent.change(await screen.findByLabelText("Find a budget"), { target: { value: "nobody" } });
  await screen.findByText("No budget of that name");
  expect(address()).toBe("/budgets?search=nobody");
});

test("the page of a budget says who was told and what came of it", async () => {
  const told = { channel: "email", to: "a@example.com", state: "waiting", attempts: 2, reason: "mailbox full" };
  server.use(
    says("/api/budgets/p1/status", {
      ...VIEW,
      ...MONTH,
      spent: 85.5,
      reserved: 0,
      remaining: 14.5,
      utilization: 85.5,
      alerts: [
        {
          threshold: 80,
          type: "email",
          firedAt: "2026-11-20T10:00:00Z",
          spent: 80.25,
          deliveries: [{ ...told, nextAttemptAt: "2026-11-20T10:30:00Z" }],
        },
      ],
    }),
    says("/api/projects/p1", PROJECT),
    refuses("/api/analytics", 500),
    says("/api/budgets/p1/increases", []),
  );
  openPage("/budgets/p1");
  await screen.findByText("20 Nov 2026, 10:00");
  screen.getByText("a@example.com");
  screen.getByText(/after 2 attempts; next 20 Nov 2026, 10:30:00 – mailbox full/);
});

test("a changed budget is sent whole, with its alerts", async () => {
  const sent: unknown[] = [];
  server.use(
    says("/api/budgets/p1/status", {
      ...VIEW,
      ...MONTH,
      spent: 0,
      reserved: 0,
      remaining: 100,
      utilization: 0,
      alerts: [],
    }),
    says("/api/projects/p1", PROJECT),
    refuses("/api/analytics", 500),
    says("/api/budgets/p1/increases", []),
    http.put("*/api/projects/p1", async ({ request }) => {
      sent.push(JSON.parse(await request.text()));
      return HttpResponse.json({ success: true, data: PROJECT });
    }),
  );
  openPage("/budgets/p1?edit=yes");
  fireEvent.change(await screen.findByLabelText("Budget"), { target: { value: "250.5" } });
  fireEvent.click(screen.getByRole("button", { name: "Add an alert" }));
  fireEvent.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(sent).toHaveLength(1));
  expect(sent[0]).toMatchObject({
    budget: {
      amount: 250.5,
      enforcement: "block",
      alerts: [
        { threshold: 80, type: "email", recipients: ["a@example.com"] },
        { threshold: 90, type: "email", recipients: [] },
      ],
    },
  });
});
