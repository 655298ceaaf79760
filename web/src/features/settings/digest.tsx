import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, dataOf, type Schemas } from "@/api/client";
import { isTimeZone, usePreferences } from "@/app/preferences";
import { Button } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { Field, Input, Select } from "@/components/ui/field";
import { Loaded } from "@/components/ui/loaded";
import { InlineFailure } from "@/components/ui/states";
import { toast } from "@/components/ui/toasts";

const route = getRouteApi("/settings");

type DigestSettings = Schemas["DigestSettings"];

const digest = () =>
  queryOptions({ queryKey: ["digest"], queryFn: ({ signal }) => dataOf(api.GET("/api/user/digest", { signal })) });
const preview = () =>
  queryOptions({
    queryKey: ["digest", "preview"],
    queryFn: ({ signal }) => dataOf(api.GET("/api/user/digest/preview", { signal })),
  });

const FREQUENCIES: Record<DigestSettings["frequency"], string> = {
  off: "Never",
  weekly: "Every Monday",
  monthly: "On the first of the month",
};

/** What one is told regularly, and what the last one says. */
export function DigestSettingsCard() {
  const known = useQuery(digest());
  const { preview: shown } = route.useSearch();
  const navigate = route.useNavigate();
  const toggle = () =>
    void navigate({ search: (old) => ({ ...old, preview: shown ? undefined : "digest" }), resetScroll: false });
  return (
    <Card>
      <CardHead
        title="Digest"
        hint="What was spent in your projects, at seven in the morning: by e-mail, and to your webhooks for cost.digest."
      >
        <Button size="small" aria-expanded={Boolean(shown)} onClick={toggle}>
          {shown ? "Hide the preview" : "Preview"}
        </Button>
      </CardHead>
      <Loaded query={known} skeleton="h-[245px] sm:h-[155px]" className="px-4 pb-4 sm:px-5">
        {(settings) => <DigestForm key={JSON.stringify(settings)} settings={settings} />}
      </Loaded>
      {shown && <Preview />}
    </Card>
  );
}

function DigestForm({ settings }: { settings: DigestSettings }) {
  const client = useQueryClient();
  const { timeZone: mine = "UTC" } = usePreferences();
  const [problem, setProblem] = useState<string>();
  const save = useMutation({
    mutationFn: (body: DigestSettings) => dataOf(api.PUT("/api/user/digest", { body })),
    onSuccess(kept) {
      toast(kept.frequency === "off" ? "No digest is sent." : "Saved.");
      client.setQueryData(digest().queryKey, kept);
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["digest"] }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const timeZone = String(form.get("digestZone")).trim();
    const isKnown = isTimeZone(timeZone);
    setProblem(isKnown ? undefined : `There is no time zone “${timeZone}”.`);
    if (isKnown) save.mutate({ frequency: form.get("frequency") as DigestSettings["frequency"], timeZone });
  };
  return (
    <form onSubmit={submit} className="grid gap-4 sm:grid-cols-2">
      <Field label="How often" hint="Without a mail server of this installation it goes to webhooks only.">
        {(parts) => (
          <Select {...parts} name="frequency" defaultValue={settings.frequency}>
            {Object.entries(FREQUENCIES).map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="Time zone of its days" hint="An IANA name: Europe/Berlin." problem={problem}>
        {(parts) => (
          <Input
            {...parts}
            name="digestZone"
            required
            defaultValue={settings.frequency === "off" ? mine : (settings.timeZone ?? "UTC")}
          />
        )}
      </Field>
      <div className="sm:col-span-2">
        <InlineFailure failure={save.error} />
      </div>
      <div className="flex justify-end sm:col-span-2">
        <Button type="submit" look="primary" busy={save.isPending}>
          Save the digest
        </Button>
      </div>
    </form>
  );
}

/** The e-mail as it would be, line by line. */
function Preview() {
  const known = useQuery(preview());
  return (
    <Loaded query={known} skeleton="h-96" className="border-t px-4 py-4 sm:px-5">
      {({ title, lines }) => (
        <section aria-label="Preview of the digest" className="rounded-lg border bg-sunken p-4">
          <h3 className="mb-2 font-semibold break-words">{title}</h3>
          <p className="nums text-[13px] leading-relaxed break-words whitespace-pre-line">{lines.join("\n")}</p>
        </section>
      )}
    </Loaded>
  );
}
