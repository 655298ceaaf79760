import type { ReactNode } from "react";

export const DOOR_FORM = "flex flex-col gap-4 rounded-xl border bg-surface p-6";

/** What stands before the dashboard: a small form under the name of the program. */
export function Door({ children }: { children: ReactNode }) {
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <div className="w-full max-w-sm">
        <div className="mb-6 flex items-center justify-center gap-2.5 text-lg font-semibold tracking-tight">
          <img src="/icon.svg" alt="" className="size-8" />
          AI Cost Tracker
        </div>
        {children}
      </div>
    </main>
  );
}

export function DoorHead({ title, hint }: { title: string; hint: ReactNode }) {
  return (
    <div>
      <h1 className="text-lg font-semibold">{title}</h1>
      <p className="text-muted">{hint}</p>
    </div>
  );
}
