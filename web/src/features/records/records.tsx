import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowDown, ArrowUp, ChartColumnStacked, Download, Radio, Tags } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { api, download, pageOf, type Schemas } from "@/api/client";
import { projects, type UsageRecord, usageStats } from "@/api/queries";
import { useUser } from "@/api/session";
import { useUsageStream } from "@/api/usage-stream";
import { useTimeZone } from "@/app/preferences";
import { stringifySearch } from "@/app/search";
import { FilterBar } from "@/components/filter-bar";
import { NoCalls } from "@/components/no-calls";
import { PeriodPicker } from "@/components/period-picker";
import { ListGone } from "@/components/records-gone";
import { SearchBox } from "@/components/search-box";
import { Button, buttonClasses } from "@/components/ui/button";
import { PageHead } from "@/components/ui/card";
import { Menu, MenuItem } from "@/components/ui/menu";
import { FailureNotice, Skeleton } from "@/components/ui/states";
import { toast } from "@/components/ui/toasts";
import { useNamed } from "@/components/use-named";
import { today } from "@/lib/days";
import { type Filters, readFilters, withFilters } from "@/lib/dimensions";
import { formatMoney } from "@/lib/money";
import { counted, formatCount } from "@/lib/numbers";
import { type Preset, periodLink, periodOf } from "@/lib/period";
import { type Names, namesOf } from "@/lib/series";
import { CorrectionDialog } from "./correction";
import { mayCorrect } from "./may-correct";
import { RecordDrawer } from "./record-drawer";
import { RecordTable } from "./record-table";

const route = getRouteApi("/records");
const FALLBACK: Preset = "30d";
const PAGE_ITEMS = 100;
/** As many as are corrected at once. */
const CHOSEN_MAX = 1_000;
const LOOK_MS = 400;
/** What follows calls as they are recorded. */
const FOLLOWING = ["records", "usage-stats"];

const SORTS = [
  { sort: "timestamp", name: "Time" },
  { sort: "cost", name: "Cost" },
  { sort: "totalTokens", name: "Tokens" },
  { sort: "responseTime", name: "Duration" },
] as const;

/** How many calls there are, and what they cost together; what has no price is said apart. */
function hintOf(
  total: number | undefined,
  sums: Pick<Schemas["Summary"], "totalCost" | "unpricedRequests"> | undefined,
) {
  if (total === undefined) return "Every call, one by one.";
  if (!sums) return counted(total, "call");
  return (
    <span className="nums">
      {counted(total, "call")} · <span title={`$${sums.totalCost}`}>{formatMoney(sums.totalCost)}</span>
      {sums.unpricedRequests > 0 && `, ${counted(sums.unpricedRequests, "call")} without a price`}
    </span>
  );
}

/** Every single call, found by whatever is known of it. */
export function Records() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const timeZone = useTimeZone(search.tz);
  const period = periodOf(search, today(new Date(), timeZone), FALLBACK);
  const filters = readFilters(search);
  const sort = search.sort ?? "timestamp";
  const order = search.order ?? "desc";
  const query = {
    startDate: period.start,
    endDate: period.end,
    timeZone,
    ...filters,
    ...(search.search ? { search: search.search } : {}),
  };
  const list = useInfiniteQuery({
    queryKey: ["records", query, sort, order],
    initialPageParam: { page: 1 } as { page: number } | { cursor: string },
    queryFn: ({ pageParam, signal }) =>
      pageOf(
        api.GET("/api/usage", {
          params: { query: { ...query, sort, order, limit: PAGE_ITEMS, ...(pageParam as { page: number }) } },
          signal,
        }),
      ),
    getNextPageParam: ({ pagination }, _, before) => {
      if (!pagination.hasNext) return undefined;
      if (pagination.nextCursor) return { cursor: pagination.nextCursor };
      return { page: ("page" in before ? before.page : 1) + 1 };
    },
    placeholderData: keepPreviousData,
  });
  const sums = useQuery(usageStats({ period, timeZone, filters, search: search.search }));
  const known = useQuery(projects());
  const named = useNamed({ period, timeZone, filters });
  const names: Names = useMemo(() => {
    const byId = new Map(known.data?.map(({ id, name }) => [id, name]));
    const ofFilters = namesOf(named);
    return (dimension, value) => (dimension === "project" && byId.get(value ?? "")) || ofFilters(dimension, value);
  }, [known.data, named]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [correcting, setCorrecting] = useState<UsageRecord[]>();
  const user = useUser();
  const mayChoose = useMemo(() => (user ? mayCorrect(user, known.data ?? []) : () => false), [user, known.data]);
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: (old) => ({ ...old, ...next }), resetScroll: false });
  const put = (next: Filters) => {
    setChosen(new Set());
    void navigate({ search: (old) => ({ ...withFilters(old, next), record: undefined }), resetScroll: false });
  };
  const client = useQueryClient();
  const due = useRef<ReturnType<typeof setTimeout>>(undefined);
  const live = useUsageStream(search.live === "yes", () => {
    // Many calls at once are one look.
    clearTimeout(due.current);
    due.current = setTimeout(
      () => void client.invalidateQueries({ predicate: ({ queryKey }) => FOLLOWING.includes(String(queryKey[0])) }),
      LOOK_MS,
    );
  });
  const items = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  const choosable = items.filter(mayChoose).slice(0, CHOSEN_MAX);
  const total = list.data?.pages[0]?.pagination.total ?? undefined;
  const save = (format: "csv" | "ndjson" | "json") =>
    void download(`/api/usage/export${stringifySearch({ ...query, format })}`, `records.${format}`).catch(
      (failure: Error) => toast(failure.message, true),
    );
  return (
    <>
      <PageHead title="Records" hint={hintOf(total, sums.data)}>
        <PeriodPicker
          search={search}
          fallback={FALLBACK}
          onChange={(next) => change({ range: undefined, from: undefined, to: undefined, ...next })}
        />
        <Button
          aria-pressed={search.live === "yes"}
          title="Shows calls as they are recorded"
          onClick={() => change({ live: search.live ? undefined : "yes" })}
        >
          <Radio className={live === "on" ? "text-good" : "text-muted"} />
          {live === "connecting" ? "Connecting…" : live === "on" ? "Live" : "Follow"}
        </Button>
        <Link
          to="/explorer"
          search={{
            ...periodLink(search, FALLBACK),
            search: search.search,
            ...filters,
          }}
          className={buttonClasses()}
        >
          <ChartColumnStacked />
          Explore
        </Link>
        <Menu
          trigger={
            <Button>
              <Download />
              Export
            </Button>
          }
        >
          <MenuItem onSelect={() => save("csv")}>These calls as CSV</MenuItem>
          <MenuItem onSelect={() => save("json")}>As JSON</MenuItem>
          <MenuItem onSelect={() => save("ndjson")}>As JSON Lines</MenuItem>
        </Menu>
      </PageHead>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <SearchBox text={search.search} onSearch={(text) => change({ search: text })} />
        <FilterBar filters={filters} names={names} period={period} timeZone={timeZone} onChange={put} />
        <div className="ml-auto flex items-center gap-2">
          <Menu
            trigger={
              <Button size="small" className="h-8">
                {order === "asc" ? <ArrowUp /> : <ArrowDown />}
                {SORTS.find((one) => one.sort === sort)?.name}
                <span className="sr-only">: change the order</span>
              </Button>
            }
          >
            {SORTS.map((one) => (
              <MenuItem key={one.sort} checked={one.sort === sort} onSelect={() => change({ sort: one.sort })}>
                {one.name}
              </MenuItem>
            ))}
            <MenuItem onSelect={() => change({ order: order === "asc" ? "desc" : "asc" })}>Turn round</MenuItem>
          </Menu>
        </div>
      </div>
      <ListGone from={list.data?.pages[0]?.pagination.recordsFrom} timeZone={timeZone} />
      {chosen.size > 0 && (
        <div className="mb-3 flex flex-wrap items-center gap-3 rounded-lg bg-accent-soft px-3 py-2">
          <span className="font-medium">{counted(chosen.size, "call")} chosen</span>
          <Button size="small" onClick={() => setCorrecting(items.filter(({ id }) => chosen.has(id)))}>
            <Tags />
            Correct them
          </Button>
          {chosen.size < choosable.length && (
            <Button size="small" onClick={() => setChosen(new Set(choosable.map(({ id }) => id)))}>
              Choose all {formatCount(choosable.length)} loaded
            </Button>
          )}
          <Button look="quiet" size="small" onClick={() => setChosen(new Set())}>
            Choose none
          </Button>
        </div>
      )}
      {list.error && !list.data ? (
        <FailureNotice failure={list.error} onRetry={() => void list.refetch()} />
      ) : !list.data ? (
        <div role="status" aria-label="Loading">
          <Skeleton className="h-[60dvh]" />
        </div>
      ) : items.length === 0 ? (
        <div className="rounded-xl border bg-surface">
          <NoCalls />
        </div>
      ) : (
        <RecordTable
          items={items}
          names={names}
          timeZone={timeZone}
          stale={list.isPlaceholderData}
          chosen={chosen}
          mayChoose={mayChoose}
          onChoose={(id, on) => {
            const next = new Set(chosen);
            if (on && next.size < CHOSEN_MAX) next.add(id);
            else next.delete(id);
            setChosen(next);
          }}
          onEnd={() => list.hasNextPage && !list.isFetchingNextPage && !list.isError && void list.fetchNextPage()}
          more={list.isFetchingNextPage}
        />
      )}
      {search.record && (
        <RecordDrawer
          id={search.record}
          timeZone={timeZone}
          names={names}
          mayCorrect={mayChoose}
          onCorrect={(record) => setCorrecting([record])}
          onClose={() => change({ record: undefined })}
        />
      )}
      {correcting && (
        <CorrectionDialog
          records={correcting}
          projects={known.data ?? []}
          onClose={(done) => {
            setCorrecting(undefined);
            if (done) setChosen(new Set());
          }}
        />
      )}
    </>
  );
}
