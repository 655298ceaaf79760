import { CopyButton } from "@/components/ui/copy";
import { ExamplePicker } from "./examples";

/** The id of a project, and code that sends it along. */
export function ProjectIdGuide({ projectId }: { projectId: string }) {
  return (
    <div className="grid grid-cols-1 gap-4">
      <p className="flex flex-wrap items-center gap-2">
        <code className="rounded-lg border bg-sunken px-3 py-1.5 font-mono text-[13px] break-all">{projectId}</code>
        <CopyButton text={projectId} />
      </p>
      <ExamplePicker projectId={projectId} />
    </div>
  );
}
