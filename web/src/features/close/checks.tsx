import { Link, type LinkProps } from "@tanstack/react-router";
import { CircleAlert, CircleCheck } from "lucide-react";
import type { Schemas } from "@/api/client";
import type { Group } from "@/api/queries";
import { Card, CardHead } from "@/components/ui/card";
import { DIMENSIONS, type Dimension, NONE } from "@/lib/dimensions";
import { formatMoney } from "@/lib/money";
import { counted } from "@/lib/numbers";
import type { Period } from "@/lib/period";
import { keyOf } from "@/lib/series";

type Check = { is: boolean; good: string; bad: string; link?: LinkProps };

type Props = {
  summary: Pick<Schemas["Summary"], "totalCost" | "totalRequests" | "unpricedRequests">;
  groups: readonly Group[];
  by: Dimension;
  period: Period;
  tz: string | undefined;
  isOver: boolean;
};

/** What stands between these figures and a statement of them. */
export function Checks({ summary, groups, by, period, tz, isOver }: Props) {
  const days = { from: period.start, to: period.end, tz };
  const nobody = groups.find((group) => keyOf(group, by) === null);
  const payer = DIMENSIONS[by].one.toLowerCase();
  const { unpricedRequests: unpriced } = summary;
  const checks: Check[] = [
    { is: isOver, good: "The month is over.", bad: "The month is not over: calls are still coming in." },
    {
      is: unpriced === 0,
      good: "Every call has a price.",
      bad: `${counted(unpriced, "call")} without a price: what they cost is in no sum.`,
      link: { to: "/prices", search: { ...days, tab: "unpriced" } },
    },
    {
      is: !nobody,
      good: `Every call has a ${payer}.`,
      bad: `${counted(nobody?.requests ?? 0, "call")} of no ${payer}: ${formatMoney(nobody?.cost ?? "0")} are charged to nobody.`,
      link: { to: "/records", search: { ...days, [by]: [NONE] } },
    },
  ];
  return (
    <Card>
      <CardHead
        title={
          <span className="nums" title={`$${summary.totalCost}`}>
            {formatMoney(summary.totalCost)} for {counted(summary.totalRequests, "call")}
          </span>
        }
        hint={checks.every(({ is }) => is) ? "Nothing is missing." : "What is still missing:"}
      />
      <ul className="grid gap-1.5 px-4 pb-4 sm:px-5">
        {checks.map(({ is, good, bad, link }) => (
          <li key={good} className="flex items-start gap-2">
            {is ? (
              <CircleCheck aria-label="Done" className="mt-0.5 size-4 shrink-0 text-good" />
            ) : (
              <CircleAlert aria-label="Missing" className="mt-0.5 size-4 shrink-0 text-warn" />
            )}
            <span className="nums">
              {is ? good : bad}{" "}
              {!is && link && (
                <Link {...link} className="font-medium text-accent-text hover:underline">
                  Put it right
                </Link>
              )}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
