import { screen } from "@testing-library/react";
import { test } from "vitest";
import { openPage } from "../../../tests/page";
import { says, server } from "../../../tests/server";

const project = (spent: number) => ({
  id: "p1",
  name: "Support",
  description: "",
  isActive: true,
  role: "owner",
  tags: [],
  members: [],
  budget: { amount: 100, currency: "USD", period: "one-time", alerts: [{ threshold: 80, type: "in-app" }] },
  spending: {
    totalCost: spent,
    totalRequests: 1,
    unpricedRequests: 0,
    budgetUtilization: spent,
    periodStart: "2026-11-01T00:00:00Z",
  },
});

test.each([
  [79, "79.0 % used, on course"],
  [81, "81.0 % used, past its last threshold"],
  [100, "100.0 % used, used up"],
])("at %i of 100 the bar of a card says: %s", async (spent, words) => {
  server.use(says("/api/projects", [project(spent)]));
  openPage("/projects");
  await screen.findByRole("img", { name: words });
});

test("a link to a project that is not there says so", async () => {
  server.use(says("/api/projects", [project(1)]));
  openPage("/projects?project=p2");
  await screen.findByRole("dialog", { name: "There is no such project" });
});
