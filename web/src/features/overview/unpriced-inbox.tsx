import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck } from "lucide-react";
import { analyticsOf } from "@/api/queries";
import { buttonClasses } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { Badge, FailureNotice, Skeleton } from "@/components/ui/states";
import { classes } from "@/lib/classes";
import { counted, formatCompact } from "@/lib/numbers";
import { type Period, type PeriodSearch, periodLink } from "@/lib/period";
import { keyOf } from "@/lib/series";

const SHOWN = 6;

type Props = {
  period: Period;
  timeZone: string;
  search: PeriodSearch & { tz?: string | undefined };
};

/** Models whose calls have no known cost: each is a hole in the figures above. */
export function UnpricedInbox({ period, timeZone, search }: Props) {
  const answer = useQuery(
    analyticsOf(
      { period, timeZone, by: ["service", "model"], metric: "requests", filters: { costSource: ["unpriced"] } },
      ["groups"],
    ),
  );
  const groups = [...(answer.data?.groups ?? [])].sort((one, other) => other.requests - one.requests);
  const unpriced = periodLink(search, "mtd");
  const link = { ...unpriced, costSource: ["unpriced"] };
  return (
    <Card className={classes("flex flex-col", answer.isPlaceholderData && "stale")}>
      <CardHead title="Without a price" hint="These calls are in no sum until their price is known.">
        {groups.length > 0 && <Badge tone="warn">{counted(groups.length, "model")}</Badge>}
      </CardHead>
      {answer.error && !answer.data ? (
        <FailureNotice failure={answer.error} onRetry={() => void answer.refetch()} />
      ) : !answer.data ? (
        <div className="px-5 pb-5">
          <Skeleton className="h-40" />
        </div>
      ) : groups.length === 0 ? (
        <p className="flex flex-1 flex-col items-center justify-center gap-2 px-5 pb-8 text-muted">
          <CircleCheck className="size-6 text-good" />
          Every call of this period has a price.
        </p>
      ) : (
        <ul className="px-2 pb-2 sm:px-3">
          {groups.slice(0, SHOWN).map((group) => {
            const [service, model] = [keyOf(group, "service") ?? "", keyOf(group, "model") ?? ""];
            return (
              <li key={`${service} ${model}`} className="flex items-center gap-3 border-t px-2 py-2 first:border-t-0">
                <div className="min-w-0 flex-1">
                  <Link
                    to="/records"
                    search={{ ...link, service: [service], model: [model] }}
                    className="block truncate font-medium hover:underline"
                  >
                    {model}
                  </Link>
                  <p className="nums truncate text-[13px] text-muted">
                    {service} · {counted(group.requests, "call")} · {formatCompact(group.tokens)} tokens
                  </p>
                </div>
                <Link
                  to="/prices"
                  search={{ ...unpriced, tab: "unpriced" }}
                  className={buttonClasses("plain", "small")}
                >
                  Give it a price<span className="sr-only">: {model}</span>
                </Link>
              </li>
            );
          })}
          {groups.length > SHOWN && (
            <li className="px-2 pt-1 text-[13px] text-muted">and {groups.length - SHOWN} more models</li>
          )}
        </ul>
      )}
    </Card>
  );
}
