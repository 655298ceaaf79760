import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { ProjectIdGuide } from "@/components/integration";
import { PeriodPicker } from "@/components/period-picker";
import { Dialog } from "@/components/ui/dialog";
import { Tabs } from "@/components/ui/tabs";
import type { PeriodSearch } from "@/lib/period";
import type { Project } from "@/services/project.service";
import { Members } from "./members";
import { ProjectAllocation } from "./project-allocation";
import { ProjectAnalytics } from "./project-analytics";
import { ProjectBudget } from "./project-budget";
import { FALLBACK } from "./project-costs";
import { ProjectForm } from "./project-form";
import { ProjectOverview } from "./project-overview";

/** Figures with the choice of the days that they are of. */
const withDays = (figures: ReactNode) => (
  <div className="grid grid-cols-1 gap-4">
    <ProjectDays />
    {figures}
  </div>
);

function ProjectDays() {
  const search = useSearch({ strict: false }) as PeriodSearch & { tz?: string | undefined };
  const navigate = useNavigate();
  return (
    <div>
      <PeriodPicker
        search={search}
        fallback={FALLBACK}
        onChange={(next) =>
          void navigate({
            to: ".",
            search: (old: object) => ({ ...old, range: undefined, from: undefined, to: undefined, ...next }),
            resetScroll: false,
          })
        }
      />
    </div>
  );
}

type Props = { project: Project; tab: string; onTab: (tab: string) => void; onClose: () => void };

/** A project: its figures, its members, its settings, and how to record for it. */
export function ViewProjectModal({ project, tab, onTab, onClose }: Props) {
  const mayChange = project.role === "owner" || project.role === "admin";
  const tabs = [
    { id: "overview", name: "Overview", content: () => withDays(<ProjectOverview project={project} />) },
    { id: "analytics", name: "Analytics", content: () => withDays(<ProjectAnalytics project={project} />) },
    { id: "allocation", name: "Allocation", content: () => withDays(<ProjectAllocation project={project} />) },
    { id: "budget", name: "Budget and alerts", content: () => <ProjectBudget project={project} onTab={onTab} /> },
    { id: "members", name: "Members", content: () => <Members project={project} mayChange={mayChange} /> },
    { id: "guide", name: "Project id", content: () => <ProjectIdGuide projectId={project.id} /> },
    ...(mayChange
      ? [{ id: "settings", name: "Settings", content: () => <ProjectForm project={project} onDone={onClose} /> }]
      : []),
  ];
  return (
    <Dialog open onClose={onClose} shape="large" title={project.name} description={project.description}>
      <Tabs
        label="Parts of the project"
        tabs={tabs}
        value={tabs.some(({ id }) => id === tab) ? tab : "overview"}
        onChange={onTab}
      />
    </Dialog>
  );
}
