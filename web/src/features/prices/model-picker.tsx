import { useQuery } from "@tanstack/react-query";
import { type ComponentProps, useDeferredValue, useId, useState } from "react";
import { Input } from "@/components/ui/field";
import { today } from "@/lib/days";
import { candidateText, catalog } from "./queries";

/** A model of the catalog, as `provider/model`; what is typed is looked up. */
export function ModelPicker({ defaultValue = "", ...rest }: ComponentProps<"input"> & { defaultValue?: string }) {
  const id = useId();
  const [text, setText] = useState(defaultValue);
  const words = useDeferredValue(text.split("/").at(-1) ?? "");
  const found = useQuery({
    ...catalog({ search: words, at: `${today(new Date(), "UTC")}T00:00:00Z`, page: 1 }),
    enabled: words.length > 1,
  });
  const names = [
    ...new Set((found.data?.items ?? []).map(({ provider, model }) => candidateText({ service: provider, model }))),
  ];
  return (
    <>
      <Input
        {...rest}
        list={id}
        autoComplete="off"
        spellCheck={false}
        placeholder="openai/gpt-4o"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <datalist id={id}>
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </>
  );
}
