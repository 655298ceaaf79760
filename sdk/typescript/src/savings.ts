/** What an optimization saved or would save, by the tracker's own price catalog. */

import type { Change, TextOptimization } from "./prompt.js";
import type { Message, TokenCounts } from "./providers.js";
import type { Tracker } from "./tracker.js";
import type { Estimate, Price } from "./types.js";

export interface Optimization {
  type: TextOptimization | "cheaperModel";
  /** Whether the call was made with it; a cheaper model is only suggested. */
  applied: boolean;
  charactersSaved?: number;
  /** Null where the tracker could not say. */
  tokensSaved?: number | null;
  /** US dollars; null where the tracker could not say. */
  costSaved?: number | null;
  /** The model that is suggested. */
  model?: string;
}

const PAGES_MAX = 5;
/** Kinds of models that do not answer a chat, or need another API for it. */
const OTHER_KINDS =
  /audio|realtime|search|embed|image|tts|transcribe|instruct|live|vision|codex|computer|deep-research/;

const lengthOf = (messages: Message[]) => messages.reduce((length, { content }) => length + content.length, 0);
const textOf = (messages: Message[]) => messages.map(({ content }) => content).join("\n");
/** The difference of two amounts of nano-dollars' precision. */
const difference = (more: number, less: number) => Number((more - less).toFixed(9));

export interface Priced {
  service: string;
  model: string;
}

/** What a change saved, as far as it is known without the tracker. */
export function unpriced({ type, before, after }: Change): Optimization {
  const charactersSaved = lengthOf(before) - lengthOf(after);
  if (charactersSaved === 0) return { type, applied: true, charactersSaved };
  return { type, applied: true, charactersSaved, tokensSaved: null, costSaved: null };
}

/** What a change of the prompt saved. */
export async function savingOf(
  tracker: Tracker | undefined,
  { service, model }: Priced,
  change: Change,
): Promise<Optimization> {
  const saved = unpriced(change);
  if (saved.charactersSaved === 0) return saved;
  try {
    const estimate = (messages: Message[]) =>
      tracker?.post<Estimate>("/prices/estimate", { service, model, prompt: textOf(messages) });
    const [before, after] = await Promise.all([estimate(change.before), estimate(change.after)]);
    const tokens = [inputTokens(before), inputTokens(after)] as const;
    const isKnown = typeof before?.cost === "number" && typeof after?.cost === "number";
    return {
      ...saved,
      tokensSaved: tokens[0] === null || tokens[1] === null ? null : tokens[0] - tokens[1],
      costSaved: isKnown ? difference(before.cost as number, after.cost as number) : null,
    };
  } catch {
    return saved;
  }
}

function inputTokens(estimate: Estimate | undefined): number | null {
  const items = estimate?.costExplanation?.items ?? [];
  const input = items.filter(({ unit }) => unit === "input_tokens");
  return input.length === 0 ? null : input.reduce((sum, { count }) => sum + count, 0);
}

/** The model that would have cost least for the same tokens, if it is another one. */
export async function cheaperModel(
  tracker: Tracker,
  { service, model }: Priced,
  counts: TokenCounts,
  among: string[] | undefined,
): Promise<Optimization | undefined> {
  try {
    const candidates = among ?? (await familyOf(tracker, service, model, counts));
    const call = { service, promptTokens: counts.promptTokens, completionTokens: counts.completionTokens };
    const cost = async (name: string) =>
      (await tracker.post<Estimate>("/prices/estimate", { ...call, model: name })).cost;
    const [own, ...others] = await Promise.all([model, ...candidates].map(cost));
    if (typeof own !== "number") return undefined;
    let best: Optimization | undefined;
    others.forEach((other, index) => {
      if (typeof other !== "number" || other >= own) return;
      const costSaved = difference(own, other);
      if (costSaved > (best?.costSaved ?? 0)) {
        best = { type: "cheaperModel", applied: false, model: candidates[index] as string, costSaved };
      }
    });
    return best;
  } catch {
    return undefined;
  }
}

/** The model of the same family that costs least by its listed rates; the first word of a name is its family. */
async function familyOf(tracker: Tracker, service: string, model: string, counts: TokenCounts): Promise<string[]> {
  const family = /^[a-z.]+/i.exec(model)?.[0] ?? model;
  const rates: [model: string, rate: number][] = [];
  for (let page = 1; page <= PAGES_MAX; page += 1) {
    const rows = await tracker.get<Price[]>("/prices", { service, search: family, page, limit: 100 });
    for (const row of rows) {
      const rate = rateOf(row, counts);
      if (row.model.startsWith(`${family}-`) && !OTHER_KINDS.test(row.model) && rate !== undefined)
        rates.push([row.model, rate]);
    }
    if (rows.length < 100) break;
  }
  const [cheapest] = rates.sort(([, a], [, b]) => a - b);
  return cheapest && cheapest[0] !== model ? [cheapest[0]] : [];
}

/** How dear a row is for such a call; only to compare. */
function rateOf(row: Price, counts: TokenCounts): number | undefined {
  const isPast = row.validUntil !== null && row.validUntil !== undefined;
  const [input, output] = [row.rates.input_tokens?.[0]?.rate, row.rates.output_tokens?.[0]?.rate];
  if (isPast || Object.keys(row.conditions).length > 0 || input === undefined || output === undefined) return undefined;
  return Number(input) * (counts.promptTokens ?? 0) + Number(output) * (counts.completionTokens ?? 0);
}
