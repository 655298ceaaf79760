import { getRouteApi } from "@tanstack/react-router";
import { BookOpen } from "lucide-react";
import { Button } from "@/components/ui/button";
import { PageHead } from "@/components/ui/card";
import { ApiKeyIntegration, IntegrationDashboard } from ".";

const route = getRouteApi("/integration");

export function IntegrationPage() {
  const { guide, project, example } = route.useSearch();
  const navigate = route.useNavigate();
  const change = (next: { guide?: "keys" | undefined; project?: string | undefined; example?: string | undefined }) =>
    void navigate({ search: (old) => ({ ...old, ...next }), replace: true, resetScroll: false });
  return (
    <>
      <PageHead title="Integration" hint="From your programs to this page.">
        <Button onClick={() => change({ guide: "keys" })}>
          <BookOpen />
          Guide
        </Button>
      </PageHead>
      <IntegrationDashboard
        project={project}
        example={example}
        onProject={(id) => change({ project: id })}
        onExample={(id) => change({ example: id })}
      />
      <ApiKeyIntegration isOpen={guide === "keys"} onClose={() => change({ guide: undefined })} />
    </>
  );
}
