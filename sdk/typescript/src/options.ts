/** What the optimizer is told, and what it takes from the environment. */

import type { SendTexts } from "./call.js";
import type { Clock } from "./clock.js";
import type { Fetch } from "./fetch.js";
import type { Optimizations } from "./prompt.js";
import type { Provider } from "./providers.js";
import type { QueueOptions } from "./queue.js";
import type { AwsCredentials } from "./sigv4.js";

export interface AICostOptimizerOptions {
  /** The provider's key, for `optimize`. For Bedrock an API key or credentials. Else `OPENAI_API_KEY` and its likes. */
  apiKey?: string | AwsCredentials;
  /** `openai` unless told otherwise. */
  provider?: Provider;
  /** The provider's address, if it is not the provider's own: a proxy, a gateway, a compatible server. */
  providerUrl?: string;
  /** Whether calls are told to the tracker; `true` unless told otherwise. */
  trackUsage?: boolean;
  /** Project of calls that name none. Else `PROJECT_ID`. */
  defaultProjectId?: string;
  /** The tracker: its address (else `API_KEY`, as the guide has it) and a tracker key (else `AICT_API_KEY`). */
  dashboardConfig?: { baseUrl?: string; apiKey?: string };
  /** What `optimize` may do to a prompt; nothing unless told. */
  optimizations?: boolean | Optimizations;
  /** Whether texts go to the tracker; only for calls whose tokens nobody counted unless told otherwise. */
  sendTexts?: SendTexts;
  /** How long the tracker may take to answer; 10 seconds unless told otherwise. */
  timeoutMs?: number;
  /** How long `optimize` waits for the cost at most, once the provider has answered; 3 seconds unless told otherwise. */
  costWaitMs?: number;
  /** Bounds of the queue. */
  queue?: Partial<Omit<QueueOptions, "onProblem">>;
  /** Told once when records are lost, and how many when it is closed; `console.warn` unless told otherwise. */
  onProblem?: (message: string) => void;
  /** Instead of the global `fetch`. */
  fetch?: Fetch;
  /** Instead of the system's time and chance. */
  clock?: Clock;
}

const DEFAULT_BASE_URL = "http://localhost:8000/api";
const DEFAULT_REGION = "us-east-1";

export const QUEUE_DEFAULTS = { recordsMax: 10_000, batchMax: 100, intervalMs: 1_000, closeMs: 5_000 };

const PROVIDER_KEYS: Record<Provider, string[]> = {
  openai: ["OPENAI_API_KEY"],
  anthropic: ["ANTHROPIC_API_KEY"],
  google: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
  bedrock: ["AWS_BEARER_TOKEN_BEDROCK"],
};

const PROVIDER_URLS: Partial<Record<Provider, string>> = {
  openai: "OPENAI_BASE_URL",
  anthropic: "ANTHROPIC_BASE_URL",
  google: "GOOGLE_GEMINI_BASE_URL",
  bedrock: "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
};

export type Environment = Record<string, string | undefined>;

/** The process's environment where there is one. */
export function environment(): Environment {
  const { process, Deno } = globalThis as {
    process?: { env?: Environment };
    Deno?: { env: { toObject(): Environment } };
  };
  try {
    return process?.env ?? Deno?.env.toObject() ?? {};
  } catch {
    return {}; // Not allowed to look.
  }
}

/** Where the tracker is, and its key. The guide keeps the address in `API_KEY`; a key there is taken for a key. */
export function trackerOf(options: AICostOptimizerOptions, env: Environment): { baseUrl: string; apiKey?: string } {
  const isAddress = (value: string | undefined) => value !== undefined && /^https?:\/\//.test(value);
  const address = isAddress(env.API_KEY) ? env.API_KEY : undefined;
  const key = env.AICT_API_KEY ?? (env.API_KEY?.startsWith("aict_") ? env.API_KEY : undefined);
  const baseUrl = (options.dashboardConfig?.baseUrl ?? address ?? DEFAULT_BASE_URL).replace(/\/+$/, "");
  const apiKey = options.dashboardConfig?.apiKey ?? key;
  return apiKey === undefined ? { baseUrl } : { baseUrl, apiKey };
}

/** The provider's key; credentials for Bedrock may stand in the environment, too. */
export function providerKeyOf(options: AICostOptimizerOptions, env: Environment): string | AwsCredentials | undefined {
  const provider = options.provider ?? "openai";
  const named = options.apiKey ?? PROVIDER_KEYS[provider].map((name) => env[name]).find((key) => key);
  if (named !== undefined || provider !== "bedrock") return named;
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = env;
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

/** The provider's address, if it is not its own; the official clients read the same variables. */
export function providerUrlOf(options: AICostOptimizerOptions, env: Environment): string | undefined {
  return options.providerUrl ?? env[PROVIDER_URLS[options.provider ?? "openai"] ?? ""];
}

export function regionOf(options: AICostOptimizerOptions, env: Environment): string {
  const told = typeof options.apiKey === "object" ? options.apiKey.region : undefined;
  return told ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? DEFAULT_REGION;
}
