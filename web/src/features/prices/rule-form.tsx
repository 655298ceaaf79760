import { type FormEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Field, Input, Select } from "@/components/ui/field";
import { InlineFailure } from "@/components/ui/states";
import { Segments } from "@/components/ui/tabs";
import type { Project } from "@/services/project.service";
import type { PriceRule } from "./queries";
import { RateFields, ratesOf } from "./rate-fields";

type Kind = "discount" | "margin" | "rates";

const kindOf = (rule: PriceRule | undefined): Kind =>
  rule?.rates ? "rates" : rule?.marginBasisPoints != null ? "margin" : "discount";

/** `12.5` percent are 1250 basis points. */
export const basisPoints = (percent: string): number => Math.round(Number(percent) * 100);

function ruleOf(form: FormData, kind: Kind, rule: PriceRule | undefined): PriceRule {
  const said = (name: string) => String(form.get(name) ?? "").trim();
  const day = (name: string) => (said(name) ? { [name]: `${said(name)}T00:00:00Z` } : {});
  return {
    id: said("id"),
    ...(rule?.userId ? { userId: rule.userId } : {}),
    ...(said("projectId") ? { projectId: said("projectId") } : {}),
    ...(said("service") ? { service: said("service") } : {}),
    ...(said("model") ? { model: said("model") } : {}),
    ...day("validFrom"),
    ...day("validUntil"),
    ...(said("note") ? { note: said("note") } : {}),
    ...(kind === "discount" ? { discountBasisPoints: basisPoints(said("percent")) } : {}),
    ...(kind === "margin" ? { marginBasisPoints: basisPoints(said("percent")) } : {}),
    ...(kind === "rates" ? { rates: ratesOf(form) as never } : {}),
  };
}

type Props = {
  rule: PriceRule | undefined;
  /** How a new rule is called, unless somebody knows better. */
  newId: string;
  projects: Project[];
  busy: boolean;
  failure: Error | null;
  onSave: (rule: PriceRule) => void;
};

/** A rule of the operator: which calls, when, and how much. */
export function RuleForm({ rule, newId, projects, busy, failure, onSave }: Props) {
  const [kind, setKind] = useState<Kind>(kindOf(rule));
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onSave(ruleOf(new FormData(event.currentTarget), kind, rule));
  };
  const percent = (rule?.discountBasisPoints ?? rule?.marginBasisPoints ?? undefined) as number | undefined;
  return (
    <form onSubmit={submit} className="grid gap-4 sm:grid-cols-2">
      <Field label="Name" className="sm:col-span-2">
        {(parts) => <Input {...parts} name="id" required autoComplete="off" defaultValue={rule?.id ?? newId} />}
      </Field>
      <Field label="For">
        {(parts) => (
          <Select {...parts} name="projectId" defaultValue={rule?.projectId ?? ""}>
            <option value="">{rule?.userId ? `account ${rule.userId}` : "Everybody"}</option>
            {projects.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="Provider">
        {(parts) => <Input {...parts} name="service" placeholder="any" defaultValue={rule?.service ?? ""} />}
      </Field>
      <Field label="Model" hint="A * at the end stands for any ending." className="sm:col-span-2">
        {(parts) => <Input {...parts} name="model" placeholder="any" defaultValue={rule?.model ?? ""} />}
      </Field>
      <div className="sm:col-span-2">
        <Segments
          label="What it does"
          value={kind}
          onChange={setKind}
          choices={[
            { value: "discount", name: "Discount" },
            { value: "margin", name: "Margin" },
            { value: "rates", name: "Own rates" },
          ]}
        />
      </div>
      {kind === "rates" ? (
        <RateFields rates={rule?.rates as Record<string, unknown> | undefined} />
      ) : (
        <Field label={kind === "discount" ? "Percent less" : "Percent more"} className="sm:col-span-2">
          {(parts) => (
            <Input
              {...parts}
              name="percent"
              type="number"
              min={0.01}
              max={kind === "discount" ? 100 : 10_000}
              step={0.01}
              required
              defaultValue={percent === undefined ? undefined : percent / 100}
            />
          )}
        </Field>
      )}
      <Field label="From">
        {(parts) => (
          <Input {...parts} type="date" name="validFrom" defaultValue={rule?.validFrom?.slice(0, 10) ?? ""} />
        )}
      </Field>
      <Field label="Until (not included)">
        {(parts) => (
          <Input {...parts} type="date" name="validUntil" defaultValue={rule?.validUntil?.slice(0, 10) ?? ""} />
        )}
      </Field>
      <Field label="Why" className="sm:col-span-2">
        {(parts) => <Input {...parts} name="note" placeholder="contract, invoice" defaultValue={rule?.note ?? ""} />}
      </Field>
      <div className="sm:col-span-2">
        <InlineFailure failure={failure} />
      </div>
      <div className="flex justify-end sm:col-span-2">
        <Button type="submit" look="primary" busy={busy}>
          Save
        </Button>
      </div>
    </form>
  );
}
