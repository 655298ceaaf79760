import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, dataOf, pageOf, type Schemas } from "@/api/client";
import type { Period } from "@/lib/period";

export type PriceView = Schemas["PriceView"];
export type PriceRule = Schemas["PriceRule"];
export type ModelMapping = Schemas["ModelMapping"];
export type RepricingView = Schemas["RepricingView"];

export const PAGE_ITEMS = 50;

export type CatalogQuestion = { search?: string | undefined; service?: string | undefined; at: string; page: number };

/** Rows of the catalog that hold at an instant. */
export const catalog = ({ search, service, at, page }: CatalogQuestion) =>
  queryOptions({
    queryKey: ["prices", "catalog", search, service, at, page],
    queryFn: ({ signal }) =>
      pageOf(
        api.GET("/api/prices", {
          params: {
            query: { page, limit: PAGE_ITEMS, at, ...(search ? { search } : {}), ...(service ? { service } : {}) },
          },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const pricesOf = (model: string) =>
  queryOptions({
    queryKey: ["prices", "model", model],
    queryFn: ({ signal }) => dataOf(api.GET("/api/prices/{model}", { params: { path: { model } }, signal })),
  });

export const getRules = async () => (await dataOf(api.GET("/api/prices/overrides"))).rules;
export const priceRules = () => queryOptions({ queryKey: ["prices", "rules"], queryFn: getRules });

/** A name that no rule has yet. */
export function freeRuleId(rules: readonly PriceRule[]): string {
  const taken = new Set(rules.map(({ id }) => id));
  let number = rules.length + 1;
  while (taken.has(`rule-${number}`)) number += 1;
  return `rule-${number}`;
}

export const replaceRules = (rules: PriceRule[]) => dataOf(api.PUT("/api/prices/overrides", { body: { rules } }));

export const getNames = async () => (await dataOf(api.GET("/api/prices/mappings"))).mappings;
export const modelNames = () => queryOptions({ queryKey: ["prices", "names"], queryFn: getNames });
export const replaceNames = (mappings: ModelMapping[]) =>
  dataOf(api.PUT("/api/prices/mappings", { body: { mappings } }));

export const revisions = () =>
  queryOptions({
    queryKey: ["prices", "revisions"],
    queryFn: ({ signal }) => dataOf(api.GET("/api/prices/revisions", { signal })),
  });

type Scope = { period: Period; timeZone: string; projectId?: string | undefined };

const bodyOf = ({ period, timeZone, projectId }: Scope) => ({
  startDate: period.start,
  endDate: period.end,
  timeZone,
  ...(projectId ? { projectId } : {}),
});

export type Candidate = Schemas["Candidate"];

export const simulation = (scope: Scope, candidates: Candidate[], models: string[] = []) =>
  queryOptions({
    queryKey: ["prices", "simulation", scope, candidates, models],
    queryFn: ({ signal }) =>
      dataOf(api.POST("/api/prices/simulate", { body: { ...bodyOf(scope), candidates, models }, signal })),
    placeholderData: keepPreviousData,
  });

export const reprice = (scope: Scope, apply: boolean) =>
  dataOf(api.POST("/api/prices/reprice", { body: { ...bodyOf(scope), apply } }));

export type ListFormat = "native" | "genai-prices" | "litellm";

export const importPrices = (file: Blob, format: ListFormat, version: string, dryRun: boolean) =>
  dataOf(
    api.POST("/api/prices/import", {
      params: { query: { format, dryRun, ...(version ? { version } : {}) } },
      body: file as never,
      bodySerializer: (body: unknown) => body as Blob,
      headers: { "content-type": "application/octet-stream" },
    }),
  );

/** `provider/model`; a provider's name has no slash. */
export function candidateOf(text: string): Candidate {
  const [service, ...rest] = text.split("/");
  return rest.length ? { service: service ?? "", model: rest.join("/") } : { model: text };
}
export const candidateText = ({ service, model }: Candidate): string => (service ? `${service}/${model}` : model);
