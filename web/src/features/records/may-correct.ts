import type { UsageRecord } from "@/api/queries";
import type { User } from "@/api/session";
import { isAdministrator, mayRecord } from "@/app/places";
import type { Project } from "@/services/project.service";

/** Whether the server lets somebody correct a call: with the role of a member, in its project or else at all. */
export function mayCorrect(
  user: User,
  projects: readonly Pick<Project, "id" | "role">[],
): (record: Pick<UsageRecord, "projectId">) => boolean {
  const roles = new Map(projects.map(({ id, role }) => [id, role]));
  return ({ projectId }) => {
    if (!projectId || isAdministrator(user)) return mayRecord(user);
    const role = roles.get(projectId);
    return role !== undefined && role !== "viewer";
  };
}
