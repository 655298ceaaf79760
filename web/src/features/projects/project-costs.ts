import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { analytics, type Question } from "@/api/queries";
import { useTimeZone } from "@/app/preferences";
import { today } from "@/lib/days";
import {
  formatPeriod,
  type Period,
  type PeriodSearch,
  type Preset,
  periodLink,
  periodName,
  periodOf,
} from "@/lib/period";
import type { Project } from "@/services/project.service";

export const FALLBACK: Preset = "30d";

type Days = {
  period: Period;
  timeZone: string;
  /** As people call them, and as other pages' addresses do. */
  name: string;
  link: ReturnType<typeof periodLink>;
};

/** The days that a project is looked at, as the address says. */
export function useProjectDays(): Days {
  const search = useSearch({ strict: false }) as PeriodSearch & { tz?: string | undefined };
  const timeZone = useTimeZone(search.tz);
  const period = periodOf(search, today(new Date(), timeZone), FALLBACK);
  const name = periodName(search, FALLBACK) ?? formatPeriod(period, timeZone);
  return { period, timeZone, name, link: periodLink(search, FALLBACK) };
}

/** What a project cost in these days. */
export function useProjectCosts(project: Project, question: Partial<Question> = {}) {
  const { period, timeZone } = useProjectDays();
  return useQuery(analytics({ period, timeZone, ...question, filters: { project: [project.id] } }));
}
