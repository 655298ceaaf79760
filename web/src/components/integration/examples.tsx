import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { providerKeys } from "@/api/queries";
import { CodeBlock } from "@/components/ui/copy";
import { Select } from "@/components/ui/field";
import { Segments } from "@/components/ui/tabs";
import { WAYS, wayOf } from "@/lib/snippets/examples";
import { serverUrl } from "@/lib/snippets/filling";
import { ProviderKeyForm } from "./provider-keys";

export const PLACEHOLDER = "aict_YOUR_KEY";

type Props = {
  apiKey?: string | undefined;
  projectId?: string | undefined;
  chosen?: string | undefined;
  onChoose?: (id: string) => void;
};

/** Code that works as it is, once the key is in it: first the way, then the language. */
export function ExamplePicker({ apiKey, projectId, chosen, onChoose }: Props) {
  const [own, setOwn] = useState("curl");
  const choose = onChoose ?? setOwn;
  const way = wayOf(chosen ?? own) ?? WAYS[0];
  const example = way?.examples.find(({ id }) => id === (chosen ?? own)) ?? way?.examples[0];
  if (!way || !example) return null;
  return (
    <div className="grid min-w-0 grid-cols-1 gap-2">
      <div className="flex min-w-0 flex-wrap items-center gap-2">
        <Segments
          label="Way"
          value={way.id}
          onChange={(id) => choose(WAYS.find((one) => one.id === id)?.examples[0]?.id ?? example.id)}
          choices={WAYS.map(({ id: value, name }) => ({ value, name }))}
        />
        <Select
          aria-label="Example"
          className="h-8 w-auto py-0"
          value={example.id}
          onChange={(event) => choose(event.target.value)}
        >
          {way.examples.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Select>
      </div>
      <p className="text-[13px] text-muted">{way.hint}</p>
      {way.id === "gateway" && <ProviderKeyFirst />}
      <CodeBlock
        label={`Example: ${way.name}, ${example.name}`}
        code={example.code({ baseUrl: serverUrl(), apiKey: apiKey ?? PLACEHOLDER, projectId })}
      />
    </div>
  );
}

/** Without a provider's key the gateway has nothing to forward calls with. */
function ProviderKeyFirst() {
  const { data: kept } = useQuery(providerKeys());
  if (kept?.length !== 0) return null;
  return (
    <div className="rounded-lg bg-accent-soft px-3 pt-3">
      <p className="mb-2 font-medium">
        First, the provider's own key. It is kept encrypted, and used by the gateway only.
      </p>
      <ProviderKeyForm />
    </div>
  );
}
