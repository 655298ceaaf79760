/** A `fetch` that meters: what passes is not changed, and nothing waits for the tracker. */

import type { Call, End } from "./call.js";
import { isObject } from "./reply.js";
import { askingForUsage, dataOf, Events, isDone, withoutUsage } from "./sse.js";
import { serviceAt, type Target, targetOf } from "./target.js";

/** What of `fetch` the official clients use. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Begins to meter a call. */
export type Begin = (target: Target, request: unknown) => Call;

/** A reply that is read to learn what it cost; longer ones are not. */
const REPLY_LENGTH_MAX = 64 * 1024 * 1024;

export interface Metering {
  begin: Begin;
  /** Whose replies they are where the host does not tell. */
  service: string;
  /** Whether the service is certain, whatever the host. */
  isServiceGiven: boolean;
  /** The tracker's own gateway records its calls itself. */
  isGateway: (url: URL) => boolean;
}

/** `base`, metered. */
export function meteredFetch(base: Fetch, metering: Metering): Fetch {
  return async (input, init) => {
    const metered = beginCall(input, init, metering);
    if (!metered) return base(input, init);
    const { call, asking } = metered;
    let response: Response;
    try {
      response = await base(input, asking === undefined ? init : withBody(init, asking));
    } catch (error) {
      call.ends(isAbort(error) ? "aborted" : "unreachable");
      throw error;
    }
    if (asking !== undefined && (await refusesToTell(response))) {
      return watch(await base(input, init), call, false, init?.signal);
    }
    return watch(response, call, asking !== undefined, init?.signal);
  };
}

/** Whether it was the question for usage that was refused: then the caller's own request goes out as it was. */
async function refusesToTell(response: Response): Promise<boolean> {
  return response.status === 400 && (await response.clone().text()).includes("stream_options");
}

function beginCall(input: string | URL | Request, init: RequestInit | undefined, metering: Metering) {
  try {
    const isRequest = typeof input === "object" && "url" in input;
    const url = new URL(isRequest ? input.url : input);
    const method = init?.method ?? (isRequest ? input.method : "GET");
    if (method.toUpperCase() !== "POST" || metering.isGateway(url)) return undefined;
    const request = typeof init?.body === "string" ? JSON.parse(init.body) : modelOfForm(init?.body);
    const service = metering.isServiceGiven ? metering.service : serviceAt(url.hostname, metering.service);
    const target = targetOf(url, request, service);
    if (!target) return undefined;
    const asking = service === "anthropic" ? undefined : askingForUsage(request, target.operation);
    return { call: metering.begin(target, request), asking };
  } catch {
    // What cannot be understood is not metered; it is the caller's all the same.
    return undefined;
  }
}

/** Uploads name their model in a field of a form. */
function modelOfForm(body: unknown): unknown {
  if (typeof FormData === "undefined" || !(body instanceof FormData)) return undefined;
  const model = body.get("model");
  return typeof model === "string" ? { model } : undefined;
}

function withBody(init: RequestInit | undefined, body: string): RequestInit {
  const headers = new Headers(init?.headers);
  headers.delete("content-length");
  return { ...init, headers, body };
}

export const isAbort = (error: unknown): boolean =>
  error instanceof Error && (error.name === "AbortError" || error.name === "APIUserAbortError");

function watch(response: Response, call: Call, hidesUsage: boolean, signal: AbortSignal | null | undefined): Response {
  try {
    if (response.headers.has("x-cost-request-id")) return response; // The gateway has recorded it.
    const kind = response.headers.get("content-type") ?? "";
    if (response.ok && response.body && kind.includes("text/event-stream")) {
      return watchStream(response, call, hidesUsage, signal);
    }
    if (kind.includes("json")) void readCopy(response.clone(), call);
    else call.ends("whole", response.status);
  } catch {
    call.ends("whole", response.status);
  }
  return response;
}

async function readCopy(copy: Response, call: Call): Promise<void> {
  let body: unknown;
  let end: End = "whole";
  try {
    const length = Number(copy.headers.get("content-length") ?? 0);
    if (length <= REPLY_LENGTH_MAX) body = JSON.parse(await copy.text());
    else await copy.body?.cancel();
  } catch (error) {
    end = isAbort(error) ? "left" : "cut";
  }
  if (copy.ok) call.add(body);
  call.ends(end, copy.status, isObject(body) ? body : undefined);
}

function watchStream(response: Response, call: Call, hidesUsage: boolean, signal: AbortSignal | null | undefined) {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const events = new Events();
  const read = (event: string) => {
    if (isDone(event)) call.completes();
    call.add(dataOf(event));
    return hidesUsage ? withoutUsage(event) : event;
  };
  const leave = () => call.ends("left", response.status);
  signal?.addEventListener("abort", leave, { once: true });
  const settle = (end: End) => {
    signal?.removeEventListener("abort", leave);
    call.ends(end, response.status);
  };
  /** The next piece for the caller; undefined at the end. */
  const next = async (): Promise<Uint8Array | undefined> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (!done) call.begins();
      const passing = (done ? [events.rest()] : events.push(decoder.decode(value, { stream: true }))).map(read);
      if (!hidesUsage) return value;
      const text = passing.join("");
      if (text !== "") return encoder.encode(text);
      if (done) return undefined;
    }
  };
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const piece = await next();
          if (piece) return controller.enqueue(piece);
          settle("whole");
          controller.close();
        } catch (error) {
          settle(isAbort(error) || signal?.aborted ? "left" : "cut");
          controller.error(error);
        }
      },
      cancel(reason) {
        settle("left");
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  const passed = passedOn(response, body);
  leavers.set(passed, leave);
  return passed;
}

const leavers = new WeakMap<Response, () => void>();

/** For clients that leave a stream without a word: nothing more of this response will be read. */
export function leave(response: Response): void {
  leavers.get(response)?.();
}

/** The response with another body; its address and the rest stay what they were. */
function passedOn(response: Response, body: ReadableStream<Uint8Array>): Response {
  const { status, statusText, headers } = response;
  const passed = new Response(body, { status, statusText, headers });
  Object.defineProperty(passed, "url", { value: response.url });
  return passed;
}
