import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ChevronLeft, ChevronRight, Download } from "lucide-react";
import { download } from "@/api/client";
import { analyticsOf, analyticsQuery, type Question } from "@/api/queries";
import { useTimeZone } from "@/app/preferences";
import { stringifySearch } from "@/app/search";
import { NoCalls } from "@/components/no-calls";
import { Button } from "@/components/ui/button";
import { Card, PageHead } from "@/components/ui/card";
import { Input } from "@/components/ui/field";
import { Loaded } from "@/components/ui/loaded";
import { Menu, MenuItem } from "@/components/ui/menu";
import { toast } from "@/components/ui/toasts";
import { addDays, addMonths, formatDay, monthStart, today } from "@/lib/days";
import type { Period } from "@/lib/period";
import { Checks } from "./checks";
import { Invoices } from "./invoices";
import { Payers } from "./payers";

const route = getRouteApi("/close");

const monthOf = (start: string): Period => ({ start, end: addDays(addMonths(start, 1), -1) });

/** A month as it is handed over: whether anything is missing, who pays what, and what providers have billed. */
export function Close() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const timeZone = useTimeZone(search.tz);
  const current = monthStart(today(new Date(), timeZone));
  const start = search.month ? `${search.month}-01` : addMonths(current, -1);
  const period = monthOf(start);
  const by = search.by ?? "department";
  const name = formatDay(start, { month: "long", year: "numeric" });
  const payers: Question = { period, timeZone, by: [by], metric: "cost" };
  const question: Question = { ...payers, compare: monthOf(addMonths(start, -1)) };
  const sums = useQuery(analyticsOf(question, ["summary", "groups"]));
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: (old) => ({ ...old, ...next }), resetScroll: false });
  const move = (months: number) => change({ month: addMonths(start, months).slice(0, 7), invoice: undefined });
  const save = (path: string, query: object, file: string) =>
    void download(`${path}${stringifySearch({ ...query, format: "csv" })}`, `${file}-${start.slice(0, 7)}.csv`).catch(
      (failure: Error) => toast(failure.message, true),
    );
  return (
    <>
      <PageHead
        title="Month close"
        hint={`What ${name} cost, who pays it, and what was billed. Days are in ${timeZone}.`}
      >
        <Button size="icon" look="quiet" aria-label="The month before" onClick={() => move(-1)}>
          <ChevronLeft />
        </Button>
        <Input
          type="month"
          aria-label="Month"
          className="w-auto"
          value={start.slice(0, 7)}
          max={current.slice(0, 7)}
          onChange={(event) => event.target.value && change({ month: event.target.value, invoice: undefined })}
        />
        <Button
          size="icon"
          look="quiet"
          aria-label="The month after"
          disabled={start >= current}
          onClick={() => move(1)}
        >
          <ChevronRight />
        </Button>
        <Menu
          trigger={
            <Button>
              <Download />
              Export
            </Button>
          }
        >
          <MenuItem onSelect={() => save("/api/analytics/export", analyticsQuery(question), `costs-by-${by}`)}>
            Who pays as CSV
          </MenuItem>
          <MenuItem
            onSelect={() =>
              save("/api/analytics/export", analyticsQuery({ ...payers, by: [by, "service", "model"] }), "costs")
            }
          >
            The same by provider and model
          </MenuItem>
          <MenuItem onSelect={() => save("/api/usage/export", analyticsQuery({ period, timeZone }), "calls")}>
            Every call as CSV
          </MenuItem>
        </Menu>
      </PageHead>
      <Loaded query={sums} skeleton="h-96">
        {({ summary, groups, compared }) =>
          summary.totalRequests === 0 ? (
            <Card>
              <NoCalls />
            </Card>
          ) : (
            <div className="grid grid-cols-1 gap-4">
              <Checks
                summary={summary}
                groups={groups}
                by={by}
                period={period}
                tz={search.tz}
                isOver={start < current}
              />
              <Payers
                groups={groups}
                compared={compared}
                by={by}
                onBy={(next) => change({ by: next === "department" ? undefined : next })}
                link={{ from: period.start, to: period.end, tz: search.tz }}
              />
              <Invoices
                period={period}
                timeZone={timeZone}
                texts={search.invoice}
                onChange={(invoice) =>
                  void navigate({ search: (old) => ({ ...old, invoice }), replace: true, resetScroll: false })
                }
                link={{ from: period.start, to: period.end, tz: search.tz }}
              />
            </div>
          )
        }
      </Loaded>
    </>
  );
}
