import { api, dataOf, pageOf, type Schemas } from "@/api/client";

export type Project = Schemas["ProjectView"];
export type ProjectChange = Schemas["ProjectChange"];
export type ProjectRole = Schemas["ProjectRole"];
export type Member = Schemas["MemberView"];
export type Budget = Schemas["Budget"];
/** An answer about costs with the parts that the server gives by itself. */
export type Analytics = Pick<Schemas["Analytics"], "period" | "project"> &
  Required<Pick<Schemas["Analytics"], "timeline" | "breakdown" | "groups" | "trends">> & {
    summary: Required<Schemas["Summary"]>;
  };

const PAGE_ITEMS = 100;
/** A dashboard that would list more than this needs a search, not a longer list. */
const PAGES_MAX = 10;

const path = (projectId: string) => ({ params: { path: { projectId } } });

/** Projects, their members, and what they cost. */
export const ProjectService = {
  /** Every project of the caller. */
  async getProjects(): Promise<Project[]> {
    const projects: Project[] = [];
    for (let page = 1; page <= PAGES_MAX; page += 1) {
      const { items, pagination } = await pageOf(
        api.GET("/api/projects", { params: { query: { page, limit: PAGE_ITEMS } } }),
      );
      projects.push(...items);
      if (!pagination.hasNext) break;
    }
    return projects;
  },

  getProject: (projectId: string): Promise<Project> => dataOf(api.GET("/api/projects/{projectId}", path(projectId))),

  createProject: (project: ProjectChange): Promise<Project> => dataOf(api.POST("/api/projects", { body: project })),

  updateProject: (projectId: string, change: ProjectChange): Promise<Project> =>
    dataOf(api.PUT("/api/projects/{projectId}", { ...path(projectId), body: change })),

  async deleteProject(projectId: string): Promise<void> {
    await dataOf(api.DELETE("/api/projects/{projectId}", path(projectId)));
  },

  /** What a project cost; the last day is included whole. */
  getProjectUsage: async (projectId: string, startDate: string, endDate: string, timeZone?: string) =>
    (await dataOf(
      api.GET("/api/analytics/projects/{projectId}", {
        params: { path: { projectId }, query: { startDate, endDate, ...(timeZone ? { timeZone } : {}) } },
      }),
    )) as Analytics,

  getCostAllocation: (
    projectId: string,
    groupBy: string,
    startDate: string,
    endDate: string,
    timeZone?: string,
  ): Promise<Schemas["Allocation"]> =>
    dataOf(
      api.GET("/api/projects/{projectId}/cost-allocation", {
        params: { path: { projectId }, query: { groupBy, startDate, endDate, ...(timeZone ? { timeZone } : {}) } },
      }),
    ),

  addMember: (projectId: string, email: string, role: ProjectRole): Promise<Schemas["Added"]> =>
    dataOf(api.POST("/api/projects/{projectId}/members", { ...path(projectId), body: { email, role } })),

  async updateMember(projectId: string, userId: string, role: ProjectRole): Promise<void> {
    await dataOf(
      api.PATCH("/api/projects/{projectId}/members/{userId}", {
        params: { path: { projectId, userId } },
        body: { role },
      }),
    );
  },

  async removeMember(projectId: string, userId: string): Promise<void> {
    await dataOf(api.DELETE("/api/projects/{projectId}/members/{userId}", { params: { path: { projectId, userId } } }));
  },
};
