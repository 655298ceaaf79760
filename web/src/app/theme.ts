import { useSyncExternalStore } from "react";
import type { Theme } from "@/lib/colours";

export type ThemeChoice = Theme | "system";

const listeners = new Set<() => void>();
const dark = () => matchMedia("(prefers-color-scheme: dark)");

export function themeChoice(): ThemeChoice {
  try {
    const kept = localStorage.getItem("theme");
    return kept === "light" || kept === "dark" ? kept : "system";
  } catch {
    return "system";
  }
}

const resolved = (choice: ThemeChoice): Theme => (choice === "system" ? (dark().matches ? "dark" : "light") : choice);

function apply(): void {
  document.documentElement.dataset.theme = resolved(themeChoice());
  for (const listener of listeners) listener();
}

export function chooseTheme(choice: ThemeChoice): void {
  try {
    localStorage.setItem("theme", choice);
  } catch {
    // Without storage the choice lasts until the page is left.
  }
  apply();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  const system = dark();
  system.addEventListener("change", apply);
  return () => {
    listeners.delete(listener);
    system.removeEventListener("change", apply);
  };
}

export const useTheme = (): Theme =>
  useSyncExternalStore(subscribe, () => (document.documentElement.dataset.theme === "dark" ? "dark" : "light"));
export const useThemeChoice = (): ThemeChoice => useSyncExternalStore(subscribe, themeChoice);
