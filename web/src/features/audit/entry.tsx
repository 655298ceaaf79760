import type { Schemas } from "@/api/client";
import { Badge } from "@/components/ui/states";
import { formatInstant } from "@/lib/days";
import { changesBetween } from "@/lib/diff";

type Entry = Schemas["AuditView"];

const TONES: Record<string, "plain" | "good" | "bad" | "warn" | "accent"> = {
  POST: "good",
  PUT: "accent",
  PATCH: "accent",
  DELETE: "bad",
};

type Props = {
  entry: Entry;
  timeZone: string;
  projectName: string | undefined;
  onActor: (id: string) => void;
};

/** One change: by whom, from where, and what it was like before and after. */
export function AuditEntry({ entry, timeZone, projectName, onActor }: Props) {
  const [method = "", route = ""] = entry.action.split(" ");
  const changes = changesBetween(entry.before, entry.after);
  const { actor } = entry;
  return (
    <li className="px-4 py-2.5 sm:px-5">
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
        <span className="nums w-12 text-right text-[13px] text-muted">{entry.number}</span>
        <Badge tone={TONES[method] ?? "plain"}>{method}</Badge>
        <code className="min-w-0 flex-1 basis-56 font-mono text-[13px] break-all" title={route}>
          {entry.target}
        </code>
        <span className="nums text-[13px] whitespace-nowrap text-muted">{formatInstant(entry.at, timeZone, true)}</span>
      </div>
      <p className="mt-0.5 text-[13px] wrap-anywhere text-muted sm:pl-15">
        {actor ? (
          <button
            type="button"
            className="rounded font-medium text-ink hover:underline"
            title="Only theirs"
            onClick={() => onActor(actor)}
          >
            {entry.actorEmail ?? actor}
          </button>
        ) : (
          "nobody who is known"
        )}
        {entry.keyId && ` with the key ${entry.keyId}`}
        {entry.address && ` from ${entry.address}`}
        {projectName && ` · ${projectName}`}
      </p>
      {changes.length > 0 && (
        <details className="mt-1 text-[13px] sm:pl-15">
          <summary className="cursor-pointer rounded text-accent-text">
            {changes.length === 1 ? "1 value" : `${changes.length} values`}{" "}
            {entry.before ? (entry.after ? "changed" : "taken away") : "set"}
          </summary>
          <dl className="mt-1.5 grid gap-1 border-l pl-3">
            {changes.map(({ path, before, after }) => (
              <div key={path} className="flex flex-wrap gap-x-2">
                <dt className="font-mono text-xs leading-5 text-muted">{path}</dt>
                <dd className="min-w-0 wrap-anywhere">
                  {before !== undefined && <del className="text-bad">{before}</del>}
                  {before !== undefined && after !== undefined && " → "}
                  {after !== undefined && <ins className="text-good no-underline">{after}</ins>}
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </li>
  );
}
