import { expect, test } from "vitest";
import type { Fetch } from "../src/fetch.js";
import { Queue, type QueueOptions } from "../src/queue.js";
import { Tracker } from "../src/tracker.js";
import { ManualClock, settled } from "./manual-clock.js";

type Sent = { requestId: string }[];
type Answering = (sent: Sent) => Response | Promise<Response>;

const taken: Answering = (sent) =>
  Response.json({
    success: true,
    data: { successful: sent.length, duplicates: 0, failed: 0, results: [], errors: [] },
  });
const refusal = (status: number, headers: Record<string, string> = {}) =>
  Response.json({ success: false, error: { code: "c", message: "m" } }, { status, headers });

/** A queue to a tracker that answers in turn, the last way from then on. */
function queueTo(answers: Answering[], options: Partial<QueueOptions> = {}) {
  const clock = new ManualClock();
  const sent: { at: number; keys: string[] }[] = [];
  const problems: string[] = [];
  const begin = clock.now();
  const fetch: Fetch = async (_, init) => {
    const records: Sent = JSON.parse(String(init?.body)).usageData;
    sent.push({ at: clock.now() - begin, keys: records.map(({ requestId }) => requestId) });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return (answer as Answering)(records);
  };
  const tracker = new Tracker("http://tracker/api", "aict_x", 1_000, fetch, clock.now);
  const defaults = { recordsMax: 1_000, batchMax: 100, intervalMs: 1_000, closeMs: 5_000 };
  const queue = new Queue(tracker, clock, { ...defaults, ...options, onProblem: (problem) => problems.push(problem) });
  const push = (count: number) => {
    for (let index = 0; index < count; index += 1) queue.push({ model: "m", requestId: clock.uniqueKey() });
  };
  return { clock, queue, push, sent, problems };
}

test("records gather for a moment; a whole batch does not wait", async () => {
  const { clock, push, sent } = queueTo([taken]);
  push(3);
  await clock.advance(999);
  expect(sent).toEqual([]);
  await clock.advance(1);
  expect(sent).toEqual([{ at: 1_000, keys: ["key-1", "key-2", "key-3"] }]);
  push(250);
  await clock.advance(0);
  expect(sent.slice(1).map(({ at, keys }) => [at, keys.length])).toEqual([
    [1_000, 100],
    [1_000, 100],
  ]);
  await clock.advance(1_000);
  expect(sent.at(-1)).toMatchObject({ at: 2_000 });
  expect(sent.flatMap(({ keys }) => keys)).toHaveLength(253);
});

test("a full queue drops what comes, counts it and says so once", async () => {
  const { clock, queue, push, problems } = queueTo([taken], { recordsMax: 5 });
  push(8);
  expect(queue.stats).toEqual({ sent: 0, duplicates: 0, dropped: 3, waiting: 5 });
  expect(problems).toEqual(["AI Cost Tracker: a record was lost: the queue is full; further losses are only counted"]);
  const closed = queue.close();
  await clock.advance(10);
  await closed;
  expect(queue.stats).toEqual({ sent: 5, duplicates: 0, dropped: 3, waiting: 0 });
  expect(problems.slice(1)).toEqual(["AI Cost Tracker: records lost in all: 3"]);
});

test("the tracker's Retry-After is waited for, and the same keys are sent again", async () => {
  const { clock, push, sent, queue } = queueTo([() => refusal(429, { "retry-after": "7" }), taken]);
  push(2);
  await clock.advance(1_000);
  await clock.advance(6_999);
  expect(sent).toHaveLength(1);
  await clock.advance(1);
  expect(sent).toEqual([
    { at: 1_000, keys: ["key-1", "key-2"] },
    { at: 8_000, keys: ["key-1", "key-2"] },
  ]);
  expect(queue.stats).toMatchObject({ sent: 2, dropped: 0 });
});

test("what comes while a batch is on its way waits for the tracker, too", async () => {
  let refuse = () => {};
  const slow: Answering = () =>
    new Promise((resolve) => {
      refuse = () => resolve(refusal(429, { "retry-after": "7" }));
    });
  const { clock, push, sent } = queueTo([slow, taken]);
  push(1);
  await clock.advance(1_000);
  push(1);
  refuse();
  await clock.advance(6_999);
  expect(sent).toHaveLength(1);
  await clock.advance(1);
  expect(sent.at(-1)).toEqual({ at: 8_000, keys: ["key-1", "key-2"] });
});

test.each([
  ["503", () => refusal(503)],
  ["no connection", () => Promise.reject(new TypeError("fetch failed"))],
  ["an answer that is none", () => new Response("<html>", { status: 200 })],
])("%s: the pauses double, up to half a minute", async (_, answer) => {
  const { clock, push, sent, queue } = queueTo([answer]);
  push(1);
  await clock.advance(120_000);
  const pauses = sent.slice(1).map(({ at }, index) => Math.round((at - (sent[index]?.at ?? 0)) / 1_000));
  // The interval of a second is waited for, too.
  expect(pauses.slice(0, 8)).toEqual([1, 1, 2, 4, 8, 16, 30, 30]);
  expect(queue.stats).toEqual({ sent: 0, duplicates: 0, dropped: 0, waiting: 1 });
});

test("what was taken before its answer was lost counts once", async () => {
  const keys = new Set<string>();
  const remembering: Answering = (sent) => {
    const known = sent.filter(({ requestId }) => keys.has(requestId)).length;
    for (const { requestId } of sent) keys.add(requestId);
    const data = { successful: sent.length - known, duplicates: known, failed: 0, results: [], errors: [] };
    return Response.json({ success: true, data });
  };
  const losing: Answering = (sent) => {
    remembering(sent);
    throw new TypeError("terminated");
  };
  const { clock, push, queue } = queueTo([losing, remembering]);
  push(3);
  await clock.advance(5_000);
  expect(keys.size).toBe(3);
  expect(queue.stats).toEqual({ sent: 0, duplicates: 3, dropped: 0, waiting: 0 });
});

test("a refused key drops the batch, and says why", async () => {
  const { clock, push, queue, problems } = queueTo([() => refusal(401)]);
  push(4);
  await clock.advance(1_000);
  expect(queue.stats).toEqual({ sent: 0, duplicates: 0, dropped: 4, waiting: 0 });
  expect(problems).toEqual([
    "AI Cost Tracker: a record was lost: the tracker refused it: m; further losses are only counted",
  ]);
});

test("a bad record fails alone; one that could not be written is sent again", async () => {
  const errors = [
    { index: 0, code: "invalid_input", error: "model: is required" },
    { index: 2, code: "store_busy", error: "busy" },
  ];
  const partly: Answering = () =>
    Response.json({ success: true, data: { successful: 1, duplicates: 0, failed: 2, results: [], errors } });
  const { clock, push, queue, sent } = queueTo([partly, taken]);
  push(3);
  await clock.advance(3_000);
  expect(sent.map(({ keys }) => keys)).toEqual([["key-1", "key-2", "key-3"], ["key-3"]]);
  expect(queue.stats).toEqual({ sent: 2, duplicates: 0, dropped: 1, waiting: 0 });
});

test("closing waits for so long and no longer, and counts what is left", async () => {
  const { clock, push, queue } = queueTo([() => refusal(503)]);
  push(2);
  const begin = clock.now();
  const closed = queue.close();
  await clock.advance(5_000);
  await closed;
  expect(clock.now() - begin).toBe(5_000);
  expect(queue.stats).toEqual({ sent: 0, duplicates: 0, dropped: 2, waiting: 0 });
  push(1);
  expect(queue.stats.dropped).toBe(3);
});

test("closing does not wait for a tracker that hangs", async () => {
  const { clock, push, queue } = queueTo([() => new Promise(() => {})]);
  push(2);
  const closed = queue.close();
  await clock.advance(5_000);
  await closed;
  expect(queue.stats).toEqual({ sent: 0, duplicates: 0, dropped: 2, waiting: 0 });
});

test("what cannot be written, or is too long, is dropped without a word to the caller", async () => {
  const { queue, problems } = queueTo([taken]);
  const metadata: Record<string, unknown> = {};
  metadata.itself = metadata;
  queue.push({ model: "m", requestId: "1", metadata });
  queue.push({ model: "m", requestId: "2", prompt: "x".repeat(1024 * 1024) });
  await settled();
  expect(queue.stats).toEqual({ sent: 0, duplicates: 0, dropped: 2, waiting: 0 });
  expect(problems).toHaveLength(1);
});
