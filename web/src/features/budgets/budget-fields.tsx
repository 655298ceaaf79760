import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import type { Money } from "@/api/money-json";
import { Button } from "@/components/ui/button";
import { Checkbox, Field, Input, Select } from "@/components/ui/field";
import type { Budget } from "@/services/project.service";
import { ALERT_KINDS } from "./alert-kinds";

type Alert = NonNullable<Budget["alerts"]>[number];
type Kind = Alert["type"];

const PERIODS = ["weekly", "monthly", "quarterly", "yearly", "one-time"] as const;
const KINDS = Object.keys(ALERT_KINDS) as Kind[];
const USUAL: Alert[] = [50, 80, 100].map((threshold) => ({ threshold, type: "in-app", recipients: [] }));

/** What the fields say; nothing without an amount. What they do not show stays as it is kept. */
export function budgetOf(form: FormData, kept?: Budget | null): Budget | null {
  const said = (name: string) => String(form.get(name) ?? "").trim();
  if (!said("amount")) return null;
  const all = (name: string) => form.getAll(name).map(String);
  const [types, recipients, urls] = [all("alertType"), all("alertRecipients"), all("alertUrl")];
  const alerts = all("alertThreshold").map((threshold, index): Alert => {
    const type = (types[index] ?? "in-app") as Kind;
    const url = (urls[index] ?? "").trim();
    return {
      threshold: Number(threshold),
      type,
      recipients: byEmail(type) ? wordsOf(recipients[index] ?? "") : [],
      ...(byWebhook(type) && url ? { webhookUrl: url } : {}),
    };
  });
  return {
    ...kept,
    amount: said("amount") as Money,
    currency: said("currency").toUpperCase() || "USD",
    carryOver: form.has("carryOver"),
    period: said("period") as Budget["period"],
    startDate: said("startDate") || null,
    timeZone: said("budgetZone") || "UTC",
    enforcement: said("enforcement") as NonNullable<Budget["enforcement"]>,
    alerts,
  };
}

const byEmail = (type: Kind) => type === "email" || type === "both";
const byWebhook = (type: Kind) => type === "webhook" || type === "both";

export const wordsOf = (text: string): string[] => [
  ...new Set(
    text
      .split(",")
      .map((word) => word.trim())
      .filter(Boolean),
  ),
];

/** Amount, period, what happens at the end, and the alerts on the way. */
export function BudgetFields({ budget, required }: { budget?: Budget | null | undefined; required?: boolean }) {
  return (
    <fieldset className="grid min-w-0 gap-4 sm:grid-cols-2">
      <legend className="sr-only">Budget</legend>
      <div className="grid grid-cols-[minmax(0,1fr)_5.5rem] gap-2">
        <Field label="Budget" hint={required ? undefined : "Leave it empty for none."}>
          {(parts) => (
            <Input
              {...parts}
              name="amount"
              inputMode="decimal"
              pattern="\d+(\.\d{1,9})?"
              title="An amount like 250 or 99.50"
              defaultValue={budget?.amount}
              required={required ?? false}
            />
          )}
        </Field>
        <Field label="Currency">
          {(parts) => (
            <Input
              {...parts}
              name="currency"
              pattern="[A-Za-z]{3}"
              title="Three letters; another than USD needs an exchange rate"
              defaultValue={budget?.currency ?? "USD"}
            />
          )}
        </Field>
      </div>
      <Field label="For">
        {(parts) => (
          <Select {...parts} name="period" defaultValue={budget?.period ?? "monthly"}>
            {PERIODS.map((period) => (
              <option key={period}>{period}</option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="When it is used up">
        {(parts) => (
          <Select {...parts} name="enforcement" defaultValue={budget?.enforcement ?? "alert"}>
            <option value="alert">Calls go on</option>
            <option value="block">Calls through the gateway are refused</option>
          </Select>
        )}
      </Field>
      <div className="grid grid-cols-2 gap-4">
        <Field label="A period starts on">
          {(parts) => <Input {...parts} type="date" name="startDate" defaultValue={budget?.startDate ?? ""} />}
        </Field>
        <Field label="Time zone">
          {(parts) => <Input {...parts} name="budgetZone" defaultValue={budget?.timeZone ?? "UTC"} />}
        </Field>
      </div>
      <Checkbox
        name="carryOver"
        defaultChecked={budget?.carryOver ?? false}
        label="What is left over may be spent in the next period"
        className="sm:col-span-2"
      />
      <AlertFields alerts={budget?.alerts ?? USUAL} />
    </fieldset>
  );
}

type Line = { key: number; alert: Alert };

function AlertFields({ alerts }: { alerts: Alert[] }) {
  const [lines, setLines] = useState<Line[]>(() => alerts.map((alert, key) => ({ key, alert })));
  const add = () =>
    setLines([
      ...lines,
      {
        key: Math.max(-1, ...lines.map(({ key }) => key)) + 1,
        alert: { threshold: 90, type: "email", recipients: [] },
      },
    ]);
  return (
    <div className="min-w-0 sm:col-span-2">
      <p className="mb-1 text-[13px] font-medium">Alerts</p>
      <ul className="grid gap-2">
        {lines.map((line) => (
          <AlertLine
            key={line.key}
            alert={line.alert}
            onRemove={() => setLines(lines.filter(({ key }) => key !== line.key))}
          />
        ))}
      </ul>
      <Button size="small" className="mt-2" onClick={add}>
        <Plus />
        Add an alert
      </Button>
    </div>
  );
}

function AlertLine({ alert, onRemove }: { alert: Alert; onRemove: () => void }) {
  const [type, setType] = useState<Kind>(alert.type);
  // Fields that do not apply are there all the same, so that the lists of names and values stay in step.
  return (
    <li className="grid grid-cols-[5.5rem_minmax(0,1fr)_auto] items-center gap-2 rounded-lg border p-2">
      <span className="relative">
        <Input
          name="alertThreshold"
          type="number"
          min={1}
          max={1000}
          required
          aria-label="Percent of the amount"
          defaultValue={alert.threshold}
          className="pr-7"
        />
        <span aria-hidden="true" className="absolute top-2 right-2.5 text-muted">
          %
        </span>
      </span>
      <Select
        name="alertType"
        aria-label="How people are told"
        value={type}
        onChange={(event) => setType(event.target.value as Kind)}
      >
        {KINDS.map((kind) => (
          <option key={kind} value={kind}>
            {ALERT_KINDS[kind]}
          </option>
        ))}
      </Select>
      <Button look="quiet" size="small-icon" aria-label={`Remove the alert at ${alert.threshold} %`} onClick={onRemove}>
        <Trash2 />
      </Button>
      <Input
        name="alertRecipients"
        type={byEmail(type) ? "text" : "hidden"}
        aria-label="E-mail addresses, separated by commas"
        placeholder="E-mail addresses; the owners when empty"
        defaultValue={alert.recipients?.join(", ")}
        className="col-span-3"
      />
      <Input
        name="alertUrl"
        type={byWebhook(type) ? "url" : "hidden"}
        aria-label="URL of the webhook"
        placeholder="https://… ; the project's webhooks when empty"
        defaultValue={alert.webhookUrl ?? ""}
        className="col-span-3"
      />
    </li>
  );
}
