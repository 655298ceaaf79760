import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { CodeBlock } from "@/components/ui/copy";
import { environmentOf } from "@/lib/snippets/examples";
import { serverUrl } from "@/lib/snippets/filling";
import { PLACEHOLDER } from "./examples";

const STEPS: { title: string; text: ReactNode }[] = [
  {
    title: "A tracker key",
    text: (
      <>
        <Link to="/settings" className="font-medium text-accent-text hover:underline">
          Make one
        </Link>{" "}
        for each program, with no more than it needs: to record calls is enough for most. It is shown once.
      </>
    ),
  },
  {
    title: "A project, if costs are to be told apart",
    text: (
      <>
        <Link to="/projects" search={{ new: "yes" }} className="font-medium text-accent-text hover:underline">
          Make one
        </Link>
        , give it a budget, and put its id into the calls; or into the key, for calls that name none.
      </>
    ),
  },
  {
    title: "A way",
    text: "Change the base URL of the provider's own SDK and calls go through the gateway, which can hold them back when a budget is used up. Or send afterwards what was used, or have your traces exported here.",
  },
];

/** What a program needs before its first call. */
export function SetUp({ apiKey = PLACEHOLDER }: { apiKey?: string | undefined }) {
  return (
    <div className="grid min-w-0 grid-cols-1 gap-4">
      <ol className="grid list-decimal gap-2 pl-5">
        {STEPS.map(({ title, text }) => (
          <li key={title}>
            <span className="font-medium">{title}.</span> {text}
          </li>
        ))}
      </ol>
      <CodeBlock
        label="Environment variables of the set-up"
        code={environmentOf({ baseUrl: serverUrl(), apiKey, projectId: undefined })}
      />
    </div>
  );
}
