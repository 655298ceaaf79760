import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { projects } from "@/api/queries";
import { PageHead } from "@/components/ui/card";
import { Select } from "@/components/ui/field";
import { Tabs } from "@/components/ui/tabs";
import { Anomalies } from "./anomalies";
import { Inbox, ReadAll } from "./inbox";

const route = getRouteApi("/alerts");

/** What called for attention: budgets that reached a threshold, and spending that was far from usual. */
export function Alerts() {
  const { project, tab = "budgets" } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: known = [] } = useQuery(projects());
  const toProject = (
    <Select
      aria-label="Project"
      className="h-8 w-auto max-w-56 py-0"
      value={project ?? ""}
      onChange={(event) =>
        void navigate({
          search: (old) => ({ ...old, project: event.target.value || undefined }),
          resetScroll: false,
        })
      }
    >
      <option value="">All projects</option>
      {known.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </Select>
  );
  return (
    <>
      <PageHead
        title="Alerts"
        hint={
          tab === "budgets"
            ? "What budgets had to say. What you read, snooze or delete stays on the list of the others."
            : "What a model cost in a project, far above what it usually costs there at that time."
        }
      >
        {tab === "budgets" && <ReadAll />}
      </PageHead>
      <Tabs
        label="Kinds of alerts"
        value={tab}
        onChange={(next) =>
          void navigate({
            search: { project, tab: next === "anomalies" ? next : undefined },
            resetScroll: false,
          })
        }
        tabs={[
          { id: "budgets", name: "Budgets", content: () => <Inbox>{toProject}</Inbox> },
          { id: "anomalies", name: "Anomalies", content: () => <Anomalies>{toProject}</Anomalies> },
        ]}
      />
    </>
  );
}
