import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { analyticsOf, newestRecords, type Question } from "@/api/queries";
import { useUsageStream } from "@/api/usage-stream";
import { Card, CardHead } from "@/components/ui/card";
import { Loaded } from "@/components/ui/loaded";
import { Cell, Row, RowHead, Table } from "@/components/ui/table";
import { addDays, formatInstant, today } from "@/lib/days";
import { NONE } from "@/lib/dimensions";
import { isUnknown } from "@/lib/group-rows";
import { formatMoney } from "@/lib/money";
import { formatCount } from "@/lib/numbers";
import { keyOf, namesOf } from "@/lib/series";
import type { TrackerKey } from "@/services/user.service";
import { when } from "./key-list";

const DAYS = 7;
const SHOWN = 5;

type Props = { timeZone: string; keys: readonly TrackerKey[] };

/** What comes in: by which key, and the newest calls as they are recorded. */
export function Activity({ timeZone, keys }: Props) {
  const end = today(new Date(), timeZone);
  const period = { start: addDays(end, 1 - DAYS), end };
  return (
    <div className="grid grid-cols-1 gap-4 xl:grid-cols-2">
      <ByKey question={{ period, timeZone, by: ["trackerKey"], metric: "requests" }} keys={keys} />
      <Newest timeZone={timeZone} />
    </div>
  );
}

function ByKey({ question, keys }: { question: Question; keys: Props["keys"] }) {
  const answer = useQuery(analyticsOf(question, ["groups"]));
  const lastUse = new Map(keys.map(({ keyId, lastUsedAt }) => [keyId, lastUsedAt]));
  return (
    <Card className="overflow-hidden">
      <CardHead title="By key" hint={`Calls of the last ${DAYS} days.`} />
      <Loaded query={answer} skeleton="h-40" className="pb-1">
        {({ groups }) => {
          const names = namesOf({ groups });
          if (groups.length === 0) return <p className="px-5 pb-4 text-muted">No call in these days.</p>;
          return (
            <Table
              label="Calls by key"
              columns={[
                { name: "Key" },
                { name: "Calls", align: "right" },
                { name: "Errors", align: "right" },
                { name: "Cost", align: "right" },
              ]}
            >
              {groups.map((group) => {
                const key = keyOf(group, "trackerKey");
                const calls = { range: "7d" as const, trackerKey: [key ?? NONE] };
                const used = key && lastUse.get(key);
                return (
                  <Row key={key ?? ""}>
                    <RowHead>
                      <Link to="/explorer" search={{ ...calls, by: "model" }} className="font-medium hover:underline">
                        {key ? names("trackerKey", key) : "Without a key"}
                      </Link>
                      {used && (
                        <span className="block text-xs text-muted">last used {when(used, question.timeZone)}</span>
                      )}
                    </RowHead>
                    <Cell right className="nums">
                      <Link to="/records" search={calls} className="rounded hover:underline">
                        {formatCount(group.requests)}
                      </Link>
                    </Cell>
                    <Cell right className={group.errors > 0 ? "nums text-bad" : "text-muted"}>
                      {group.errors > 0 ? (
                        <Link
                          to="/records"
                          search={{ ...calls, status: ["error"] }}
                          className="rounded hover:underline"
                        >
                          {formatCount(group.errors)}
                        </Link>
                      ) : (
                        "–"
                      )}
                    </Cell>
                    <Cell right className="nums">
                      {isUnknown(group) ? "unknown" : formatMoney(group.cost)}
                    </Cell>
                  </Row>
                );
              })}
            </Table>
          );
        }}
      </Loaded>
    </Card>
  );
}

function Newest({ timeZone }: { timeZone: string }) {
  const client = useQueryClient();
  const newest = useQuery(newestRecords(SHOWN));
  const live = useUsageStream(true, () => {
    // Calls that come while an answer is awaited are in the next one.
    void client.invalidateQueries({ queryKey: newestRecords(SHOWN).queryKey }, { cancelRefetch: false });
  });
  return (
    <Card>
      <CardHead title="Newest calls" hint={live === "on" ? "Live: as they are recorded." : "Connecting…"} />
      <Loaded query={newest} skeleton="h-40" className="px-4 pb-3 sm:px-5">
        {({ items }) =>
          items.length === 0 ? (
            <p className="text-muted">None has arrived yet.</p>
          ) : (
            <ul className="divide-y">
              {items.map((record) => (
                <li key={record.id} className="flex items-baseline gap-3 py-2">
                  <Link
                    to="/records"
                    search={{ record: record.id }}
                    className="min-w-0 flex-1 truncate font-medium hover:underline"
                  >
                    {record.model}
                  </Link>
                  <span className="nums text-[13px] text-muted">{formatInstant(record.timestamp, timeZone, true)}</span>
                  <span className="nums font-medium">{formatMoney(record.cost)}</span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}
