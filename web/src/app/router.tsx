import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { isMonth } from "@/lib/days";
import { isDimension, readFilters } from "@/lib/dimensions";
import { COLUMNS } from "@/lib/group-rows";
import { readPeriodSearch } from "@/lib/period";
import { LoadFailure, NotFound } from "./boundaries";
import { Root } from "./root";
import { manyOf, oneOf, parseSearch, stringifySearch, textOf } from "./search";

/** A link says only what it wants; whatever a page cannot mean is left out. */
const reading =
  <Search extends object>(read: (search: Record<string, unknown>) => Search) =>
  (search: Record<string, unknown>): Partial<Search> =>
    read(search);

const root = createRootRoute({ component: Root, notFoundComponent: NotFound, errorComponent: LoadFailure });

const columnOf = (sort: unknown) =>
  oneOf(
    sort,
    COLUMNS.map(({ id }) => id),
  );

export const TOP_LISTS = ["model", "project", "team", "trackerKey"] as const;
export const BREAKDOWNS = ["model", "service", "project", "team"] as const;
/** To whom a month can be charged. */
export const PAYERS = ["department", "team", "project", "client", "campaign"] as const;
export const PRICE_TABS = [
  "catalog",
  "unpriced",
  "overrides",
  "names",
  "import",
  "simulate",
  "reprice",
  "changes",
] as const;
export const SETTINGS_TABS = ["keys", "profile", "people", "currencies", "notifications", "erasure"] as const;

const overview = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: reading((search) => ({
    ...readPeriodSearch(search),
    by: oneOf(search.by, BREAKDOWNS),
    metric: oneOf(search.metric, ["cost", "tokens", "requests"] as const),
    show: oneOf(search.show, ["table"] as const),
    top: oneOf(search.top, TOP_LISTS),
    sort: columnOf(search.sort),
    order: oneOf(search.order, ["asc", "desc"] as const),
    tz: textOf(search.tz),
  })),
  component: lazyRouteComponent(() => import("@/features/overview/overview"), "Overview"),
});

const explorer = createRoute({
  getParentRoute: () => root,
  path: "/explorer",
  validateSearch: reading((search) => ({
    ...readPeriodSearch(search),
    ...readFilters(search),
    by: isDimension(search.by) ? search.by : undefined,
    and: isDimension(search.and) ? search.and : undefined,
    metric: oneOf(search.metric, ["cost", "tokens", "requests", "duration"] as const),
    chart: oneOf(search.chart, ["bar", "area", "line", "heat", "table"] as const),
    bucket: oneOf(search.bucket, ["hour", "day", "week", "month"] as const),
    compare: oneOf(search.compare, ["previous", "none"] as const),
    sort: columnOf(search.sort),
    order: oneOf(search.order, ["asc", "desc"] as const),
    measure: oneOf(search.measure, ["response", "firstToken"] as const),
    percentile: oneOf(search.percentile, ["p50", "p95", "p99"] as const),
    search: textOf(search.search),
    tz: textOf(search.tz),
  })),
  component: lazyRouteComponent(() => import("@/features/explorer/explorer"), "Explorer"),
});

const records = createRoute({
  getParentRoute: () => root,
  path: "/records",
  validateSearch: reading((search) => ({
    ...readPeriodSearch(search),
    ...readFilters(search),
    search: textOf(search.search),
    sort: oneOf(search.sort, ["timestamp", "cost", "totalTokens", "responseTime"] as const),
    order: oneOf(search.order, ["asc", "desc"] as const),
    record: textOf(search.record),
    live: oneOf(search.live, ["yes"] as const),
    tz: textOf(search.tz),
  })),
  component: lazyRouteComponent(() => import("@/features/records/records"), "Records"),
});

const close = createRoute({
  getParentRoute: () => root,
  path: "/close",
  validateSearch: reading((search) => ({
    month: isMonth(search.month) ? search.month : undefined,
    by: oneOf(search.by, PAYERS),
    invoice: manyOf(search.invoice),
    tz: textOf(search.tz),
  })),
  component: lazyRouteComponent(() => import("@/features/close/close"), "Close"),
});

const projects = createRoute({
  getParentRoute: () => root,
  path: "/projects",
  validateSearch: reading((search) => ({
    ...readPeriodSearch(search),
    search: textOf(search.search),
    project: textOf(search.project),
    tab: textOf(search.tab),
    by: isDimension(search.by) ? search.by : undefined,
    show: oneOf(search.show, ["table"] as const),
    new: oneOf(search.new, ["yes"] as const),
    tz: textOf(search.tz),
  })),
  component: lazyRouteComponent(() => import("@/features/projects/projects"), "Projects"),
});

const integration = createRoute({
  getParentRoute: () => root,
  path: "/integration",
  validateSearch: reading((search) => ({
    guide: oneOf(search.guide, ["keys"] as const),
    project: textOf(search.project),
    example: textOf(search.example),
  })),
  component: lazyRouteComponent(() => import("@/components/integration/page"), "IntegrationPage"),
});

const budgets = createRoute({
  getParentRoute: () => root,
  path: "/budgets",
  validateSearch: reading((search) => ({
    search: textOf(search.search),
    sort: oneOf(search.sort, ["used", "amount", "name"] as const),
    new: oneOf(search.new, ["yes"] as const),
  })),
  component: lazyRouteComponent(() => import("@/features/budgets/budgets"), "Budgets"),
});

const budget = createRoute({
  getParentRoute: () => root,
  path: "/budgets/$budgetId",
  validateSearch: reading((search) => ({
    show: oneOf(search.show, ["table"] as const),
    edit: oneOf(search.edit, ["yes"] as const),
  })),
  component: lazyRouteComponent(() => import("@/features/budgets/budget-page"), "BudgetPage"),
});

const alerts = createRoute({
  getParentRoute: () => root,
  path: "/alerts",
  validateSearch: reading((search) => ({
    tab: oneOf(search.tab, ["anomalies"] as const),
    status: oneOf(search.status, ["unread", "snoozed", "all"] as const),
    expected: oneOf(search.expected, ["yes", "all"] as const),
    anomaly: textOf(search.anomaly),
    project: textOf(search.project),
  })),
  component: lazyRouteComponent(() => import("@/features/alerts/alerts"), "Alerts"),
});

const webhooks = createRoute({
  getParentRoute: () => root,
  path: "/webhooks",
  validateSearch: reading((search) => ({
    project: textOf(search.project),
    webhook: textOf(search.webhook),
    new: oneOf(search.new, ["yes"] as const),
  })),
  component: lazyRouteComponent(() => import("@/features/webhooks/webhooks"), "Webhooks"),
});

const prices = createRoute({
  getParentRoute: () => root,
  path: "/prices",
  validateSearch: reading((search) => ({
    ...readPeriodSearch(search),
    tab: oneOf(search.tab, PRICE_TABS),
    search: textOf(search.search),
    service: textOf(search.service),
    model: textOf(search.model),
    page: textOf(search.page),
    project: textOf(search.project),
    candidate: manyOf(search.candidate),
    tz: textOf(search.tz),
  })),
  component: lazyRouteComponent(() => import("@/features/prices/prices"), "Prices"),
});

const audit = createRoute({
  getParentRoute: () => root,
  path: "/audit",
  validateSearch: reading((search) => ({
    ...readPeriodSearch(search),
    action: textOf(search.action),
    actor: textOf(search.actor),
    project: textOf(search.project),
    tz: textOf(search.tz),
  })),
  component: lazyRouteComponent(() => import("@/features/audit/audit"), "Audit"),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  validateSearch: reading((search) => ({
    tab: oneOf(search.tab, SETTINGS_TABS),
    preview: oneOf(search.preview, ["digest"] as const),
  })),
  component: lazyRouteComponent(() => import("@/features/settings/settings"), "Settings"),
});

const forgotPassword = createRoute({
  getParentRoute: () => root,
  path: "/forgot-password",
  component: lazyRouteComponent(() => import("@/features/start/forgot-password"), "ForgotPassword"),
});

const resetPassword = createRoute({
  getParentRoute: () => root,
  path: "/reset-password",
  component: lazyRouteComponent(() => import("@/features/start/reset-password"), "ResetPassword"),
});

export const routeTree = root.addChildren([
  overview,
  explorer,
  records,
  close,
  projects,
  budgets,
  budget,
  alerts,
  prices,
  integration,
  webhooks,
  audit,
  settings,
  forgotPassword,
  resetPassword,
]);

export const router = createRouter({
  routeTree,
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
