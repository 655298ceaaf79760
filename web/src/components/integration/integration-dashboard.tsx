import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck, CircleDashed } from "lucide-react";
import type { ReactNode } from "react";
import { newestRecord, projects, trackerKeys } from "@/api/queries";
import { buttonClasses } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { CodeBlock, CopyButton } from "@/components/ui/copy";
import { FailureNotice, Skeleton } from "@/components/ui/states";
import { formatInstant } from "@/lib/days";
import { counted } from "@/lib/numbers";
import { environmentOf, serverUrl } from "@/lib/snippets";
import { ExamplePicker } from "./examples";

const DEFAULT_PROJECT: string | undefined = import.meta.env.VITE_DEFAULT_PROJECT_ID || undefined;

/** What is set up, and the code for what is not. */
export function IntegrationDashboard() {
  const keys = useQuery(trackerKeys());
  const newest = useQuery(newestRecord());
  const known = useQuery(projects());
  const failure = keys.error ?? newest.error ?? known.error;
  if (failure && !(keys.data && newest.data && known.data))
    return (
      <FailureNotice
        failure={failure}
        onRetry={() => void Promise.all([keys.refetch(), newest.refetch(), known.refetch()])}
      />
    );
  if (!keys.data || !newest.data || !known.data) return <Skeleton className="h-96" />;
  const active = keys.data.filter(({ isActive }) => isActive);
  const last = newest.data.items[0];
  const projectId = DEFAULT_PROJECT ?? known.data.find(({ isActive }) => isActive)?.id;
  return (
    <div className="grid gap-4">
      <div className="grid gap-3 sm:grid-cols-3">
        <Status
          done={active.length > 0}
          title="Keys"
          text={active.length ? `${counted(active.length, "key")} in use` : "Make a key first"}
        >
          <Link to="/settings" className={buttonClasses("plain", "small")}>
            Manage keys
          </Link>
        </Status>
        <Status
          done={known.data.length > 0}
          title="Projects"
          text={known.data.length ? counted(known.data.length, "project") : "Optional: records may have none"}
        />
        <Status
          done={Boolean(last)}
          title="Calls"
          text={last ? `The newest is of ${formatInstant(last.timestamp, "UTC")} UTC` : "None has arrived yet"}
        />
      </div>
      <Card>
        <CardHead title="Send what you use" hint="Put your tracker key in place of the placeholder." />
        <div className="px-4 pb-4 sm:px-5">
          <ExamplePicker projectId={projectId} />
        </div>
      </Card>
      {known.data.length > 0 && (
        <Card>
          <CardHead title="Project ids" hint="A call that names a project counts for it." />
          <ul className="divide-y px-4 pb-2 sm:px-5">
            {known.data.map(({ id, name }) => (
              <li key={id} className="flex flex-wrap items-center gap-x-3 gap-y-1 py-2">
                <span className="min-w-0 flex-1 basis-40 truncate font-medium">{name}</span>
                <code className="font-mono text-xs text-muted">{id}</code>
                <CopyButton text={id} />
              </li>
            ))}
          </ul>
        </Card>
      )}
      <Card>
        <CardHead title="Environment" hint="Variables of the server, the dashboard and your programs." />
        <div className="px-4 pb-4 sm:px-5">
          <CodeBlock
            label="Environment variables"
            code={environmentOf({ baseUrl: serverUrl(), apiKey: "aict_YOUR_KEY", projectId })}
          />
        </div>
      </Card>
    </div>
  );
}

function Status({ done, title, text, children }: { done: boolean; title: string; text: string; children?: ReactNode }) {
  const Icon = done ? CircleCheck : CircleDashed;
  return (
    <section className="flex items-center gap-3 rounded-xl border bg-surface p-4">
      <Icon aria-hidden="true" className={`size-5 shrink-0 ${done ? "text-good" : "text-muted"}`} />
      <div className="min-w-0 flex-1">
        <h2 className="font-semibold">{title}</h2>
        <p className="text-[13px] text-muted">{text}</p>
      </div>
      {children}
    </section>
  );
}
