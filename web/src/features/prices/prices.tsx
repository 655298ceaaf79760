import { getRouteApi } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { currentSession } from "@/api/session";
import { isAdministrator } from "@/app/places";
import type { PRICE_TABS } from "@/app/router";
import { PageHead } from "@/components/ui/card";
import { Tabs } from "@/components/ui/tabs";
import { Catalog } from "./catalog";
import { ImportPrices } from "./import-prices";
import { ModelPage } from "./model-page";
import { Names } from "./names";
import { Overrides } from "./overrides";
import { Repricing } from "./repricing";
import { Revisions } from "./revisions";
import { Simulator } from "./simulator";
import { Unpriced } from "./unpriced";

const route = getRouteApi("/prices");

type Tab = (typeof PRICE_TABS)[number];

const TABS: { id: Tab; name: string; administrators?: boolean; content: () => ReactNode }[] = [
  { id: "catalog", name: "Catalog", content: () => <Catalog /> },
  { id: "unpriced", name: "Without a price", content: () => <Unpriced /> },
  { id: "simulate", name: "What if", content: () => <Simulator /> },
  { id: "overrides", name: "Own prices", administrators: true, content: () => <Overrides /> },
  { id: "names", name: "Names", content: () => <Names /> },
  { id: "import", name: "Import", administrators: true, content: () => <ImportPrices /> },
  { id: "reprice", name: "Reprice", administrators: true, content: () => <Repricing /> },
  { id: "changes", name: "Changes", administrators: true, content: () => <Revisions /> },
];

/** What models cost, and what the operator knows better. */
export function Prices() {
  const { model, tab } = route.useSearch();
  const navigate = route.useNavigate();
  const session = currentSession();
  if (model) return <ModelPage model={model} />;
  const mayChange = session.state === "in" && isAdministrator(session.user);
  const tabs = TABS.filter(({ administrators }) => mayChange || !administrators);
  return (
    <>
      <PageHead title="Models and prices" hint="What providers charge, with dates; and what you know better." />
      <Tabs
        label="Parts of the prices"
        tabs={tabs}
        value={tabs.find(({ id }) => id === tab)?.id ?? "catalog"}
        onChange={(id) => void navigate({ search: { tab: id === "catalog" ? undefined : (id as Tab) } })}
      />
    </>
  );
}
