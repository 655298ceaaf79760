import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { api, dataOf, type Schemas } from "@/api/client";
import type { UsageRecord } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy";
import { Dialog } from "@/components/ui/dialog";
import { Badge, FailureNotice, Skeleton } from "@/components/ui/states";
import { useNamed } from "@/components/use-named";
import { formatDay, formatInstant } from "@/lib/days";
import { type Dimension, isDimension } from "@/lib/dimensions";
import { differenceOf, formatChange, formatMoney, numberOf } from "@/lib/money";
import { formatCount, formatMs } from "@/lib/numbers";
import { ruleEffect } from "@/lib/price-rules";
import { type Names, namesOf } from "@/lib/series";

type Detail = Schemas["RecordDetail"];

const SOURCES: Record<string, string> = {
  reported: "as the sender reported it",
  provider: "as the provider reported it",
  catalog: "from the price catalog",
  override: "from your own price rules",
  estimated: "estimated: tokens were counted here",
  unpriced: "unknown: there is no price",
};

const words = (text: string) => text.replaceAll("_", " ").replace(/^./, (first) => first.toUpperCase());

type Props = {
  id: string;
  timeZone: string;
  names: Names;
  mayCorrect: (record: UsageRecord) => boolean;
  onCorrect: (record: UsageRecord) => void;
  onClose: () => void;
};

/** One call: what it cost and how that comes about, what was counted, whom it was for. */
export function RecordDrawer({ id, timeZone, names, mayCorrect, onCorrect, onClose }: Props) {
  const record = useQuery({
    queryKey: ["record", id],
    queryFn: ({ signal }) => dataOf(api.GET("/api/usage/{usageId}", { params: { path: { usageId: id } }, signal })),
  });
  return (
    <Dialog
      open
      onClose={onClose}
      shape="drawer"
      title={record.data?.model ?? "Call"}
      description={record.data ? `${record.data.service}, ${formatInstant(record.data.timestamp, timeZone, true)}` : id}
    >
      {record.error ? (
        <FailureNotice failure={record.error} onRetry={() => void record.refetch()} />
      ) : !record.data ? (
        <div className="grid gap-3" role="status" aria-label="Loading">
          <Skeleton className="h-12" />
          <Skeleton className="h-48" />
          <Skeleton className="h-64" />
        </div>
      ) : (
        <>
          <Content record={record.data} names={names} />
          {mayCorrect(record.data) && (
            <Button className="mt-6" onClick={() => onCorrect(record.data)}>
              Correct whom it was for
            </Button>
          )}
        </>
      )}
    </Dialog>
  );
}

/** A value, and the way to the other calls that have it. */
function Alike({ dimension, value, name }: { dimension: Dimension; value: string; name: string }) {
  return (
    <Link
      from="/records"
      to="/records"
      search={(old) => ({ ...old, [dimension]: [value], record: undefined })}
      title="Show the calls that have it, too"
      className="rounded underline-offset-2 hover:underline"
    >
      {name}
    </Link>
  );
}

function Content({ record, names: known }: { record: Detail; names: Names }) {
  const day = record.timestamp.slice(0, 10);
  const ids = { user: [record.userId], ...(record.trackerKey ? { trackerKey: [record.trackerKey] } : {}) };
  const ofIds = namesOf(useNamed({ period: { start: day, end: day }, timeZone: "UTC", filters: ids }));
  const alike = (dimension: Dimension, value: string) => (
    <Alike
      key={dimension}
      dimension={dimension}
      value={value}
      name={dimension === "project" ? known(dimension, value) : ofIds(dimension, value)}
    />
  );
  const source = String(record.costSource).toLowerCase();
  const allocation = Object.entries(record.costAllocation).filter(([, value]) => value);
  return (
    <div className="grid grid-cols-1 gap-6">
      <section aria-label="Cost">
        <p className="nums text-3xl font-semibold tracking-tight">
          {record.cost == null ? "unknown" : formatMoney(record.cost)}
        </p>
        <p className="text-muted">
          {SOURCES[source] ?? source}
          {record.cost != null && <span className="nums"> · exactly ${record.cost}</span>}
        </p>
        {record.unpricedReason && (
          <p className="mt-2 rounded-lg bg-warn-soft px-3 py-2 text-warn">{words(record.unpricedReason)}</p>
        )}
        <div className="mt-2 flex flex-wrap gap-1.5">
          {String(record.status).toLowerCase() === "error" && <Badge tone="bad">{record.errorCode ?? "error"}</Badge>}
          {record.flags.map((flag) => (
            <Badge key={flag} tone="warn">
              {words(
                String(flag)
                  .replace(/([a-z])([A-Z])/g, "$1 $2")
                  .replaceAll("-", " ")
                  .toLowerCase(),
              )}
            </Badge>
          ))}
          {record.tags.map((tag) => (
            <Badge key={tag}>{tag}</Badge>
          ))}
        </div>
        {record.errorMessage && <p className="mt-2 break-words text-bad">{record.errorMessage}</p>}
      </section>
      {record.costExplanation && <Explanation explanation={record.costExplanation} match={record.priceMatch} />}
      <Facts
        title="Beside the cost"
        facts={[
          [
            "By the catalog",
            record.listCost != null && record.listCost !== record.cost ? (
              <span key="list">
                {formatMoney(record.listCost)}
                {record.cost != null && ` (the cost is ${formatChange(differenceOf(record.cost, record.listCost))})`}
              </span>
            ) : undefined,
          ],
          [
            "Saved by caching",
            record.cacheSavings == null || numberOf(record.cacheSavings) === 0
              ? undefined
              : formatMoney(record.cacheSavings),
          ],
          ...record.priceRules.map((rule): [string, ReactNode] => [
            `Own rule ${rule.id}`,
            `${ruleEffect(rule)}${rule.note ? `: ${rule.note}` : ""}`,
          ]),
        ]}
      />
      <Facts
        title="What was counted"
        facts={Object.entries(record.usage as Record<string, unknown>)
          .filter(([, count]) => typeof count === "number" && count !== 0)
          .map(([unit, count]) => [words(unit), formatCount(count as number)])}
      />
      <Facts
        title="Whom it was for"
        facts={[
          ["Project", record.projectId && alike("project", record.projectId)],
          ...allocation.map(([name, value]): [string, ReactNode] => [
            words(name),
            isDimension(name) ? alike(name, String(value)) : String(value),
          ]),
          ["User", record.userEmail && alike("userEmail", record.userEmail)],
          ["Customer", record.customerEmail && alike("customerEmail", record.customerEmail)],
          ["Recorded by", alike("user", record.userId)],
          ["Tracker key", record.trackerKey && alike("trackerKey", record.trackerKey)],
        ]}
      />
      <Facts
        title="The call"
        facts={[
          ["Duration", record.responseTime == null ? undefined : formatMs(record.responseTime)],
          ["First token after", record.timeToFirstToken == null ? undefined : formatMs(record.timeToFirstToken)],
          ["Operation", record.operation],
          ["Service tier", record.serviceTier],
          ["Region", record.region],
          ["Answered by", record.responseModel],
          ["Request id", record.requestId],
          ["Session", record.sessionId],
          ["Trace", record.traceId],
          ["Came in by", String(record.origin).toLowerCase()],
          ["Record", <Code key="id" text={record.id} />],
        ]}
      />
      {record.prompt && <Text title="Prompt" text={record.prompt} />}
      {record.completion && <Text title="Completion" text={record.completion} />}
      {Object.keys(record.metadata).length > 0 && (
        <Text title="Metadata" text={JSON.stringify(record.metadata, null, 2)} />
      )}
    </div>
  );
}

function Explanation({
  explanation,
  match,
}: {
  explanation: Schemas["Explanation"];
  match: string | null | undefined;
}) {
  const { items, price, total } = explanation;
  const conditions = Object.entries(price.conditions).filter(([, value]) => typeof value === "string");
  return (
    <section aria-labelledby="why">
      <h3 id="why" className="mb-2 font-semibold">
        Why this cost
      </h3>
      <table className="nums w-full text-[13px]">
        <thead>
          <tr className="text-xs text-muted">
            <th scope="col" className="pb-1 text-left font-medium">
              Counted
            </th>
            <th scope="col" className="pb-1 text-right font-medium">
              Price per million
            </th>
            <th scope="col" className="pb-1 text-right font-medium">
              Amount
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={`${item.unit} ${item.rate}`} className="border-t align-top">
              <th scope="row" className="py-1.5 text-left font-normal">
                {formatCount(item.count)} {item.unit.replaceAll("_", " ")}
                {item.rateUnit !== item.unit && (
                  <span className="block text-xs text-muted">at the price of {item.rateUnit.replaceAll("_", " ")}</span>
                )}
              </th>
              <td className="py-1.5 text-right">
                ${item.rate}
                {!!item.tierInputTokensMin && (
                  <span className="block text-xs text-muted">from {formatCount(item.tierInputTokensMin)} tokens</span>
                )}
              </td>
              <td className="py-1.5 text-right">${item.amount}</td>
            </tr>
          ))}
          <tr className="border-t font-semibold">
            <th scope="row" colSpan={2} className="py-1.5 text-left">
              Catalog price
            </th>
            <td className="py-1.5 text-right">${total}</td>
          </tr>
        </tbody>
      </table>
      <p className="mt-2 text-[13px] text-muted">
        {match && `${match}. `}
        Price row <span className="font-mono text-xs break-all">{price.id}</span>
        {conditions.length > 0 && `, ${conditions.map(([name, value]) => `${name} ${value}`).join(", ")}`} of{" "}
        {price.source.name} {price.source.version}
        {price.source.checkedOn &&
          `, checked ${formatDay(price.source.checkedOn, { day: "numeric", month: "short", year: "numeric" })}`}
        .{" "}
        {price.source.url?.startsWith("https://") && (
          <a
            href={price.source.url}
            target="_blank"
            rel="noreferrer noopener"
            className="font-medium text-accent-text underline"
          >
            The provider's page
          </a>
        )}
      </p>
    </section>
  );
}

function Facts({ title, facts }: { title: string; facts: readonly (readonly [string, ReactNode])[] }) {
  const known = facts.filter(([, value]) => value !== undefined && value !== null && value !== "");
  if (known.length === 0) return null;
  return (
    <section>
      <h3 className="mb-1.5 font-semibold">{title}</h3>
      <dl className="divide-y text-[13px]">
        {known.map(([name, value]) => (
          <div key={name} className="flex gap-3 py-1.5">
            <dt className="w-36 shrink-0 text-muted">{name}</dt>
            <dd className="nums min-w-0 flex-1 break-words">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Code({ text }: { text: string }) {
  return (
    <span className="flex items-center gap-2">
      <code className="min-w-0 truncate font-mono text-xs">{text}</code>
      <CopyButton text={text} />
    </span>
  );
}

function Text({ title, text }: { title: string; text: string }) {
  return (
    <section>
      <h3 className="mb-1.5 font-semibold">{title}</h3>
      <pre className="rounded-lg border bg-sunken p-3 font-mono text-[12.5px] whitespace-pre-wrap break-words">
        {text}
      </pre>
    </section>
  );
}
