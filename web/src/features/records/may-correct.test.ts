import { expect, test } from "vitest";
import type { User } from "@/api/session";
import { mayCorrect } from "./may-correct";

const PROJECTS = [
  { id: "seen", role: "viewer" },
  { id: "own", role: "member" },
] as const;

test.each([
  ["viewer", "seen", false],
  ["viewer", "own", true],
  ["viewer", null, false],
  ["member", "seen", false],
  ["member", "own", true],
  ["member", "gone", false],
  ["member", null, true],
  ["admin", "gone", true],
  ["owner", "seen", true],
] as const)("a %s may correct a call of %s: %s", (role, projectId, may) => {
  expect(mayCorrect({ role } as User, PROJECTS)({ projectId })).toBe(may);
});
