import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Download, X } from "lucide-react";
import type { FormEvent } from "react";
import { api, download, pageOf } from "@/api/client";
import { projects } from "@/api/queries";
import { useTimeZone } from "@/app/preferences";
import { stringifySearch } from "@/app/search";
import { PagedList } from "@/components/paged-list";
import { PeriodPicker } from "@/components/period-picker";
import { Button } from "@/components/ui/button";
import { PageHead } from "@/components/ui/card";
import { Input, Select } from "@/components/ui/field";
import { Menu, MenuItem } from "@/components/ui/menu";
import { Empty } from "@/components/ui/states";
import { toast } from "@/components/ui/toasts";
import { today } from "@/lib/days";
import { type Preset, periodOf } from "@/lib/period";
import { AuditEntry } from "./entry";
import { Verify } from "./verify";

const route = getRouteApi("/audit");
const FALLBACK: Preset = "30d";
const PAGE_ITEMS = 50;

/** Who changed what, when and from where. */
export function Audit() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const timeZone = useTimeZone(search.tz);
  const period = periodOf(search, today(new Date(), timeZone), FALLBACK);
  const { data: known = [] } = useQuery(projects());
  const query = {
    startDate: period.start,
    endDate: period.end,
    timeZone,
    ...(search.action ? { action: search.action } : {}),
    ...(search.actor ? { actor: search.actor } : {}),
    ...(search.project ? { projectId: search.project } : {}),
  };
  const list = useInfiniteQuery({
    queryKey: ["audit", query],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      pageOf(
        api.GET("/api/audit", {
          params: { query: { ...query, limit: PAGE_ITEMS, ...(pageParam ? { cursor: Number(pageParam) } : {}) } },
          signal,
        }),
      ),
    getNextPageParam: ({ pagination }) => pagination.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
  });
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: (old) => ({ ...old, ...next }), resetScroll: false });
  const find = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    change({ action: String(new FormData(event.currentTarget).get("action") ?? "").trim() || undefined });
  };
  const save = (format: "csv" | "ndjson") =>
    void download(`/api/audit/export${stringifySearch({ ...query, format })}`, `audit.${format}`).catch(
      (failure: Error) => toast(failure.message, true),
    );
  const actor = list.data?.pages
    .flatMap(({ items }) => items)
    .find((entry) => entry.actor === search.actor)?.actorEmail;
  const controls = (
    <>
      <form onSubmit={find} key={search.action ?? ""}>
        <Input
          name="action"
          type="search"
          data-page-search
          aria-label="Find an action"
          placeholder="DELETE, /webhooks, /budgets"
          className="h-8 w-60"
          defaultValue={search.action}
        />
      </form>
      <Select
        aria-label="Project"
        className="h-8 w-auto max-w-56 py-0"
        value={search.project ?? ""}
        onChange={(event) => change({ project: event.target.value || undefined })}
      >
        <option value="">All projects</option>
        {known.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </Select>
      {search.actor && (
        <Button size="small" className="h-8" onClick={() => change({ actor: undefined })}>
          By {actor ?? search.actor}
          <X aria-label="remove the filter" />
        </Button>
      )}
      <Verify />
    </>
  );
  const empty = <Empty title="No entry matches">Choose a longer period, or take out a filter.</Empty>;
  return (
    <>
      <PageHead
        title="Audit log"
        hint="Who changed what. Entries are never changed or deleted; each one's hash covers the one before."
      >
        <PeriodPicker
          search={search}
          fallback={FALLBACK}
          onChange={(next) => change({ range: undefined, from: undefined, to: undefined, ...next })}
        />
        <Menu
          trigger={
            <Button>
              <Download />
              Export
            </Button>
          }
        >
          <MenuItem onSelect={() => save("csv")}>These entries as CSV</MenuItem>
          <MenuItem onSelect={() => save("ndjson")}>As JSON Lines</MenuItem>
        </Menu>
      </PageHead>
      <PagedList list={list} controls={controls} empty={empty}>
        {(items) =>
          items.map((entry) => (
            <AuditEntry
              key={entry.number}
              entry={entry}
              timeZone={timeZone}
              projectName={known.find(({ id }) => id === entry.projectId)?.name}
              onActor={(id) => change({ actor: id })}
            />
          ))
        }
      </PagedList>
    </>
  );
}
