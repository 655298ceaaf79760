import { type Query, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { type TrackedUsage, useUsageStream } from "@/api/usage-stream";
import { classes } from "@/lib/classes";
import type { Day } from "@/lib/days";
import { formatMoney } from "@/lib/money";

/** Calls that come together are one look. */
const GATHER_MS = 400;
const PAUSE_MS = 2_000;
/** However slow the answers are, at most a tenth of the time is spent on getting them. */
const REST_FACTOR = 10;

const subscribe = (listener: () => void) => {
  document.addEventListener("visibilitychange", listener);
  return () => document.removeEventListener("visibilitychange", listener);
};
const useVisible = () => useSyncExternalStore(subscribe, () => !document.hidden);

/** Figures that a call of today is in. */
const isOfToday = ({ queryKey: [name, about] }: Query, today: Day): boolean =>
  ["analytics", "usage-stats"].includes(String(name)) &&
  ((about as { endDate?: string } | undefined)?.endDate ?? "") >= today;

/** Says that figures follow what is recorded, shows the newest call, and has the figures follow. */
export function LiveTick({ today }: { today: Day }) {
  const client = useQueryClient();
  const [newest, setNewest] = useState<TrackedUsage>();
  const next = useRef({ timer: undefined as ReturnType<typeof setTimeout> | undefined, notBefore: 0 });
  const live = useUsageStream(useVisible(), (usage) => {
    setNewest(usage);
    const state = next.current;
    if (state.timer) return;
    state.timer = setTimeout(
      async () => {
        const start = performance.now();
        await client.invalidateQueries({ predicate: (query) => isOfToday(query, today) });
        const end = performance.now();
        state.notBefore = end + Math.max(PAUSE_MS, (end - start) * REST_FACTOR);
        state.timer = undefined;
      },
      Math.max(GATHER_MS, state.notBefore - performance.now()),
    );
  });
  useEffect(() => () => clearTimeout(next.current.timer), []);
  return (
    <span className="inline-flex h-9 min-w-0 items-center gap-2 text-[13px] text-muted">
      <span
        aria-hidden="true"
        className={classes("size-2 shrink-0 rounded-full", live === "on" ? "bg-good" : "bg-line-strong")}
      />
      <span>{live === "on" ? "Live" : "Connecting…"}</span>
      {newest && (
        <Link
          key={newest.id}
          to="/records"
          search={{ record: newest.id }}
          className="arrive nums hidden max-w-56 truncate rounded hover:underline md:inline"
        >
          {newest.model} <span className="font-medium text-ink">{formatMoney(newest.cost)}</span>
        </Link>
      )}
    </span>
  );
}
