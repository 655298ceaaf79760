import { API_URL } from "@/api/session";

/** What a code example is filled in with. */
export type Filling = { baseUrl: string; apiKey: string; projectId: string | undefined };

export type Example = { id: string; name: string; code: (filling: Filling) => string };

export const serverUrl = (): string => API_URL || window.location.origin;

/** A line that is there only when a project is known; `line` says how the language writes it. */
export const lineOf = (projectId: string | undefined, line: (id: string) => string): string =>
  projectId ? `\n${line(projectId)}` : "";
