import { Link } from "@tanstack/react-router";
import type { Analytics, Slice } from "@/api/queries";
import { knownCost } from "@/components/slice-table";
import { Card, CardHead } from "@/components/ui/card";
import { numberOf } from "@/lib/money";
import { counted, formatCompact, formatRate } from "@/lib/numbers";
import type { PeriodSearch } from "@/lib/period";

const SHOWN = 6;

type Search = PeriodSearch & { tz?: string | undefined };
type Dimension = "model" | "project" | "team";

export function TopLists({ current, previous, search }: { current: Analytics; previous: Analytics; search: Search }) {
  return (
    <div className="grid gap-4 lg:grid-cols-3">
      <TopList
        title="Models"
        by="model"
        slices={current.breakdown.models}
        before={previous.breakdown.models}
        search={search}
      />
      <TopList
        title="Projects"
        by="project"
        slices={current.breakdown.projects}
        before={previous.breakdown.projects}
        search={search}
      />
      <TopList
        title="Teams"
        by="team"
        slices={current.breakdown.teams}
        before={previous.breakdown.teams}
        search={search}
      />
    </div>
  );
}

function TopList({
  title,
  by,
  slices,
  before,
  search,
}: {
  title: string;
  by: Dimension;
  slices: Slice[];
  before: Slice[];
  search: Search;
}) {
  const then = new Map(before.map((slice) => [slice.id ?? slice.name, numberOf(slice.cost)]));
  const { range, from, to, tz } = search;
  const period = { range: from ? undefined : (range ?? "mtd"), from, to, tz } as const;
  return (
    <Card>
      <CardHead title={title}>
        <Link
          to="/explorer"
          search={{ ...period, by, chart: "table" }}
          className="text-[13px] font-medium text-accent-text hover:underline"
        >
          All {slices.length}
          <span className="sr-only"> {title.toLowerCase()} in the explorer</span>
        </Link>
      </CardHead>
      <ol className="px-2 pb-3 sm:px-3">
        {slices.slice(0, SHOWN).map((slice) => {
          const key = slice.id ?? slice.name;
          const old = then.get(key) ?? 0;
          return (
            <li key={key}>
              <Link
                to="/explorer"
                search={{ ...period, [by]: [key] }}
                className="block rounded-lg px-2 py-1.5 hover:bg-sunken"
              >
                <span className="flex items-baseline gap-3">
                  <span className="min-w-0 flex-1 truncate font-medium">{slice.name}</span>
                  <span className="nums whitespace-nowrap">{knownCost(slice)}</span>
                </span>
                <span aria-hidden="true" className="my-1 block h-1 rounded-full bg-sunken">
                  <span
                    className="block h-full rounded-full bg-accent"
                    style={{ width: `${Math.min(100, (slice.share ?? 0) * 100)}%` }}
                  />
                </span>
                <span className="nums flex justify-between gap-3 text-xs text-muted">
                  <span className="truncate">
                    {formatCompact(slice.requests)} requests
                    {slice.unpricedRequests > 0 && (
                      <span className="text-warn">, {counted(slice.unpricedRequests, "call")} without a price</span>
                    )}
                  </span>
                  <span className="whitespace-nowrap">
                    {old > 0 ? formatRate((numberOf(slice.cost) - old) / old) : "new"}
                  </span>
                </span>
              </Link>
            </li>
          );
        })}
        {slices.length === 0 && <li className="px-2 py-6 text-center text-muted">Nothing in this period.</li>}
      </ol>
    </Card>
  );
}
