import { Field, Input } from "@/components/ui/field";

/** The units that nearly every model is priced by. Rates of others that a rule has are kept. */
export const UNITS = {
  input_tokens: "Input",
  cache_read_tokens: "Cached input",
  output_tokens: "Output",
} as const;

const nameOf = (unit: string) => `rate ${unit}`;

/** The rates that were filled in, with their exact digits. */
export function ratesOf(form: FormData): Record<string, unknown> {
  const kept = JSON.parse(String(form.get("otherRates") ?? "") || "{}") as Record<string, unknown>;
  for (const unit of Object.keys(UNITS)) {
    const rate = String(form.get(nameOf(unit)) ?? "").trim();
    if (rate) kept[unit] = rate;
  }
  return kept;
}

/** Dollars per million, by unit. */
export function RateFields({
  rates = {},
  onChange,
}: {
  rates?: Record<string, unknown> | undefined;
  onChange?: (() => void) | undefined;
}) {
  const others = Object.fromEntries(
    Object.entries(rates).filter(([unit, rate]) => !(unit in UNITS) || typeof rate !== "string"),
  );
  return (
    <fieldset className="grid gap-3 sm:col-span-2 sm:grid-cols-3" onChange={onChange}>
      <legend className="mb-1 text-[13px] text-muted">
        Dollars per million tokens. Without a rate cached input costs what input costs.
      </legend>
      <input type="hidden" name="otherRates" value={JSON.stringify(others)} />
      {Object.entries(UNITS).map(([unit, name]) => (
        <Field key={unit} label={name}>
          {(parts) => (
            <Input
              {...parts}
              name={nameOf(unit)}
              inputMode="decimal"
              pattern="\d+(\.\d{1,9})?"
              title="A rate like 2.5 or 0.075"
              required={unit === "input_tokens"}
              defaultValue={typeof rates[unit] === "string" ? (rates[unit] as string) : ""}
            />
          )}
        </Field>
      ))}
    </fieldset>
  );
}
