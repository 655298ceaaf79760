import {
  type UseMutationOptions,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { BellOff, BellRing, CheckCheck, Mail, MailOpen, Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import { unreadAlerts } from "@/api/queries";
import { useTimeZone } from "@/app/preferences";
import { PagedList } from "@/components/paged-list";
import { Button } from "@/components/ui/button";
import { ConfirmButton } from "@/components/ui/confirm";
import { Menu, MenuItem } from "@/components/ui/menu";
import { Empty } from "@/components/ui/states";
import { Segments } from "@/components/ui/tabs";
import { toast } from "@/components/ui/toasts";
import { crossings } from "@/lib/crossings";
import { formatInstant } from "@/lib/days";
import { formatMoney } from "@/lib/money";
import { type AlertStatus, type AlertView, alertList, changeAlert, deleteAlert, readAllAlerts } from "./queries";

const route = getRouteApi("/alerts");

const STATUSES: { value: AlertStatus; name: string; empty: string }[] = [
  { value: "current", name: "Current", empty: "No alert fired, or all of them are snoozed or deleted." },
  { value: "unread", name: "Unread", empty: "You have seen every alert." },
  { value: "snoozed", name: "Snoozed", empty: "No alert is snoozed." },
  { value: "all", name: "All", empty: "No alert fired yet. Budgets say when that happens." },
];

/** Does something with alerts, and says so when it cannot be done; all lists and the count follow. */
function useAlertAction<Input>(mutationFn: UseMutationOptions<unknown, Error, Input>["mutationFn"]) {
  const client = useQueryClient();
  return useMutation({
    ...(mutationFn ? { mutationFn } : {}),
    onError: (failure: Error) => toast(failure.message, true),
    onSettled: () => client.invalidateQueries({ queryKey: ["alerts"] }),
  });
}

export function ReadAll() {
  const { data: unread = 0 } = useQuery(unreadAlerts());
  const readAll = useAlertAction(() => readAllAlerts());
  return (
    <Button disabled={unread === 0} busy={readAll.isPending} onClick={() => readAll.mutate(undefined)}>
      <CheckCheck />
      Read all
    </Button>
  );
}

/** Alerts of budgets that fired, as one's own list: what one reads, snoozes or deletes the others still see. */
export function Inbox({ children }: { children: ReactNode }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const status = search.status ?? "current";
  const list = useInfiniteQuery(alertList(status, search.project));
  const controls = (
    <>
      <Segments
        label="Which alerts"
        value={status}
        choices={STATUSES}
        onChange={(value) =>
          void navigate({
            search: (old) => ({ ...old, status: value === "current" ? undefined : value }),
            resetScroll: false,
          })
        }
      />
      {children}
    </>
  );
  const empty = (
    <Empty icon={<BellOff />} title="Nothing here">
      {STATUSES.find(({ value }) => value === status)?.empty}
    </Empty>
  );
  return (
    <PagedList list={list} controls={controls} empty={empty}>
      {(alerts) => crossings(alerts).map(({ shown, ids }) => <AlertRow key={shown.id} alert={shown} ids={ids} />)}
    </PagedList>
  );
}

const HOUR_MS = 3_600_000;
const SNOOZES = [
  { name: "For an hour", ms: HOUR_MS },
  { name: "Until tomorrow", ms: 24 * HOUR_MS },
  { name: "For a week", ms: 7 * 24 * HOUR_MS },
];

function AlertRow({ alert, ids }: { alert: AlertView; ids: readonly string[] }) {
  const timeZone = useTimeZone();
  const change = useAlertAction((next: Parameters<typeof changeAlert>[1]) =>
    Promise.all(ids.map((id) => changeAlert(id, next))),
  );
  const remove = useAlertAction(() => Promise.all(ids.map(deleteAlert)));
  const isNew = !alert.readAt;
  const snoozed = alert.snoozedUntil && Date.parse(alert.snoozedUntil) > Date.now();
  const read = () => isNew && change.mutate({ read: true });
  return (
    <li className="flex items-start gap-3 px-4 py-3 sm:px-5">
      <span
        aria-hidden="true"
        className={`mt-1.5 size-2 shrink-0 rounded-full ${isNew ? "bg-accent" : "bg-transparent"}`}
      />
      <div className="min-w-0 flex-1">
        <p className={isNew ? "font-semibold" : ""}>
          {isNew && <span className="sr-only">New: </span>}
          <Link
            to="/budgets/$budgetId"
            params={{ budgetId: alert.budgetId }}
            onClick={read}
            className="rounded hover:underline"
          >
            {alert.budgetName}
          </Link>{" "}
          {alert.exceeded ? (
            <span className="text-bad">has used up its budget</span>
          ) : (
            <>
              reached <span className={alert.threshold >= 100 ? "text-bad" : "text-warn"}>{alert.threshold} %</span> of
              its budget
            </>
          )}
        </p>
        <p className="nums text-[13px] text-muted">
          {formatMoney(alert.spent)} of {formatMoney(alert.amount)} · {formatInstant(alert.firedAt, timeZone)}
          {snoozed && alert.snoozedUntil && ` · snoozed until ${formatInstant(alert.snoozedUntil, timeZone)}`}
        </p>
      </div>
      <div className="flex items-center gap-0.5">
        <Button
          look="quiet"
          size="small-icon"
          aria-label={isNew ? "Mark as read" : "Mark as unread"}
          title={isNew ? "Mark as read" : "Mark as unread"}
          onClick={() => change.mutate({ read: isNew })}
        >
          {isNew ? <MailOpen /> : <Mail />}
        </Button>
        {snoozed ? (
          <Button
            look="quiet"
            size="small-icon"
            aria-label="Show it again"
            title="Show it again"
            onClick={() => change.mutate({ snoozedUntil: null })}
          >
            <BellRing />
          </Button>
        ) : (
          <Menu
            trigger={
              <Button look="quiet" size="small-icon" aria-label="Snooze" title="Snooze">
                <BellOff />
              </Button>
            }
          >
            {SNOOZES.map(({ name, ms }) => (
              <MenuItem
                key={name}
                onSelect={() => change.mutate({ snoozedUntil: new Date(Date.now() + ms).toISOString() })}
              >
                {name}
              </MenuItem>
            ))}
          </Menu>
        )}
        <ConfirmButton
          label="Delete from my list"
          sure="Delete"
          icon={<Trash2 />}
          busy={remove.isPending}
          onConfirm={() => remove.mutate(undefined)}
        />
      </div>
    </li>
  );
}
