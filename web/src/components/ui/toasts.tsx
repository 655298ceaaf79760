import { useSyncExternalStore } from "react";
import { classes } from "@/lib/classes";

type Toast = { id: number; text: string; bad: boolean };

let toasts: readonly Toast[] = [];
let next = 1;
const listeners = new Set<() => void>();

function become(value: readonly Toast[]): void {
  toasts = value;
  for (const listener of listeners) listener();
}

/** Says what was done, or why it was not. */
export function toast(text: string, bad = false): void {
  const id = next++;
  become([...toasts.slice(-2), { id, text, bad }]);
  setTimeout(() => become(toasts.filter((other) => other.id !== id)), bad ? 8_000 : 4_000);
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div role="status" className="fixed inset-x-3 bottom-3 z-[60] flex flex-col items-end gap-2">
      {shown.map(({ id, text, bad }) => (
        <div
          key={id}
          className={classes("arrive max-w-sm rounded-lg border bg-surface px-4 py-2.5 shadow-xl", bad && "text-bad")}
        >
          {text}
        </div>
      ))}
    </div>
  );
}
