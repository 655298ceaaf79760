import { useQuery } from "@tanstack/react-query";
import { Ban, ListFilter, X } from "lucide-react";
import { useState } from "react";
import { type Answer, analyticsOf } from "@/api/queries";
import {
  ALL_DIMENSIONS,
  bare,
  DIMENSIONS,
  type Dimension,
  excluded,
  type Filters,
  NONE,
  withFilter,
} from "@/lib/dimensions";
import { formatCompact } from "@/lib/numbers";
import type { Period } from "@/lib/period";
import { keyOf, type Names } from "@/lib/series";
import { Button } from "./ui/button";
import { Input, Select } from "./ui/field";
import { Popover } from "./ui/menu";
import { InlineFailure, Skeleton } from "./ui/states";

const VALUES_MAX = 200;

type Props = {
  filters: Filters;
  names: Names;
  period: Period;
  timeZone: string;
  onChange: (filters: Filters) => void;
};

/** What records must have, or must not have. Each filter can be turned round or taken out. */
export function FilterBar({ filters, names, period, timeZone, onChange }: Props) {
  const entries = ALL_DIMENSIONS.flatMap((dimension) =>
    (filters[dimension] ?? []).map((value) => ({ dimension, value })),
  );
  const replace = (dimension: Dimension, value: string, next?: string) =>
    onChange(
      withFilter(
        filters,
        dimension,
        (filters[dimension] ?? []).flatMap((one) => (one === value ? (next ? [next] : []) : [one])),
      ),
    );
  return (
    <div className="flex flex-wrap items-center gap-2">
      <AddFilter filters={filters} period={period} timeZone={timeZone} onChange={onChange} names={names} />
      {entries.map(({ dimension, value }) => {
        const name = bare(value) === NONE ? "none" : names(dimension, bare(value));
        const turned = excluded(value) ? bare(value) : `!${value}`;
        return (
          <span
            key={`${dimension} ${value}`}
            className="inline-flex h-8 max-w-full items-center overflow-hidden rounded-lg border bg-surface text-[13px]"
          >
            <button
              type="button"
              className="h-full min-w-0 truncate px-2 -outline-offset-2 hover:bg-sunken"
              title={excluded(value) ? "Show only this" : "Leave this out"}
              onClick={() => replace(dimension, value, turned)}
            >
              <span className="text-muted">
                {DIMENSIONS[dimension].one} {excluded(value) ? "is not" : "is"}
              </span>{" "}
              <span className={excluded(value) ? "font-medium line-through" : "font-medium"}>{name}</span>
            </button>
            <button
              type="button"
              aria-label={`Remove the filter ${DIMENSIONS[dimension].one} ${name}`}
              className="grid h-full w-7 place-items-center border-l text-muted -outline-offset-2 hover:bg-sunken hover:text-ink"
              onClick={() => replace(dimension, value)}
            >
              <X className="size-3.5" />
            </button>
          </span>
        );
      })}
      {entries.length > 1 && (
        <Button look="quiet" size="small" onClick={() => onChange({})}>
          Clear all
        </Button>
      )}
    </div>
  );
}

function AddFilter({ filters, names, period, timeZone, onChange }: Props) {
  const [open, setOpen] = useState(false);
  const [dimension, setDimension] = useState<Dimension>("model");
  return (
    <Popover
      label="Add a filter"
      open={open}
      onOpen={setOpen}
      trigger={
        <Button size="small" className="h-8">
          <ListFilter />
          Filter
        </Button>
      }
    >
      <Select
        aria-label="Filter by"
        value={dimension}
        onChange={(event) => setDimension(event.target.value as Dimension)}
      >
        {ALL_DIMENSIONS.map((one) => (
          <option key={one} value={one}>
            {DIMENSIONS[one].one}
          </option>
        ))}
      </Select>
      {open && (
        <Values
          key={dimension}
          dimension={dimension}
          filters={filters}
          names={names}
          period={period}
          timeZone={timeZone}
          onChange={onChange}
        />
      )}
    </Popover>
  );
}

/** The values that there are, under the other filters, with how many calls have them. */
function Values({ dimension, filters, names, period, timeZone, onChange }: Props & { dimension: Dimension }) {
  const [text, setText] = useState("");
  const others = withFilter(filters, dimension, []);
  const answer = useQuery({
    ...analyticsOf({ period, timeZone, by: [dimension], metric: "requests", filters: others, limit: VALUES_MAX }, [
      "groups",
    ]),
    placeholderData: undefined,
  });
  const chosen = filters[dimension] ?? [];
  const put = (value: string, on: boolean) =>
    onChange(
      withFilter(
        filters,
        dimension,
        on ? [...chosen.filter((one) => bare(one) !== bare(value)), value] : chosen.filter((one) => one !== value),
      ),
    );
  const rows = rowsOf(answer.data, dimension, names).filter(({ name }) =>
    name.toLowerCase().includes(text.trim().toLowerCase()),
  );
  return (
    <div className="mt-2">
      <Input
        aria-label="Find a value"
        placeholder={`Find in ${DIMENSIONS[dimension].many}`}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <InlineFailure failure={answer.error} />
      <ul className="mt-2 max-h-64 overflow-y-auto" aria-label={`Values of ${DIMENSIONS[dimension].one}`}>
        {!answer.data && !answer.error && <Skeleton className="h-24" />}
        {rows.map(({ key, name, requests }) => {
          const on = chosen.includes(key);
          const out = chosen.includes(`!${key}`);
          return (
            <li key={key} className="flex items-center gap-1">
              <label className="flex min-w-0 flex-1 items-center gap-2 rounded-md px-1.5 py-1 hover:bg-sunken">
                <input
                  type="checkbox"
                  className="size-4 accent-accent"
                  checked={on}
                  onChange={(event) => put(key, event.target.checked)}
                />
                <span className={`min-w-0 flex-1 truncate ${out ? "line-through" : ""}`}>{name}</span>
                <span className="nums text-[13px] text-muted">{formatCompact(requests)}</span>
              </label>
              <button
                type="button"
                aria-label={`Exclude ${name}`}
                aria-pressed={out}
                title="Leave this out"
                className="grid size-6 place-items-center rounded-md text-muted -outline-offset-2 hover:bg-sunken aria-pressed:text-bad"
                onClick={() => put(`!${key}`, !out)}
              >
                <Ban className="size-3.5" />
              </button>
            </li>
          );
        })}
        {answer.data && rows.length === 0 && <li className="py-3 text-center text-muted">Nothing of that name.</li>}
      </ul>
    </div>
  );
}

const rowsOf = (answer: Answer<"groups"> | undefined, dimension: Dimension, names: Names) =>
  (answer?.groups ?? []).map((group) => {
    const value = keyOf(group, dimension);
    return { key: value ?? NONE, name: names(dimension, value), requests: group.requests };
  });
