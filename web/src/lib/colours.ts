// A name has the same colour wherever it is drawn. Names get the least used colour when they are first seen, which is
// kept; within one chart two names never share a colour while there is another.

import { NONE } from "./dimensions";

export const COLOURS = 10;

const LIGHT = [
  "#4f46e5",
  "#0e8a92",
  "#d9580d",
  "#8b3fd9",
  "#2f7d32",
  "#c2255c",
  "#9a7200",
  "#1976d2",
  "#7a5646",
  "#5a6b00",
];
const DARK = [
  "#8188ff",
  "#3cc6cf",
  "#ff9a4d",
  "#c08bff",
  "#6cc873",
  "#ff7fab",
  "#e6c14a",
  "#62b0f5",
  "#c7a08e",
  "#b3c85a",
];

export const OTHER = "Other";
const GREY = { light: "#8b93a1", dark: "#6b7484" };
const PALE = { light: "#b6bcc7", dark: "#4b5361" };

export type Theme = "light" | "dark";

const KEY = "colours";
let known: Map<string, number> | undefined;

function registry(): Map<string, number> {
  if (!known) {
    try {
      known = new Map(JSON.parse(localStorage.getItem(KEY) ?? "[]") as [string, number][]);
    } catch {
      known = new Map();
    }
  }
  return known;
}

/** Colours for the names of one chart. */
export function coloursOf(names: readonly string[], theme: Theme): Map<string, string> {
  const palette = theme === "dark" ? DARK : LIGHT;
  const indices = registry();
  const taken = new Set<number>();
  const colours = new Map<string, string>();
  for (const name of names) {
    if (name === OTHER || name === NONE) {
      colours.set(name, (name === OTHER ? GREY : PALE)[theme]);
      continue;
    }
    let index = indices.get(name);
    if (index === undefined) {
      index = leastUsed([...indices.values()], taken);
      indices.set(name, index);
    }
    while (taken.has(index) && taken.size < COLOURS) index = (index + 1) % COLOURS;
    taken.add(index);
    colours.set(name, palette[index] ?? GREY[theme]);
  }
  try {
    localStorage.setItem(KEY, JSON.stringify([...indices]));
  } catch {
    // Without storage colours last until the page is left.
  }
  return colours;
}

function leastUsed(used: number[], taken: Set<number>): number {
  const counts = Array.from({ length: COLOURS }, (_, index) => used.filter((other) => other === index).length);
  const free = counts.map((count, index) => (taken.has(index) ? Number.POSITIVE_INFINITY : count));
  const least = Math.min(...free);
  return Number.isFinite(least) ? free.indexOf(least) : 0;
}
