import type { Theme } from "@/lib/colours";

/** Colours of a chart's own parts; a canvas cannot read the style sheet. */
export const PAINT: Record<
  Theme,
  {
    ink: string;
    muted: string;
    line: string;
    surface: string;
    accent: string;
    bad: string;
    warn: string;
    heat: string[];
  }
> = {
  light: {
    ink: "#151a22",
    muted: "#566070",
    line: "#e3e6eb",
    surface: "#ffffff",
    accent: "#4f46e5",
    bad: "#b91c1c",
    warn: "#a04a00",
    heat: ["#eef0fe", "#a9aef5", "#4f46e5", "#2a2390"],
  },
  dark: {
    ink: "#e7eaf0",
    muted: "#9aa4b3",
    line: "#262c37",
    surface: "#14181f",
    accent: "#8188ff",
    bad: "#ff8585",
    warn: "#f0b04a",
    heat: ["#1b2029", "#3a3f86", "#7a80f5", "#d3d6ff"],
  },
};

export type Paint = (typeof PAINT)[Theme];

export const FONT = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", sans-serif';
