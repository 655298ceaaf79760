import { CalendarRange } from "lucide-react";
import { type FormEvent, useState } from "react";
import { isTimeZone, useTimeZone } from "@/app/preferences";
import { today } from "@/lib/days";
import { daysOf, formatPeriod, type PeriodSearch, PRESETS, type Preset, periodName, periodOf } from "@/lib/period";
import { Button } from "./ui/button";
import { Field, Input } from "./ui/field";
import { Popover } from "./ui/menu";

type Change = PeriodSearch & { tz?: string | undefined };

const ZONES = ["UTC", ...(typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : [])];

/** Which days, and of which time zone. */
export function PeriodPicker({
  search,
  fallback,
  onChange,
}: {
  search: Change;
  fallback: Preset;
  onChange: (change: Change) => void;
}) {
  const zone = useTimeZone(search.tz);
  const period = periodOf(search, today(new Date(), zone), fallback);
  const days = daysOf(period, zone);
  const name = periodName(search, fallback);
  const [open, setOpen] = useState(false);
  const choose = (change: Change) => {
    setOpen(false);
    onChange(change);
  };
  const custom = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [from, to, tz] = ["from", "to", "tz"].map((field) => String(form.get(field) ?? ""));
    if (!from || !to || from > to || !tz || !isTimeZone(tz)) return;
    const same = from === days.start && to === days.end;
    choose({
      ...(same ? { range: search.range, from: search.from, to: search.to } : { from, to }),
      tz: tz === zone ? search.tz : tz,
    });
  };
  const trigger = (
    <Button>
      <span className="sr-only">Period:</span>
      <CalendarRange />
      {name && <span>{name}</span>}
      <span className={name ? "hidden font-normal text-muted sm:inline" : ""}>{formatPeriod(period, zone)}</span>
      {zone !== "UTC" && (
        <span className="hidden font-normal text-muted md:inline">{zone.split("/").at(-1)?.replaceAll("_", " ")}</span>
      )}
    </Button>
  );
  return (
    <Popover trigger={trigger} open={open} onOpen={setOpen} label="Period">
      <div className="grid grid-cols-2 gap-1">
        {(Object.entries(PRESETS) as [Preset, string][]).map(([preset, text]) => (
          <Button
            key={preset}
            look={name === text ? "primary" : "quiet"}
            size="small"
            className="justify-start"
            onClick={() => choose({ range: preset, tz: search.tz })}
          >
            {text}
          </Button>
        ))}
      </div>
      <form
        onSubmit={custom}
        className="mt-3 grid grid-cols-2 gap-3 border-t pt-3"
        key={`${period.start}${period.end}${zone}`}
      >
        <Field label="First day">
          {(parts) => <Input {...parts} type="date" name="from" defaultValue={days.start} required />}
        </Field>
        <Field label="Last day">
          {(parts) => <Input {...parts} type="date" name="to" defaultValue={days.end} required />}
        </Field>
        <Field label="Time zone" className="col-span-2">
          {(parts) => (
            <>
              <Input {...parts} name="tz" list="time-zones" defaultValue={zone} required />
              <datalist id="time-zones">
                {ZONES.map((one) => (
                  <option key={one} value={one} />
                ))}
              </datalist>
            </>
          )}
        </Field>
        <Button type="submit" look="primary" className="col-span-2">
          Show these days
        </Button>
      </form>
    </Popover>
  );
}
