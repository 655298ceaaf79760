import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck, CircleDashed } from "lucide-react";
import type { ReactNode } from "react";
import { newestRecord, projects, readiness, trackerKeys } from "@/api/queries";
import { API_URL, useUser } from "@/api/session";
import { mayRecord } from "@/app/places";
import { useTimeZone } from "@/app/preferences";
import { buttonClasses } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { CodeBlock, CopyButton } from "@/components/ui/copy";
import { Select } from "@/components/ui/field";
import { FailureNotice, Skeleton } from "@/components/ui/states";
import { formatInstant } from "@/lib/days";
import { counted } from "@/lib/numbers";
import { environmentOf } from "@/lib/snippets/examples";
import { serverUrl } from "@/lib/snippets/filling";
import { Activity } from "./activity";
import { ExamplePicker, PLACEHOLDER } from "./examples";

const DEFAULT_PROJECT: string | undefined = import.meta.env.VITE_DEFAULT_PROJECT_ID || undefined;

type Props = {
  project?: string | undefined;
  example?: string | undefined;
  onProject?: (id: string | undefined) => void;
  onExample?: (id: string) => void;
};

/** What is set up, and the code for what is not. */
export function IntegrationDashboard({ project, example, onProject, onExample }: Props) {
  const keys = useQuery(trackerKeys());
  const newest = useQuery(newestRecord());
  const known = useQuery(projects());
  const user = useUser();
  const ready = useQuery(readiness());
  const timeZone = useTimeZone();
  const failure = keys.error ?? newest.error ?? known.error;
  if (failure && !(keys.data && newest.data && known.data))
    return (
      <FailureNotice
        failure={failure}
        onRetry={() => void Promise.all([keys.refetch(), newest.refetch(), known.refetch()])}
      />
    );
  if (!keys.data || !newest.data || !known.data) return <Loading />;
  const active = keys.data.filter(({ isActive }) => isActive);
  const last = newest.data.items[0];
  const open = known.data.filter(({ isActive }) => isActive);
  const projectId = (project ?? DEFAULT_PROJECT) || open[0]?.id;
  return (
    <div className="grid grid-cols-1 gap-4">
      <div className="grid gap-3 sm:grid-cols-2 2xl:grid-cols-4">
        <Status
          done={ready.data?.isReady ?? false}
          title="Server"
          text={
            ready.error
              ? "It does not answer"
              : !ready.data
                ? "…"
                : ready.data.isReady
                  ? "Takes calls"
                  : ready.data.said
          }
        >
          <a href={`${API_URL}/docs/api`} className={buttonClasses("plain", "small")}>
            API reference
          </a>
        </Status>
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
        >
          {user && mayRecord(user) && (
            <Link to="/projects" search={{ new: "yes" }} className={buttonClasses("plain", "small")}>
              New project
            </Link>
          )}
        </Status>
        <Status
          done={Boolean(last)}
          title="Calls"
          text={last ? `The newest is of ${formatInstant(last.timestamp, timeZone)}` : "None has arrived yet"}
        >
          {last && (
            <Link to="/records" search={{ record: last.id }} className={buttonClasses("plain", "small")}>
              Look at it
            </Link>
          )}
        </Status>
      </div>
      <Card>
        <CardHead title="Send what you use" hint="Put your tracker key in place of the placeholder.">
          {open.length > 0 && (
            <Select
              aria-label="For the project"
              className="h-8 w-auto max-w-56 py-0"
              value={projectId}
              onChange={(event) => onProject?.(event.target.value)}
            >
              {open.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </Select>
          )}
        </CardHead>
        <div className="px-4 pb-4 sm:px-5">
          <ExamplePicker projectId={projectId} chosen={example} {...(onExample ? { onChoose: onExample } : {})} />
        </div>
      </Card>
      <Activity timeZone={timeZone} keys={keys.data} />
      {known.data.length > 0 && (
        <Card>
          <CardHead title="Project ids" hint="A call that names a project counts for it." />
          <ul className="max-h-80 divide-y overflow-y-auto px-4 pb-2 sm:px-5">
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
            code={environmentOf({ baseUrl: serverUrl(), apiKey: PLACEHOLDER, projectId })}
          />
        </div>
      </Card>
    </div>
  );
}

function Loading() {
  return (
    <div className="grid gap-4" role="status" aria-label="Loading">
      <div className="grid gap-3 sm:grid-cols-2 2xl:grid-cols-4">
        {["server", "keys", "projects", "calls"].map((one) => (
          <Skeleton key={one} className="h-[74px]" />
        ))}
      </div>
      <Skeleton className="h-96" />
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
