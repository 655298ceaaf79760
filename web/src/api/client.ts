import createClient from "openapi-fetch";
import { quoteMoney, unquoteMoney } from "./money-json";
import type { components, paths } from "./schema";
import { API_URL, currentToken, refreshSession, signedOut } from "./session";

export type Schemas = components["schemas"];
export type Pagination = Schemas["Pagination"];
export type Problem = Schemas["Problem"];

/** Why a call did not succeed. `status` 0: the server could not be reached. */
export class Failure extends Error {
  readonly status: number;
  readonly code: string | undefined;
  readonly details: readonly Problem[];

  constructor(status: number, body?: unknown) {
    const cause = (body as { error?: Schemas["FailureCause"] } | undefined)?.error;
    super(cause?.message ?? (status ? `The server answered ${status}.` : "The server cannot be reached."));
    this.status = status;
    this.code = cause?.code;
    this.details = cause?.details ?? [];
  }
}

/** Sends with the access token; one that has expired is replaced once. */
export async function send(request: Request): Promise<Response> {
  const again = request.clone();
  const response = await attempt(request);
  if (response.status !== 401 || new URL(request.url).pathname.startsWith("/api/auth/")) return response;
  const body = (await response
    .clone()
    .json()
    .catch(() => undefined)) as { error?: { code?: string } } | undefined;
  if (body?.error?.code === "invalid_credentials") return response;
  if (await refreshSession()) return attempt(again);
  signedOut();
  return response;
}

async function attempt(request: Request): Promise<Response> {
  const token = currentToken();
  if (token) request.headers.set("Authorization", `Bearer ${token}`);
  try {
    return await fetch(request);
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new Failure(0);
  }
}

async function sendJson(request: Request): Promise<Response> {
  const response = await send(request);
  if (!response.headers.get("content-type")?.includes("application/json")) return response;
  const { status, statusText } = response;
  return new Response(quoteMoney(await response.text()), {
    status,
    statusText,
    headers: { "content-type": "application/json" },
  });
}

export const api = createClient<paths>({
  baseUrl: API_URL || window.location.origin,
  credentials: "include",
  fetch: sendJson,
  bodySerializer: (body) => unquoteMoney(JSON.stringify(body)),
});

type Answer<Body> = { data?: Body; error?: unknown; response: Response };

async function bodyOf<Body>(call: Promise<Answer<Body>>): Promise<Body> {
  const { data, error, response } = await call;
  if (data === undefined) throw new Failure(response.status, error);
  return data;
}

/** What an answer is about. */
export async function dataOf<Body extends { data: unknown }>(call: Promise<Answer<Body>>): Promise<Body["data"]> {
  return (await bodyOf(call)).data;
}

/** A page of a list. */
export async function pageOf<Body extends { data: unknown; pagination?: unknown }>(
  call: Promise<Answer<Body>>,
): Promise<{ items: Body["data"]; pagination: Pagination }> {
  const body = await bodyOf(call);
  return { items: body.data, pagination: body.pagination as Pagination };
}

/** Downloads a file; the browser cannot send the access token by a link. */
export async function download(path: string, name: string): Promise<void> {
  const response = await send(new Request(`${API_URL || window.location.origin}${path}`, { credentials: "include" }));
  if (!response.ok) throw new Failure(response.status, await response.json().catch(() => undefined));
  saveFile(await response.blob(), name);
}

export function saveFile(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  // The click has taken the address; keeping it would keep the file in memory.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
