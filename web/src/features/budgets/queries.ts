import { queryOptions } from "@tanstack/react-query";
import { api, dataOf, type Schemas } from "@/api/client";
import type { Filters } from "@/lib/dimensions";

export type BudgetView = Schemas["BudgetView"];
export type BudgetStatus = Schemas["BudgetStatus"];

export const budgets = () =>
  queryOptions({ queryKey: ["budgets"], queryFn: ({ signal }) => dataOf(api.GET("/api/budgets", { signal })) });

export const budgetStatus = (projectId: string) =>
  queryOptions({
    queryKey: ["budgets", projectId],
    queryFn: ({ signal }) =>
      dataOf(api.GET("/api/budgets/{projectId}/status", { params: { path: { projectId } }, signal })),
    refetchInterval: 60_000,
  });

/** Whose budget it is, and which calls count. */
export function subjectOf({ projectId, projectName }: Pick<BudgetView, "projectId" | "projectName">): {
  id: string;
  name: string;
  filters: Filters;
} {
  return { id: projectId, name: projectName, filters: { project: [projectId] } };
}
