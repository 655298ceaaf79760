/** What the guide's blocks take for granted. */
export const given = { projectId: "", startDate: "2024-01-01", endDate: "2024-01-31" };
