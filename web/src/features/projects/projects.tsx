import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { FolderPlus } from "lucide-react";
import { projects } from "@/api/queries";
import { useUser } from "@/api/session";
import { mayRecord } from "@/app/places";
import { Button } from "@/components/ui/button";
import { PageHead } from "@/components/ui/card";
import { Dialog } from "@/components/ui/dialog";
import { Input } from "@/components/ui/field";
import { Empty, FailureNotice, Skeleton } from "@/components/ui/states";
import { counted } from "@/lib/numbers";
import { ProjectCard } from "./project-card";
import { ProjectForm } from "./project-form";
import { ViewProjectModal } from "./view-project-modal";

const route = getRouteApi("/projects");

export function Projects() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const known = useQuery(projects());
  const user = useUser();
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: (old) => ({ ...old, ...next }), resetScroll: false });
  const words = (search.search ?? "").trim().toLowerCase();
  const shown = (known.data ?? []).filter(({ name, description, tags }) =>
    [name, description, ...tags].some((text) => text.toLowerCase().includes(words)),
  );
  const open = known.data?.find(({ id }) => id === search.project);
  return (
    <>
      <PageHead title="Projects" hint={known.data ? counted(known.data.length, "project") : "What calls are for."}>
        <Input
          type="search"
          data-page-search
          aria-label="Find a project"
          placeholder="Find a project"
          className="w-52"
          value={search.search ?? ""}
          onChange={(event) =>
            void navigate({
              search: (old) => ({ ...old, search: event.target.value || undefined }),
              replace: true,
              resetScroll: false,
            })
          }
        />
        {user && mayRecord(user) && (
          <Button look="primary" onClick={() => change({ new: "yes" })}>
            <FolderPlus />
            New project
          </Button>
        )}
      </PageHead>
      {known.error && !known.data ? (
        <FailureNotice failure={known.error} onRetry={() => void known.refetch()} />
      ) : !known.data ? (
        <div className="grid gap-4 sm:grid-cols-2 xl:grid-cols-3" role="status" aria-label="Loading">
          {["one", "two", "three"].map((one) => (
            <Skeleton key={one} className="h-44" />
          ))}
        </div>
      ) : shown.length === 0 ? (
        <div className="rounded-xl border bg-surface">
          <Empty title={words ? "No project of that name" : "No project yet"}>
            A project gathers the calls of a product, a team or a customer, and may have a budget.
          </Empty>
        </div>
      ) : (
        <div className="grid gap-4 sm:grid-cols-2 xl:grid-cols-3">
          {shown.map((project) => (
            <ProjectCard key={project.id} project={project} />
          ))}
        </div>
      )}
      {search.project && known.data && !open && (
        <Dialog
          open
          onClose={() => change({ project: undefined })}
          shape="medium"
          title="There is no such project"
          description={search.project}
        >
          <p>It may have been deleted, or you are not a member of it.</p>
        </Dialog>
      )}
      {open && (
        <ViewProjectModal
          project={open}
          tab={search.tab ?? "overview"}
          onTab={(tab) => change({ tab, by: undefined })}
          onClose={() => void navigate({ search: { search: search.search }, resetScroll: false })}
        />
      )}
      {search.new && (
        <Dialog
          open
          onClose={() => change({ new: undefined })}
          shape="medium"
          title="New project"
          description="You will own it."
        >
          <ProjectForm onDone={(project) => change({ new: undefined, project: project.id, tab: "guide" })} />
        </Dialog>
      )}
    </>
  );
}
