import { useQuery } from "@tanstack/react-query";
import { useTimeZone } from "@/app/preferences";
import { Card } from "@/components/ui/card";
import { Loaded } from "@/components/ui/loaded";
import { Badge, Empty } from "@/components/ui/states";
import { formatInstant } from "@/lib/days";
import { revisions } from "./queries";

/** What was changed in the prices, when. */
export function Revisions() {
  const list = useQuery(revisions());
  const timeZone = useTimeZone();
  return (
    <Loaded query={list} skeleton="h-64">
      {(all) => (
        <Card>
          {all.length === 0 && (
            <Empty title="Nothing was changed">Imports, names, own prices and repricings are listed here.</Empty>
          )}
          <ol className="divide-y">
            {all.map(({ document, number, note, at, userId }) => (
              <li key={`${document} ${number}`} className="flex flex-wrap items-baseline gap-x-3 px-4 py-2.5 sm:px-5">
                <span className="nums w-36 text-[13px] text-muted">{formatInstant(at, timeZone)}</span>
                <Badge>
                  {document} {number}
                </Badge>
                <span className="min-w-0 flex-1 basis-64 break-words">{note}</span>
                {!userId && <span className="text-[13px] text-muted">by the server or the command line</span>}
              </li>
            ))}
          </ol>
        </Card>
      )}
    </Loaded>
  );
}
