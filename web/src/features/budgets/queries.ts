import { queryOptions } from "@tanstack/react-query";
import { api, dataOf, type Schemas } from "@/api/client";
import type { Filters } from "@/lib/dimensions";

export type BudgetView = Schemas["BudgetView"];
export type BudgetStatus = Schemas["BudgetStatus"];
export type BudgetScope = Schemas["BudgetScope"];

export const budgets = () =>
  queryOptions({ queryKey: ["budgets"], queryFn: ({ signal }) => dataOf(api.GET("/api/budgets", { signal })) });

const path = (budgetId: string) => ({ params: { path: { budgetId } } });

export const budgetStatus = (budgetId: string) =>
  queryOptions({
    queryKey: ["budgets", budgetId],
    queryFn: ({ signal }) => dataOf(api.GET("/api/budgets/{budgetId}/status", { ...path(budgetId), signal })),
    refetchInterval: 60_000,
  });

export const increases = (budgetId: string) =>
  queryOptions({
    queryKey: ["budgets", budgetId, "increases"],
    queryFn: ({ signal }) => dataOf(api.GET("/api/budgets/{budgetId}/increases", { ...path(budgetId), signal })),
  });

export const createBudget = (budget: Schemas["NewBudget"]) => dataOf(api.POST("/api/budgets", { body: budget }));
export const changeBudget = (budgetId: string, budget: Schemas["NewBudget"]) =>
  dataOf(api.PUT("/api/budgets/{budgetId}", { ...path(budgetId), body: budget }));
export const deleteBudget = (budgetId: string) => dataOf(api.DELETE("/api/budgets/{budgetId}", path(budgetId)));
export const createIncrease = (budgetId: string, increase: Schemas["NewIncrease"]) =>
  dataOf(api.POST("/api/budgets/{budgetId}/increases", { ...path(budgetId), body: increase }));
export const withdrawIncrease = (budgetId: string, increaseId: string) =>
  dataOf(api.DELETE("/api/budgets/{budgetId}/increases/{increaseId}", { params: { path: { budgetId, increaseId } } }));

/** Which calls count. */
export function filtersOf(scope: BudgetScope): Filters {
  switch (scope.type) {
    case "project":
      return { project: [scope.projectId] };
    case "key":
      return { trackerKey: [scope.keyId] };
    case "tag":
      return { tag: [scope.tag] };
    case "account":
      return {};
  }
}

/** Whose calls count, in words. */
export function scopeText(scope: BudgetScope): string {
  switch (scope.type) {
    case "project":
      return "project";
    case "key":
      return "tracker key";
    case "tag":
      return `tag ${scope.tag}`;
    case "account":
      return "every call";
  }
}

/** The zone whose days count. */
export const zoneOf = ({ budget }: Pick<BudgetStatus, "budget">): string => budget.timeZone ?? "UTC";
