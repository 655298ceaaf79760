import { useQuery } from "@tanstack/react-query";
import { analytics, type Question } from "@/api/queries";
import { useTimeZone } from "@/app/preferences";
import { addDays, today } from "@/lib/days";
import type { Period } from "@/lib/period";
import type { Project } from "@/services/project.service";

const DAYS = 30;

/** The last thirty days, of one's own zone. */
export function useLastDays(): { period: Period; timeZone: string } {
  const timeZone = useTimeZone();
  const end = today(new Date(), timeZone);
  return { period: { start: addDays(end, 1 - DAYS), end }, timeZone };
}

/** What a project cost in these days. */
export function useProjectCosts(project: Project, question: Partial<Question> = {}) {
  const days = useLastDays();
  return useQuery(analytics({ ...days, ...question, filters: { project: [project.id] } }));
}
