import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { isDimension, readFilters } from "@/lib/dimensions";
import { readPeriodSearch } from "@/lib/period";
import { LoadFailure, NotFound } from "./boundaries";
import { Root } from "./root";
import { oneOf, parseSearch, stringifySearch, textOf } from "./search";

/** A link says only what it wants; whatever a page cannot mean is left out. */
const reading =
  <Search extends object>(read: (search: Record<string, unknown>) => Search) =>
  (search: Record<string, unknown>): Partial<Search> =>
    read(search);

const root = createRootRoute({ component: Root, notFoundComponent: NotFound, errorComponent: LoadFailure });

export const BREAKDOWNS = ["model", "service", "project", "team"] as const;

const overview = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: reading((search) => ({
    ...readPeriodSearch(search),
    by: oneOf(search.by, BREAKDOWNS),
    metric: oneOf(search.metric, ["cost", "tokens", "requests"] as const),
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
    metric: oneOf(search.metric, ["cost", "tokens", "requests"] as const),
    chart: oneOf(search.chart, ["bar", "area", "line", "table"] as const),
    bucket: oneOf(search.bucket, ["hour", "day", "week", "month"] as const),
    compare: oneOf(search.compare, ["previous", "none"] as const),
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
    tz: textOf(search.tz),
  })),
  component: lazyRouteComponent(() => import("@/features/records/records"), "Records"),
});

const projects = createRoute({
  getParentRoute: () => root,
  path: "/projects",
  validateSearch: reading((search) => ({
    search: textOf(search.search),
    project: textOf(search.project),
    tab: textOf(search.tab),
    show: oneOf(search.show, ["inactive"] as const),
    new: oneOf(search.new, ["yes"] as const),
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

const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  validateSearch: reading((search) => ({ tab: textOf(search.tab) })),
  component: lazyRouteComponent(() => import("@/features/settings/settings"), "Settings"),
});

export const router = createRouter({
  routeTree: root.addChildren([overview, explorer, records, projects, integration, settings]),
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
