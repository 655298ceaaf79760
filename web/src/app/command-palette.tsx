import { useQuery } from "@tanstack/react-query";
import { useNavigate, useRouter } from "@tanstack/react-router";
import { Command, defaultFilter } from "cmdk";
import {
  Bookmark,
  ChartColumnStacked,
  FolderKanban,
  FolderPlus,
  Gauge,
  KeyRound,
  Moon,
  ReceiptText,
  Search,
  Sun,
} from "lucide-react";
import { Dialog } from "radix-ui";
import { type ReactNode, useState } from "react";
import { analyticsOf, projects } from "@/api/queries";
import type { User } from "@/api/session";
import { type BudgetView, budgets } from "@/features/budgets/queries";
import { addDays, today } from "@/lib/days";
import { keyOf } from "@/lib/series";
import { mayRecord, placesFor } from "./places";
import { usePreferences, useTimeZone } from "./preferences";
import { chooseTheme } from "./theme";

const IN_RECORDS = "find in records: ";

/** What is called so comes first; to look in the records is always possible, and the last resort. */
const rank = (value: string, words: string): number =>
  value.startsWith(IN_RECORDS) ? Number.MIN_VALUE : defaultFilter(value, words);

export default function CommandPalette({ user, onClose }: { user: User; onClose: () => void }) {
  const navigate = useNavigate();
  const router = useRouter();
  const { savedViews } = usePreferences();
  const { data: known = [] } = useQuery(projects());
  const [text, setText] = useState("");
  const run = (work: () => void) => () => {
    onClose();
    work();
  };
  const words = text.trim();
  const { budgets: ofBudgets, models } = useNamedThings(words !== "");
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/45" />
        <Dialog.Content className="arrive fixed inset-x-3 top-[12dvh] z-50 mx-auto max-w-lg overflow-hidden rounded-xl border bg-surface shadow-2xl outline-none">
          <Dialog.Title className="sr-only">Search and commands</Dialog.Title>
          <Dialog.Description className="sr-only">
            Type to find a page, a project, a budget, a model or a command
          </Dialog.Description>
          <Command loop label="Commands" filter={rank}>
            <div className="flex items-center gap-2 border-b px-4">
              <Search className="size-4 text-muted" />
              <Command.Input
                value={text}
                onValueChange={setText}
                placeholder="Go to a page, a project, a budget, a model, or find records…"
                className="h-12 flex-1 bg-transparent outline-none placeholder:text-muted"
              />
            </div>
            <Command.List className="max-h-[55dvh] overflow-y-auto p-2 [&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-muted">
              <Command.Empty className="p-4 text-center text-muted">Nothing of that name.</Command.Empty>
              <Command.Group heading="Pages">
                {placesFor(user).map(({ to, name, key, icon: Icon }) => (
                  <Item key={to} icon={<Icon />} hint={`g ${key}`} onSelect={run(() => void navigate({ to }))}>
                    {name}
                  </Item>
                ))}
              </Command.Group>
              {savedViews.length > 0 && (
                <Command.Group heading="Saved views">
                  {savedViews.map((view) => (
                    <Item
                      key={view.name}
                      icon={<Bookmark />}
                      value={`view ${view.name}`}
                      onSelect={run(() => router.history.push(view.url))}
                    >
                      {view.name}
                    </Item>
                  ))}
                </Command.Group>
              )}
              <Command.Group heading="Projects">
                {known.map(({ id, name }) => (
                  <Item
                    key={id}
                    icon={<FolderKanban />}
                    value={`${name} ${id}`}
                    onSelect={run(() => void navigate({ to: "/projects", search: { project: id } }))}
                  >
                    {name}
                  </Item>
                ))}
              </Command.Group>
              {ofBudgets.length > 0 && (
                <Command.Group heading="Budgets">
                  {ofBudgets.map(({ id, name }) => (
                    <Item
                      key={id}
                      icon={<Gauge />}
                      value={`budget ${name} ${id}`}
                      onSelect={run(() => void navigate({ to: "/budgets/$budgetId", params: { budgetId: id } }))}
                    >
                      {name}
                    </Item>
                  ))}
                </Command.Group>
              )}
              {models.length > 0 && (
                <Command.Group heading="Models">
                  {models.map((model) => (
                    <Item
                      key={model}
                      icon={<ChartColumnStacked />}
                      value={`model ${model}`}
                      onSelect={run(
                        () => void navigate({ to: "/explorer", search: { model: [model], by: "project" } }),
                      )}
                    >
                      {model}
                    </Item>
                  ))}
                </Command.Group>
              )}
              <Command.Group heading="Commands">
                {mayRecord(user) && (
                  <Item
                    icon={<FolderPlus />}
                    onSelect={run(() => void navigate({ to: "/projects", search: { new: "yes" } }))}
                  >
                    New project
                  </Item>
                )}
                <Item icon={<KeyRound />} onSelect={run(() => void navigate({ to: "/settings", search: {} }))}>
                  Manage keys
                </Item>
                <Item icon={<Sun />} onSelect={run(() => chooseTheme("light"))}>
                  Light theme
                </Item>
                <Item icon={<Moon />} onSelect={run(() => chooseTheme("dark"))}>
                  Dark theme
                </Item>
              </Command.Group>
              {words && (
                <Command.Group forceMount heading="Records">
                  <Item
                    forceMount
                    icon={<ReceiptText />}
                    value={`${IN_RECORDS}${words}`}
                    onSelect={run(() => void navigate({ to: "/records", search: { search: words } }))}
                  >
                    Find “{words}” in records
                  </Item>
                </Command.Group>
              )}
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

const MODELS_DAYS = 30;
const MODELS_MAX = 100;

/** What can be found by its name once something is typed: the list without a word stays short. */
function useNamedThings(enabled: boolean): { budgets: readonly BudgetView[]; models: readonly string[] } {
  const timeZone = useTimeZone();
  const end = today(new Date(), timeZone);
  const period = { start: addDays(end, 1 - MODELS_DAYS), end };
  const ofBudgets = useQuery({ ...budgets(), enabled });
  const ofModels = useQuery({
    ...analyticsOf({ period, timeZone, by: ["model"], metric: "requests", limit: MODELS_MAX }, ["groups"]),
    enabled,
  });
  if (!enabled) return { budgets: [], models: [] };
  return {
    budgets: ofBudgets.data ?? [],
    models: (ofModels.data?.groups ?? []).flatMap((group) => keyOf(group, "model") ?? []),
  };
}

type ItemProps = {
  icon: ReactNode;
  children: ReactNode;
  hint?: string;
  value?: string;
  forceMount?: boolean;
  onSelect: () => void;
};

function Item({ icon, children, hint, ...rest }: ItemProps) {
  return (
    <Command.Item
      {...rest}
      className="flex cursor-pointer items-center gap-2.5 rounded-lg px-2 py-2 data-[selected=true]:bg-sunken [&_svg]:size-4 [&_svg]:text-muted"
    >
      {icon}
      <span className="flex-1 truncate">{children}</span>
      {hint && <kbd className="font-sans text-xs text-muted">{hint}</kbd>}
    </Command.Item>
  );
}
