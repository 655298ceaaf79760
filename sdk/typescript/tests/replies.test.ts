/**
 * The emptied reply loses nothing that the tracker reads: every fixture of its own readers, through the SDK and a real
 * server, comes to the counts that are expected of the whole reply.
 */

import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Reply } from "../src/reply.js";
import { dataOf, Events } from "../src/sse.js";
import { type Answer, TrackerServer } from "./servers.js";

const FOLDER = new URL("../../../crates/domain/tests/wire/fixtures/", import.meta.url);

/** No reply that a client sees: usage objects alone, and what other programs make of them. */
const NO_REPLY = /\/bare-|ai-sdk|published-sdk|generation\.json/;
/** Beyond what the tracker takes in a record: counts without a usage object, and a count that is too large. */
const NOT_TAKEN = /dall-e|imagen|vertex-embed|chat-too-large/;

interface Fixture {
  path: string;
  provider: string;
  counts: Record<string, number>;
}

function fixturesOf(provider: string): Fixture[] {
  const blocks = readFileSync(new URL(`${provider}/expected.txt`, FOLDER), "utf8")
    .trim()
    .split("\n\n");
  return blocks.flatMap((block) => {
    const file = /^# (\S+)/.exec(block)?.[1];
    const counts = /^counts: (.+)$/m.exec(block)?.[1];
    if (
      !file ||
      !counts ||
      counts === "-" ||
      NO_REPLY.test(`${provider}/${file}`) ||
      NOT_TAKEN.test(`${provider}/${file}`)
    )
      return [];
    const pairs = counts.split(", ").map((pair) => pair.split(" "));
    return [
      {
        path: `${provider}/${file}`,
        provider,
        counts: Object.fromEntries(pairs.map(([unit, count]) => [unit, Number(count)])),
      },
    ];
  });
}

/** What is left of a total is told by the tracker as 0. */
const nonZero = (counts: Record<string, number>) =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

const FIXTURES = readdirSync(FOLDER).flatMap(fixturesOf);

function digestOf(path: string): Record<string, unknown> {
  const text = readFileSync(new URL(path, FOLDER), "utf8");
  const reply = new Reply(0);
  if (path.endsWith(".sse") && !text.startsWith("{")) {
    const events = new Events();
    for (const event of [...events.push(text), events.rest()]) reply.add(dataOf(event));
  } else {
    for (const document of documentsOf(text)) reply.add(document);
  }
  return reply.digest;
}

/** One document, or one a line. */
function documentsOf(text: string): unknown[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }
}

let tracker: TrackerServer;
let records: Map<string, Answer>;

beforeAll(async () => {
  tracker = await (await TrackerServer.start()).setUp();
  const usageData = FIXTURES.map(({ path, provider }) => ({
    service: provider.replace(/^bedrock-.*/, "bedrock").replace("gemini", "google"),
    model: "m",
    requestId: path,
    usage: digestOf(path),
  }));
  await tracker.send("POST", "/api/usage/bulk", { usageData });
  records = new Map((await tracker.records()).map((record) => [record.requestId, record]));
});
afterAll(() => tracker.remove());

describe("replies", () => {
  test.each(FIXTURES)("$path", ({ path, counts }) => {
    expect(nonZero(records.get(path)?.usage ?? {})).toEqual(nonZero(counts));
  });
});
