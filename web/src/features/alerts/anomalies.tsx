import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { CircleCheck } from "lucide-react";
import type { FormEvent, ReactNode } from "react";
import { projects } from "@/api/queries";
import { useSession } from "@/api/session";
import { isAdministrator } from "@/app/places";
import { useTimeZone } from "@/app/preferences";
import { PagedList } from "@/components/paged-list";
import { Button, buttonClasses } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field, Textarea } from "@/components/ui/field";
import { Badge, Empty, InlineFailure } from "@/components/ui/states";
import { Segments } from "@/components/ui/tabs";
import { toast } from "@/components/ui/toasts";
import { formatInstant } from "@/lib/days";
import { formatMoney } from "@/lib/money";
import { counted } from "@/lib/numbers";
import { type Anomaly, anomalyList, callsOf, changeAnomaly, dayOf } from "./anomaly-queries";
import { spanOf } from "./span";

const route = getRouteApi("/alerts");

const CHOICES = [
  { value: "no", name: "Unexpected", expected: false, empty: "No model spends far more than it usually does." },
  { value: "yes", name: "Expected", expected: true, empty: "Nobody said of an anomaly that it was to be expected." },
  { value: "all", name: "All", expected: undefined, empty: "No model ever spent far more than it usually does." },
] as const;

const NOTE_MAX = 500;

/** Spending that was far from usual, until somebody says that it was to be expected. */
export function Anomalies({ children }: { children: ReactNode }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const choice = CHOICES.find(({ value }) => value === search.expected) ?? CHOICES[0];
  const list = useInfiniteQuery(anomalyList(choice.expected, search.project));
  const { data: known = [] } = useQuery(projects());
  const administrated = new Set(known.filter(({ role }) => role === "owner" || role === "admin").map(({ id }) => id));
  const session = useSession();
  const administrates = session.state === "in" && isAdministrator(session.user);
  const mayChange = ({ projectId }: Anomaly) => (projectId ? administrated.has(projectId) : administrates);
  const ask = (anomaly: string | undefined) =>
    void navigate({ search: (old) => ({ ...old, anomaly }), resetScroll: false });
  const asked = list.data?.pages
    .flatMap(({ items }) => items)
    .find((anomaly) => anomaly.id === search.anomaly && mayChange(anomaly));
  const controls = (
    <>
      <Segments
        label="Which anomalies"
        value={choice.value}
        choices={CHOICES}
        onChange={(value) =>
          void navigate({
            search: (old) => ({ ...old, expected: value === "no" ? undefined : value }),
            resetScroll: false,
          })
        }
      />
      {children}
    </>
  );
  const empty = (
    <Empty icon={<CircleCheck />} title="Nothing unusual">
      {choice.empty}
    </Empty>
  );
  return (
    <>
      <PagedList list={list} controls={controls} empty={empty}>
        {(items) =>
          items.map((anomaly) => (
            <AnomalyRow
              key={anomaly.id}
              anomaly={anomaly}
              mayChange={mayChange(anomaly)}
              onAsk={() => ask(anomaly.id)}
            />
          ))
        }
      </PagedList>
      {asked && <ExpectDialog anomaly={asked} onClose={() => ask(undefined)} />}
    </>
  );
}

type RowProps = { anomaly: Anomaly; mayChange: boolean; onAsk: () => void };

function AnomalyRow({ anomaly, mayChange, onAsk }: RowProps) {
  const timeZone = useTimeZone();
  const { explanation, projectName, spent, usual, service, model, expected } = anomaly;
  return (
    <li className="flex flex-wrap items-start gap-x-4 gap-y-2 px-4 py-3 sm:px-5">
      <div className="min-w-0 flex-1 basis-72">
        <p className="font-medium break-words">
          {explanation} {expected && <Badge tone="good">Expected</Badge>}
        </p>
        <p className="nums text-[13px]">
          <span className={expected ? "" : "font-semibold text-warn"}>{formatMoney(spent)}</span> against a usual{" "}
          {formatMoney(usual)}, the median of {comparedWith(anomaly)}
        </p>
        <p className="text-[13px] break-words text-muted">
          {spanOf(anomaly, timeZone)} · {projectName ?? "no project"} · {service} / {model}
        </p>
        {expected && (
          <p className="mt-1 text-[13px] break-words text-muted">
            Expected since {formatInstant(expected.at, timeZone)}
            {expected.note && `: ${expected.note}`}
          </p>
        )}
      </div>
      <div className="flex flex-wrap items-center gap-2">
        <Link
          to="/explorer"
          search={{ ...dayOf(anomaly), by: "trackerKey", bucket: "hour" }}
          className={buttonClasses("plain", "small")}
        >
          By the hour
        </Link>
        <Link to="/records" search={{ ...callsOf(anomaly), sort: "cost" }} className={buttonClasses("plain", "small")}>
          Its records
        </Link>
        {mayChange &&
          (expected ? (
            <Unexpect anomaly={anomaly} />
          ) : (
            <Button size="small" onClick={onAsk}>
              Was expected
            </Button>
          ))}
      </div>
    </li>
  );
}

function comparedWith({ basis, span, samples }: Anomaly): string {
  if (basis === "active-times") return `${counted(samples, span)} in which it ran`;
  return `${span === "day" ? "the same weekday" : "the same hour of the week"} in ${counted(samples, "week")}`;
}

function useExpectation(anomaly: Anomaly, onDone: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: Parameters<typeof changeAnomaly>[1]) => changeAnomaly(anomaly.id, change),
    onSuccess: onDone,
    onSettled: () => client.invalidateQueries({ queryKey: ["anomalies"] }),
  });
}

function Unexpect({ anomaly }: { anomaly: Anomaly }) {
  const change = useExpectation(anomaly, () => toast("It counts as unexpected again."));
  return (
    <Button
      size="small"
      busy={change.isPending}
      onClick={() => change.mutate({ expected: false }, { onError: (failure) => toast(failure.message, true) })}
    >
      Was not expected
    </Button>
  );
}

/** Asks why it was to be expected: whoever looks next month will want to know. */
function ExpectDialog({ anomaly, onClose }: { anomaly: Anomaly; onClose: () => void }) {
  const change = useExpectation(anomaly, () => {
    toast("As much again is not told for eight weeks.");
    onClose();
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const note = String(new FormData(event.currentTarget).get("note") ?? "").trim();
    change.mutate({ expected: true, note });
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title="This was expected"
      description={`${anomaly.explanation}. As much again counts as usual for eight weeks.`}
    >
      <form onSubmit={submit} className="grid gap-4">
        <Field label="Why" hint="For whoever looks later: a load test, a launch. May be empty.">
          {(parts) => <Textarea {...parts} name="note" maxLength={NOTE_MAX} />}
        </Field>
        <InlineFailure failure={change.error} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={change.isPending}>
            Mark as expected
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
