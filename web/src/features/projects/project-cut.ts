import { useNavigate, useSearch } from "@tanstack/react-router";
import type { Dimension } from "@/lib/dimensions";

type View = { by?: Dimension | undefined; show?: "table" | undefined };

function useView(): [View, (next: View) => void] {
  const view = useSearch({ strict: false }) as View;
  const navigate = useNavigate();
  return [
    view,
    (next) => void navigate({ to: ".", search: (old: object) => ({ ...old, ...next }), resetScroll: false }),
  ];
}

/** By what a project's costs are cut, as the address says. */
export function useProjectCut<Cut extends Dimension>(cuts: readonly Cut[], usual: Cut): [Cut, (by: Cut) => void] {
  const [{ by }, change] = useView();
  return [cuts.find((cut) => cut === by) ?? usual, (next) => change({ by: next === usual ? undefined : next })];
}

/** Whether the figures of a chart are shown in its place. */
export function useProjectTable(): [boolean, (table: boolean) => void] {
  const [{ show }, change] = useView();
  return [show === "table", (table) => change({ show: table ? "table" : undefined })];
}
