import { useState } from "react";
import { CodeBlock } from "@/components/ui/copy";
import { Segments } from "@/components/ui/tabs";
import { EXAMPLES, serverUrl } from "@/lib/snippets";

const PLACEHOLDER = "aict_YOUR_KEY";

type Props = {
  apiKey?: string | undefined;
  projectId?: string | undefined;
  chosen?: string | undefined;
  onChoose?: (id: string) => void;
};

/** Code that works as it is, once the key is in it. */
export function ExamplePicker({ apiKey, projectId, chosen, onChoose }: Props) {
  const [own, setOwn] = useState("curl");
  const id = chosen ?? own;
  const example = EXAMPLES.find((one) => one.id === id) ?? EXAMPLES[0];
  if (!example) return null;
  return (
    <div className="min-w-0">
      <Segments
        label="Example"
        className="mb-2"
        value={example.id}
        onChange={onChoose ?? setOwn}
        choices={EXAMPLES.map(({ id: value, name }) => ({ value, name }))}
      />
      <CodeBlock
        label={`Example: ${example.name}`}
        code={example.code({ baseUrl: serverUrl(), apiKey: apiKey ?? PLACEHOLDER, projectId })}
      />
    </div>
  );
}
