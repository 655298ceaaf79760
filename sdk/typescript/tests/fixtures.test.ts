/** What a client saw → the record that the tracker gets; the same files hold the Python SDK to the same. */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Call, type End } from "../src/call.js";
import type { Clock } from "../src/clock.js";
import { type Fetch, type Metering, meteredFetch } from "../src/fetch.js";
import type { KeyedRecord } from "../src/queue.js";
import { serviceAt, targetOf } from "../src/target.js";

interface Fixture {
  what: string;
  client: string;
  request: { url: string; body: unknown };
  response?: { status: number; type: string; body?: string; documents?: unknown[] };
  end?: End;
  sendTexts?: "never" | "uncounted" | "always";
  attribution?: Record<string, unknown>;
  /** The request as the provider gets it, where it is another one. */
  sent?: unknown;
  /** The reply as the caller sees it, where it is another one. */
  seen?: string;
  /** Null where nothing is recorded. */
  record: KeyedRecord | null;
}

const FOLDER = new URL("../../fixtures/", import.meta.url);
const NAMES = readdirSync(FOLDER).sort();
const load = (name: string): Fixture => JSON.parse(readFileSync(new URL(name, FOLDER), "utf8"));

const clock: Clock = {
  now: () => Date.UTC(2026, 0, 1),
  after: () => () => {},
  random: () => 0,
  uniqueKey: () => "key-1",
};

/** The response in three pieces, which may end in the middle. */
function responseOf({ status, type, body = "" }: NonNullable<Fixture["response"]>, end: End): Response {
  const bytes = new TextEncoder().encode(body);
  const pieces = [0, 1, 2].map((index) => bytes.slice((bytes.length * index) / 3, (bytes.length * (index + 1)) / 3));
  const stream = new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece) controller.enqueue(piece);
      else if (end === "cut") controller.error(new TypeError("terminated"));
      else if (end === "whole") controller.close();
    },
  });
  return new Response(stream, { status, headers: { "content-type": type } });
}

/** Reads as a caller does, who may leave. */
async function read(response: Response, length: number, end: End): Promise<string> {
  if (end === "whole") return response.text();
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let seen = "";
  try {
    while (end === "cut" || seen.length < length) {
      seen += decoder.decode((await reader.read()).value, { stream: true });
    }
    await reader.cancel();
  } catch {
    // It was cut.
  }
  return seen;
}

async function play(fixture: Fixture) {
  const { request, response, end = "whole", sendTexts = "uncounted" } = fixture;
  const records: KeyedRecord[] = [];
  let sent: unknown;
  const context = { clock, sendTexts, record: (record: KeyedRecord) => records.push(record) };
  const metering: Metering = {
    service: fixture.client,
    isServiceGiven: false,
    isGateway: () => false,
    begin: (target, body) => new Call(target, body, fixture.attribution ?? {}, context),
  };
  if (response?.documents) {
    const url = new URL(request.url);
    const target = targetOf(url, undefined, serviceAt(url.hostname, fixture.client));
    if (!target) throw new Error("no target");
    const call = metering.begin(target, request.body);
    for (const document of response.documents) call.add(document);
    if (request.url.endsWith("stream")) call.begins();
    call.ends(end, response.status);
    return { records, sent: request.body, seen: undefined };
  }
  const base: Fetch = async (_, init) => {
    sent = init?.body == null ? null : JSON.parse(String(init.body));
    if (end === "unreachable") throw new TypeError("fetch failed");
    if (end === "aborted") throw new DOMException("This operation was aborted", "AbortError");
    return responseOf(response as NonNullable<Fixture["response"]>, end);
  };
  const body = request.body === null ? null : JSON.stringify(request.body);
  let seen: string | undefined;
  try {
    const reply = await meteredFetch(base, metering)(request.url, { method: "POST", body });
    seen = await read(reply, response?.body?.length ?? 0, end);
    // What is no stream is read beside the caller.
    await new Promise((resolve) => setImmediate(resolve));
  } catch (error) {
    if (end !== "unreachable" && end !== "aborted") throw error;
  }
  return { records, sent, seen };
}

describe("fixtures", () => {
  test.each(NAMES)("%s", async (name) => {
    const fixture = load(name);
    const { records, sent, seen } = await play(fixture);
    expect(records).toEqual(fixture.record === null ? [] : [fixture.record]);
    expect(sent).toEqual(fixture.sent ?? fixture.request.body);
    if (seen !== undefined) expect(seen).toBe(fixture.seen ?? fixture.response?.body);
  });
});
