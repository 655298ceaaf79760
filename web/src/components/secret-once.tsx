import { CopyButton } from "./ui/copy";

/** A secret that is shown this once. */
export function SecretOnce({ title, secret }: { title: string; secret: string }) {
  return (
    <div role="status" className="rounded-lg bg-accent-soft p-3">
      <p className="mb-2 font-medium">{title}</p>
      <div className="flex flex-wrap items-center gap-2">
        <code className="min-w-0 rounded-lg border bg-surface px-3 py-1.5 font-mono text-[13px] break-all">
          {secret}
        </code>
        <CopyButton text={secret} />
      </div>
    </div>
  );
}
