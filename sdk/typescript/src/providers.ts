/** How `optimize` asks each provider, and where its reply has text and counts. */

import { isObject, type JsonObject } from "./reply.js";
import { type AwsCredentials, signed } from "./sigv4.js";

export type Provider = "openai" | "anthropic" | "google" | "bedrock";

export interface Message {
  role: "system" | "user" | "assistant";
  content: string;
}

/** What is asked, whoever answers. */
export interface Ask {
  model: string;
  messages: Message[];
  maxTokens?: number | undefined;
  temperature?: number | undefined;
  /** Fields that go into the provider's request as they are. */
  extra?: Record<string, unknown> | undefined;
}

/** Tokens in and out, cached and reasoning ones included; null where nobody counted. */
export interface TokenCounts {
  promptTokens: number | null;
  completionTokens: number | null;
  totalTokens: number | null;
}

interface Dialect {
  baseUrl(region: string): string;
  path(model: string): string;
  headers(apiKey: string): Record<string, string>;
  body(ask: Ask): Record<string, unknown>;
  text(reply: JsonObject): string;
  /** Input and output, in the provider's own terms brought to totals. */
  counts(reply: JsonObject): [input: unknown[], output: unknown[]];
}

/** Anthropic insists on a limit. */
const ANTHROPIC_TOKENS_MAX = 4096;

const at = (value: unknown, ...path: (string | number)[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as JsonObject | undefined)?.[key as string], value);
const texts = (parts: unknown): string =>
  Array.isArray(parts)
    ? parts.map((part) => (isObject(part) && typeof part.text === "string" ? part.text : "")).join("")
    : "";
const systemOf = (ask: Ask) => ask.messages.filter(({ role }) => role === "system").map(({ content }) => content);
const turnsOf = (ask: Ask) => ask.messages.filter(({ role }) => role !== "system");
const bearer = (apiKey: string) => ({ authorization: `Bearer ${apiKey}` });

const DIALECTS: Record<Provider, Dialect> = {
  openai: {
    baseUrl: () => "https://api.openai.com/v1",
    path: () => "/chat/completions",
    headers: bearer,
    body: ({ model, messages, maxTokens, temperature }) => ({
      model,
      messages,
      max_completion_tokens: maxTokens,
      temperature,
    }),
    text: (reply) => String(at(reply, "choices", 0, "message", "content") ?? ""),
    counts: ({ usage }) => [[at(usage, "prompt_tokens")], [at(usage, "completion_tokens")]],
  },
  anthropic: {
    baseUrl: () => "https://api.anthropic.com",
    path: () => "/v1/messages",
    headers: (apiKey) => ({ "x-api-key": apiKey, "anthropic-version": "2023-06-01" }),
    body: (ask) => ({
      model: ask.model,
      max_tokens: ask.maxTokens ?? ANTHROPIC_TOKENS_MAX,
      temperature: ask.temperature,
      system: systemOf(ask).join("\n\n") || undefined,
      messages: turnsOf(ask),
    }),
    text: (reply) => texts(reply.content),
    counts: ({ usage }) => [
      ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"].map((key) => at(usage, key)),
      [at(usage, "output_tokens")],
    ],
  },
  google: {
    baseUrl: () => "https://generativelanguage.googleapis.com",
    path: (model) => `/v1beta/models/${encodeURIComponent(model)}:generateContent`,
    headers: (apiKey) => ({ "x-goog-api-key": apiKey }),
    body: (ask) => {
      const system = systemOf(ask).map((text) => ({ text }));
      return {
        systemInstruction: system.length > 0 ? { parts: system } : undefined,
        contents: turnsOf(ask).map(({ role, content }) => ({
          role: role === "assistant" ? "model" : "user",
          parts: [{ text: content }],
        })),
        generationConfig: { maxOutputTokens: ask.maxTokens, temperature: ask.temperature },
      };
    },
    text: (reply) => texts(at(reply, "candidates", 0, "content", "parts")),
    counts: ({ usageMetadata }) => [
      [at(usageMetadata, "promptTokenCount"), at(usageMetadata, "toolUsePromptTokenCount")],
      [at(usageMetadata, "candidatesTokenCount"), at(usageMetadata, "thoughtsTokenCount")],
    ],
  },
  bedrock: {
    baseUrl: (region) => `https://bedrock-runtime.${region}.amazonaws.com`,
    path: (model) => `/model/${encodeURIComponent(model)}/converse`,
    headers: bearer,
    body: (ask) => {
      const system = systemOf(ask).map((text) => ({ text }));
      return {
        system: system.length > 0 ? system : undefined,
        messages: turnsOf(ask).map(({ role, content }) => ({ role, content: [{ text: content }] })),
        inferenceConfig: { maxTokens: ask.maxTokens, temperature: ask.temperature },
      };
    },
    text: (reply) => texts(at(reply, "output", "message", "content")),
    counts: ({ usage }) => [
      ["inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"].map((key) => at(usage, key)),
      [at(usage, "outputTokens")],
    ],
  },
};

export interface ProviderRequest {
  url: URL;
  body: Record<string, unknown>;
  init: { method: "POST"; headers: Record<string, string>; body: string };
}

export interface ProviderAccess {
  provider: Provider;
  apiKey: string | AwsCredentials;
  region: string;
  baseUrl?: string | undefined;
}

/** The request as the provider takes it. */
export async function requestOf(access: ProviderAccess, ask: Ask, at: Date): Promise<ProviderRequest> {
  const dialect = DIALECTS[access.provider];
  const base = access.baseUrl ?? dialect.baseUrl(access.region);
  const url = new URL(base.replace(/\/+$/, "") + dialect.path(ask.model));
  const body = { ...dialect.body(ask), ...ask.extra };
  const text = JSON.stringify(body);
  const headers = { "content-type": "application/json" };
  const authorized =
    typeof access.apiKey === "string"
      ? { ...headers, ...dialect.headers(access.apiKey) }
      : await signed(url, headers, text, { credentials: access.apiKey, region: access.region, at });
  return { url, body, init: { method: "POST", headers: authorized, body: text } };
}

export const textOf = (provider: Provider, reply: JsonObject): string => DIALECTS[provider].text(reply);

export function countsOf(provider: Provider, reply: JsonObject): TokenCounts {
  const sum = (parts: unknown[]): number | null => {
    const counted = parts.filter((part) => typeof part === "number");
    return counted.length > 0 ? counted.reduce((total, part) => total + part, 0) : null;
  };
  const [promptTokens, completionTokens] = DIALECTS[provider].counts(reply).map(sum) as [number | null, number | null];
  const totalTokens =
    promptTokens === null && completionTokens === null ? null : (promptTokens ?? 0) + (completionTokens ?? 0);
  return { promptTokens, completionTokens, totalTokens };
}
