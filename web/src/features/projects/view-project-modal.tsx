import { ProjectIdGuide } from "@/components/integration";
import { Dialog } from "@/components/ui/dialog";
import { Tabs } from "@/components/ui/tabs";
import type { Project } from "@/services/project.service";
import { Members } from "./members";
import { ProjectAllocation } from "./project-allocation";
import { ProjectAnalytics } from "./project-analytics";
import { ProjectBudget } from "./project-budget";
import { ProjectForm } from "./project-form";
import { ProjectOverview } from "./project-overview";

type Props = { project: Project; tab: string; onTab: (tab: string) => void; onClose: () => void };

/** A project: its figures, its members, its settings, and how to record for it. */
export function ViewProjectModal({ project, tab, onTab, onClose }: Props) {
  const mayChange = project.role === "owner" || project.role === "admin";
  const tabs = [
    { id: "overview", name: "Overview", content: () => <ProjectOverview project={project} /> },
    { id: "analytics", name: "Analytics", content: () => <ProjectAnalytics project={project} /> },
    { id: "allocation", name: "Allocation", content: () => <ProjectAllocation project={project} /> },
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
