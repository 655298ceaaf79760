/** The tracker's HTTP API: one request, its answer or a `TrackerError`. */

import { isObject } from "./reply.js";

/** The tracker could not be reached, or refused. */
export class TrackerError extends Error {
  override readonly name = "TrackerError";

  constructor(
    message: string,
    /** HTTP status; undefined if there was no answer. */
    readonly status?: number,
    /** Stable code, such as `project_not_found`. */
    readonly code?: string,
    /** What the answer said of when to try again. */
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }

  /** Whether the same request may be taken later. */
  get isTemporary(): boolean {
    return this.status === undefined || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

export type Query = Record<string, string | number | boolean | string[] | undefined>;

export class Tracker {
  constructor(
    readonly baseUrl: string,
    private readonly apiKey: string | undefined,
    private readonly timeoutMs: number,
    private readonly fetch: typeof globalThis.fetch,
    private readonly now: () => number,
  ) {}

  get<T>(path: string, query: Query = {}): Promise<T> {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      for (const each of Array.isArray(value) ? value : [value]) {
        if (each !== undefined) parameters.append(name, String(each));
      }
    }
    const search = parameters.toString();
    return this.send<T>(search ? `${path}?${search}` : path, { method: "GET" });
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.postText<T>(path, JSON.stringify(body));
  }

  postText<T>(path: string, body: string): Promise<T> {
    return this.send<T>(path, { method: "POST", headers: { "content-type": "application/json" }, body });
  }

  private async send<T>(path: string, init: RequestInit): Promise<T> {
    const headers: Record<string, string> = { ...(init.headers as Record<string, string>), accept: "application/json" };
    if (this.apiKey) headers.authorization = `Bearer ${this.apiKey}`;
    // One bound for the whole exchange, its body included.
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), this.timeoutMs);
    try {
      const response = await this.fetch(`${this.baseUrl}${path}`, { ...init, headers, signal: abort.signal });
      return this.read<T>(response, await response.text());
    } catch (error) {
      if (error instanceof TrackerError) throw error;
      const reason = abort.signal.aborted ? `no answer within ${this.timeoutMs} ms` : String(error);
      throw new TrackerError(`${this.baseUrl} cannot be reached: ${reason}`);
    } finally {
      clearTimeout(timer);
    }
  }

  private read<T>(response: Response, text: string): T {
    const body = parsed(text);
    if (response.ok && isObject(body) && body.success === true) return body.data as T;
    const error = isObject(body) && isObject(body.error) ? body.error : {};
    const message = typeof error.message === "string" ? error.message : `the tracker answered ${response.status}`;
    const code = typeof error.code === "string" ? error.code : undefined;
    const status = response.ok ? 502 : response.status;
    throw new TrackerError(message, status, code, retryAfter(response.headers.get("retry-after"), this.now()));
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Seconds, or a date. */
function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const seconds = Number(header);
  const milliseconds = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now;
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}
