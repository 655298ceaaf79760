import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { type BudgetView, budgets } from "@/features/budgets/queries";
import { evenDays } from "@/lib/budget";
import type { Day } from "@/lib/days";
import { counted } from "@/lib/numbers";

export type BudgetLine = { values: number[]; of: string };

/** Day by day what even spending would be: of the budget over every call, or else of all projects' budgets together. */
export function lineOfBudgets(known: readonly BudgetView[], days: readonly Day[]): BudgetLine | undefined {
  const whole = known.filter(({ scope }) => scope.type === "account");
  const counting = whole.length ? whole.slice(0, 1) : known.filter(({ scope }) => scope.type === "project");
  const lines = counting.flatMap(({ budget }) => {
    const line = evenDays(budget, days);
    return line ? [line] : [];
  });
  if (lines.length === 0) return undefined;
  const values = days.map((_, index) => lines.reduce((sum, line) => sum + (line[index] ?? 0), 0));
  return {
    values,
    of: whole.length ? `the budget ${whole[0]?.name}` : `the budgets of ${counted(lines.length, "project")}`,
  };
}

export function useBudgetLine(days: readonly Day[], enabled: boolean): BudgetLine | undefined {
  const { data: known } = useQuery({ ...budgets(), enabled });
  return useMemo(() => (enabled && known ? lineOfBudgets(known, days) : undefined), [enabled, known, days]);
}
