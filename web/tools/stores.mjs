// Stores that pages are looked at with: the demo, nothing at all, and names and figures that nobody designs for.
import { fillWithDemo, post } from "./stage.mjs";

const OWNER = { email: "owner@example.com", password: "owner-password-1", name: "Owner" };
const DAY_MS = 86_400_000;

const LONG = "A project with a name that goes on and on, as people in large organisations like to write them, in full";
const MODELS = [
  "ft:gpt-4o-2024-08-06:acme-corporation-international:customer-support-triage-v12:9xQ3kLmN",
  "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdefghijkl",
  "<script>alert(1)</script>",
  "mødel-日本語-🦙",
];
const COSTS = ["98765.123456789", "0.000000001", "0.00009", "0.9999", "12345.89", "0"];

/** Calls that cost nearly nothing and nearly everything, under names of every length. */
function extremes(projects) {
  const now = Date.now();
  return Array.from({ length: 240 }, (_, index) => ({
    timestamp: new Date(now - (index % 60) * DAY_MS - index * 1000).toISOString(),
    service: index % 5 === 0 ? "a-provider-that-nobody-has-heard-of-but-that-has-a-long-name" : "openai",
    model: MODELS[index % MODELS.length],
    ...(index % 7 === 0 ? {} : { cost: Number(COSTS[index % 3 === 0 ? index % COSTS.length : 1 + (index % 3)]) }),
    promptTokens: index % 11 === 0 ? 900_000_000_000 : index,
    completionTokens: index % 11 === 0 ? 70_000_000_000 : 1,
    responseTime: index % 13 === 0 ? 5_400_000 : 12,
    projectId: projects[index % projects.length],
    costAllocation: {
      team: `${"Team ".repeat(12)}${index % 3}`,
      department: "Research & Development",
      client: "Ünïcode GmbH & Co. KGaA",
    },
    tags: ["a-tag-that-is-longer-than-any-tag-should-be-but-nobody-said-so", `t${index % 20}`],
    userEmail: "somebody.with.a.very.long.name@subdomain.of.a.department.example.com",
    customerEmail: `customer-${index % 9}@example.com`,
    ...(index % 17 === 0
      ? { status: "error", errorCode: "rate_limit_exceeded_for_this_organisation", errorMessage: "x".repeat(300) }
      : {}),
  }));
}

export const STORES = {
  demo: {
    fill: (binary, data) => fillWithDemo(binary, data, 50_000),
  },
  empty: {
    async after(base) {
      await post(base, "/api/auth/register", OWNER);
      return OWNER;
    },
  },
  extreme: {
    async after(base) {
      const { accessToken } = await post(base, "/api/auth/register", {
        ...OWNER,
        name: "Bartholomew Featherstonehaugh-Cholmondeley",
      });
      const budgets = [
        { amount: 5_000_000_000, period: "monthly", alerts: [{ threshold: 80, type: "in-app" }] },
        { amount: 0.01, period: "weekly" },
      ];
      const projects = [];
      for (const [index, name] of [LONG, "x", "Ünïcode 日本語 🦙 مشروع", `${"Unbroken".repeat(12)}`].entries()) {
        const budget = budgets[index];
        const made = await post(
          base,
          "/api/projects",
          { name, description: index % 2 ? "" : LONG.repeat(4), tags: ["one", "two"], ...(budget ? { budget } : {}) },
          accessToken,
        );
        projects.push(made.id);
      }
      await post(base, "/api/usage/bulk", { usageData: extremes(projects) }, accessToken);
      const webhook = { url: `https://example.com/${"hook/".repeat(30)}`, description: LONG };
      await post(base, "/api/webhooks", webhook, accessToken);
      for (const name of ["short", "A key with a name that says everything about what it is for and who made it"])
        await post(base, "/api/user/dashboard-api-keys", { name, scopes: ["ingest", "read"] }, accessToken);
      return OWNER;
    },
  },
};
