import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Group } from "@/api/queries";
import { PAYERS } from "@/app/router";
import { GroupTable } from "@/components/group-table";
import { Card, CardHead } from "@/components/ui/card";
import { Segments } from "@/components/ui/tabs";
import { DIMENSIONS } from "@/lib/dimensions";
import { type Sort, sortOf } from "@/lib/group-rows";
import type { PeriodSearch } from "@/lib/period";
import { filterOf, keyOf, namesOf } from "@/lib/series";

type Payer = (typeof PAYERS)[number];

type Props = {
  groups: readonly Group[];
  compared: { cost: Group["cost"] } | undefined;
  by: Payer;
  onBy: (by: Payer) => void;
  link: PeriodSearch & { tz?: string | undefined };
};

/** Who pays what, against the month before; each sum opens what it is made of. */
export function Payers({ groups, compared, by, onBy, link }: Props) {
  const [sort, setSort] = useState<Sort>(sortOf("cost"));
  const names = namesOf({ groups });
  return (
    <Card className="overflow-hidden">
      <CardHead title="Who pays" hint="Against the month before. Counts open the calls: the proof of the sum.">
        <Segments
          label="By"
          value={by}
          onChange={onBy}
          choices={PAYERS.map((value) => ({ value, name: DIMENSIONS[value].one }))}
        />
      </CardHead>
      <GroupTable
        label="Who pays"
        groups={groups}
        by={[by]}
        compared={compared}
        sort={sort}
        onSort={setSort}
        callsOf={(group, dimensions) => ({ ...link, ...(group && filterOf(group, dimensions)) })}
        nameOf={(group, dimension) => (
          <Link
            to="/explorer"
            search={{ ...link, ...filterOf(group, [dimension]) }}
            className="block truncate rounded font-medium hover:underline"
          >
            {keyOf(group, dimension) === null ? "nobody" : names(dimension, keyOf(group, dimension))}
          </Link>
        )}
      />
    </Card>
  );
}
