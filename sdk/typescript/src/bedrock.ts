/** Metering `@aws-sdk/client-bedrock-runtime` through its own middleware. */

import type { Call } from "./call.js";
import { isAbort, type Metering } from "./fetch.js";
import { isObject, type JsonObject } from "./reply.js";
import { targetOf } from "./target.js";

type Input = Record<string, unknown> & { modelId?: string; body?: unknown };
type Output = Record<string, unknown>;
interface Result {
  output: Output;
  response?: { headers?: Record<string, string> };
}
type Handler = (step: { input: Input }) => Promise<Result>;

export interface BedrockClient {
  middlewareStack: {
    add(
      middleware: (next: Handler, context: { commandName?: string }) => Handler,
      options: { step: "initialize"; name: string; override: boolean },
    ): void;
  };
  config: { endpoint?: () => Promise<{ hostname: string; path: string; protocol: string; port?: number }> };
}

/** Commands that are charged for, and the paths that they are sent to. */
const PATHS: Record<string, string> = {
  ConverseCommand: "converse",
  ConverseStreamCommand: "converse-stream",
  InvokeModelCommand: "invoke",
  InvokeModelWithResponseStreamCommand: "invoke-with-response-stream",
};
/** Bedrock's own counts of an invocation, in headers; for models whose replies have none. */
const COUNTED_IN_HEADERS: Record<string, string> = {
  "x-amzn-bedrock-input-token-count": "inputTokenCount",
  "x-amzn-bedrock-output-token-count": "outputTokenCount",
  "x-amzn-bedrock-cache-read-input-token-count": "cacheReadInputTokenCount",
  "x-amzn-bedrock-cache-write-input-token-count": "cacheWriteInputTokenCount",
};

export function isBedrock(client: object): boolean {
  const stack = (client as Partial<BedrockClient>).middlewareStack;
  return typeof stack?.add === "function" && "config" in client;
}

export function observeBedrock(client: BedrockClient, metering: Metering): void {
  const middleware = (next: Handler, context: { commandName?: string }): Handler => {
    return async (step) => {
      const call = await beginCall(client, context.commandName ?? "", step.input, metering);
      if (!call) return next(step);
      try {
        return watch(await next(step), call);
      } catch (error) {
        const status = statusOf(error);
        call.ends(status ? "whole" : isAbort(error) ? "aborted" : "unreachable", status, { message: messageOf(error) });
        throw error;
      }
    };
  };
  client.middlewareStack.add(middleware, { step: "initialize", name: "aiCostTracker", override: true });
}

async function beginCall(client: BedrockClient, command: string, input: Input, metering: Metering) {
  try {
    const path = PATHS[command];
    const endpoint = await client.config.endpoint?.();
    const port = endpoint?.port ? `:${endpoint.port}` : "";
    const base = endpoint ? `${endpoint.protocol}//${endpoint.hostname}${port}${endpoint.path}` : "https://bedrock/";
    const model = encodeURIComponent(input.modelId ?? "");
    const url = new URL(`${base.replace(/\/$/, "")}/model/${model}/${path}`);
    if (!path || metering.isGateway(url)) return undefined;
    const request = path.startsWith("converse") ? input : decoded(input.body);
    const target = targetOf(url, undefined, metering.service);
    return target && metering.begin(target, request);
  } catch {
    return undefined;
  }
}

function watch(result: Result, call: Call): Result {
  const { output } = result;
  for (const key of ["stream", "body"]) {
    const source = output[key];
    if (isStream(source)) {
      output[key] = watched(source, call);
      return result;
    }
  }
  call.add(output.body instanceof Uint8Array ? decoded(output.body) : output);
  const counts = Object.entries(COUNTED_IN_HEADERS).flatMap(([header, name]) => {
    const count = Number(result.response?.headers?.[header] ?? Number.NaN);
    return Number.isFinite(count) ? [[name, count] as const] : [];
  });
  if (counts.length > 0 && !call.reply.isCounted) {
    call.add({ "amazon-bedrock-invocationMetrics": Object.fromEntries(counts) });
  }
  call.ends("whole", 200);
  return result;
}

const isStream = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === "object" && value !== null && Symbol.asyncIterator in value && !(value instanceof Uint8Array);

async function* watched(source: AsyncIterable<unknown>, call: Call): AsyncGenerator<unknown> {
  try {
    for await (const event of source) {
      call.begins();
      call.add(isObject(event) && isObject(event.chunk) ? decoded(event.chunk.bytes) : event);
      yield event;
    }
    call.ends("whole", 200);
  } catch (error) {
    call.ends(isAbort(error) ? "left" : "cut", 200);
    throw error;
  } finally {
    call.ends("left", 200);
  }
}

/** JSON in bytes or text; undefined where it is something else. */
function decoded(body: unknown): unknown {
  try {
    return JSON.parse(typeof body === "string" ? body : new TextDecoder().decode(body as Uint8Array));
  } catch {
    return undefined;
  }
}

function statusOf(error: unknown): number | undefined {
  const metadata = (error as { $metadata?: { httpStatusCode?: number } }).$metadata;
  return metadata?.httpStatusCode;
}

const messageOf = (error: unknown): JsonObject[string] => (error instanceof Error ? error.message : null);
