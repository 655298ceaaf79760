// What the server would answer: an installation without anything in it, until a test says more.
import { HttpResponse, http, type JsonBodyType } from "msw";
import { setupServer } from "msw/node";

const PAGE = { page: 1, limit: 20, total: 0, pages: 0, hasNext: false, hasPrev: false };

export const says = (path: string, data: JsonBodyType) =>
  http.get(`*${path}`, () => HttpResponse.json({ success: true, data, pagination: PAGE }));

export const refuses = (path: string, status: number, message = "not for you") =>
  http.get(`*${path}`, () =>
    HttpResponse.json({ success: false, error: { code: "forbidden", message, details: [] }, message }, { status }),
  );

export const neverAnswers = (path: string) => http.get(`*${path}`, () => new Promise<never>(() => {}));

const LISTS = [
  "/api/alerts",
  "/api/annotations",
  "/api/anomalies",
  "/api/audit",
  "/api/budgets",
  "/api/prices",
  "/api/prices/changes",
  "/api/prices/revisions",
  "/api/projects",
  "/api/usage",
  "/api/user/api-keys",
  "/api/user/dashboard-api-keys",
  "/api/webhooks",
];

export const server = setupServer(
  ...LISTS.map((path) => says(path, [])),
  // Nothing is recorded meanwhile.
  neverAnswers("/api/usage/stream"),
  says("/api/settings", { mailIsConfigured: true, retention: { contentDays: null, recordDays: null } }),
  says("/api/user/digest", { frequency: "off", timeZone: "UTC" }),
  says("/api/alerts/unread-count", { count: 0 }),
  says("/api/usage/stats", { totalCost: 0, totalRequests: 0, unpricedRequests: 0 }),
  says("/api/prices/mappings", { mappings: [] }),
  says("/api/prices/overrides", { rules: [] }),
  says("/api/user/profile", {
    id: "1",
    email: "ada@example.com",
    name: "Ada",
    role: "owner",
    preferences: {},
  }),
);
