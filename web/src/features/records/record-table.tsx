import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import type { UsageRecord } from "@/api/queries";
import { ScrollRegion } from "@/components/ui/scroll";
import { Badge } from "@/components/ui/states";
import { classes } from "@/lib/classes";
import { formatInstant } from "@/lib/days";
import { formatMoney } from "@/lib/money";
import { formatCompact, formatCount, formatMs } from "@/lib/numbers";
import type { Names } from "@/lib/series";

const ROW_PX = 56;

type TableProps = {
  items: UsageRecord[];
  names: Names;
  timeZone: string;
  stale: boolean;
  chosen: ReadonlySet<string>;
  /** What one may correct can be chosen. */
  mayChoose: (record: UsageRecord) => boolean;
  onChoose: (id: string, on: boolean) => void;
  onEnd: () => void;
  more: boolean;
};

const COLUMNS =
  "grid grid-cols-[auto_minmax(0,1fr)_auto] items-center gap-x-3 px-3 md:grid-cols-[auto_11rem_minmax(0,1.3fr)_minmax(0,1fr)_6rem_6rem_8.5rem]";

/** The calls that are loaded, of which only those in view exist. */
export function RecordTable({ items, names, timeZone, stale, chosen, mayChoose, onChoose, onEnd, more }: TableProps) {
  const holder = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => holder.current?.parentElement ?? null,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= items.length - 20) onEnd();
  });
  return (
    <div
      className={classes("overflow-hidden rounded-xl border bg-surface", stale && "stale")}
      aria-busy={stale || more}
    >
      <div
        aria-hidden="true"
        className={classes(COLUMNS, "hidden h-9 border-b bg-sunken text-[13px] font-medium text-muted md:grid")}
      >
        <span className="w-4" />
        <span>Time</span>
        <span>Model</span>
        <span>Project</span>
        <span className="text-right">Tokens</span>
        <span className="text-right">Duration</span>
        <span className="text-right">Cost</span>
      </div>
      <ScrollRegion label="Calls" className="h-[calc(100dvh-15rem)] min-h-80 overflow-y-auto -outline-offset-2">
        {/* biome-ignore lint/a11y/useSemanticElements: its rows are placed by position */}
        <div ref={holder} role="list" className="relative" style={{ height: rows.getTotalSize() }}>
          {shown.map(({ index, start }) => {
            const record = items[index];
            if (!record) return null;
            return (
              // biome-ignore lint/a11y/useSemanticElements: only the rows in view exist, placed by position
              <div
                key={record.id}
                role="listitem"
                aria-posinset={index + 1}
                aria-setsize={items.length}
                className={classes(COLUMNS, "absolute inset-x-0 border-b hover:bg-sunken")}
                style={{ height: ROW_PX, top: start }}
              >
                {mayChoose(record) ? (
                  <input
                    type="checkbox"
                    aria-label={`Choose the call of ${formatInstant(record.timestamp, timeZone, true)}`}
                    className="relative z-10 size-4 accent-accent"
                    checked={chosen.has(record.id)}
                    onChange={(event) => onChoose(record.id, event.target.checked)}
                  />
                ) : (
                  <span aria-hidden="true" className="size-4" />
                )}
                <RecordCells record={record} names={names} timeZone={timeZone} />
              </div>
            );
          })}
        </div>
      </ScrollRegion>
    </div>
  );
}

function RecordCells({ record, names, timeZone }: { record: UsageRecord; names: Names; timeZone: string }) {
  const time = formatInstant(record.timestamp, timeZone, true);
  const project = record.projectId ? names("project", record.projectId) : "No project";
  return (
    <>
      <span className="nums hidden truncate text-[13px] text-muted md:block">{time}</span>
      <span className="min-w-0">
        <Link
          from="/records"
          to="/records"
          search={(old) => ({ ...old, record: record.id })}
          resetScroll={false}
          className="block truncate font-medium after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
        >
          {record.model}
          <span className="sr-only">, {time}</span>
        </Link>
        <span className="nums block truncate text-xs text-muted md:hidden">
          {time} · {project}
        </span>
        <span className="hidden truncate text-xs text-muted md:block">{record.service}</span>
      </span>
      <span className="hidden min-w-0 md:block">
        <span className="block truncate">{project}</span>
        <span className="block truncate text-xs text-muted">
          {record.costAllocation.team ?? record.tags.join(", ")}
        </span>
      </span>
      <span
        className="nums hidden text-right md:block"
        title={record.totalTokens == null ? undefined : formatCount(record.totalTokens)}
      >
        {record.totalTokens == null ? "–" : formatCompact(record.totalTokens)}
      </span>
      <span className="nums hidden text-right text-muted md:block">{formatMs(record.responseTime)}</span>
      <span className="nums min-w-0 text-right">
        <span className="block font-medium">{record.cost == null ? "unknown" : formatMoney(record.cost)}</span>
        {String(record.status).toLowerCase() === "error" ? (
          <Badge tone="bad">{record.errorCode ?? "error"}</Badge>
        ) : record.cost == null ? (
          <Badge tone="warn">no price</Badge>
        ) : null}
      </span>
    </>
  );
}
