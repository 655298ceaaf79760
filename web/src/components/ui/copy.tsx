import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { classes } from "@/lib/classes";
import { Button } from "./button";
import { ScrollRegion } from "./scroll";

export function CopyButton({ text, label = "Copy", className }: { text: string; label?: string; className?: string }) {
  const [state, setState] = useState<"idle" | "done" | "failed">("idle");
  useEffect(() => {
    if (state === "idle") return;
    const timer = setTimeout(() => setState("idle"), 2_000);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setState("done"),
      () => setState("failed"),
    );
  };
  return (
    <Button size="small" className={classes(className)} onClick={copy}>
      {state === "done" ? <Check /> : <Copy />}
      <span aria-live="polite">{state === "done" ? "Copied" : state === "failed" ? "Select and copy" : label}</span>
    </Button>
  );
}

export function CodeBlock({ code, label }: { code: string; label: string }) {
  return (
    <div className="relative min-w-0 rounded-lg border bg-sunken">
      <CopyButton text={code} className="absolute top-2 right-2 z-10" />
      <ScrollRegion label={label} className="overflow-x-auto p-3 pr-24">
        <pre className="font-mono text-[12.5px] leading-relaxed">
          <code>{code}</code>
        </pre>
      </ScrollRegion>
    </div>
  );
}
