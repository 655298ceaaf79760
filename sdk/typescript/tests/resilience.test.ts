/** A tracker that dies, hangs or refuses: nothing counts twice, and what is lost is said. */

import { type AddressInfo, createServer } from "node:net";
import { AICostOptimizer, type AICostOptimizerOptions } from "ai-cost-optimizer";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../src/clock.js";
import { TrackerServer } from "./servers.js";

const RECORDS = 1_000;
/** The pauses are not what is tested here. */
const impatient = {
  ...systemClock,
  random: () => 0,
  after: (milliseconds: number, act: () => void, keepsAlive?: boolean) =>
    systemClock.after(Math.min(milliseconds, 5), act, keepsAlive),
};

let tracker: TrackerServer;
beforeEach(async () => {
  tracker = await (await TrackerServer.start()).setUp();
});
afterEach(() => tracker.remove());

/** The same server again: the same store, address and keys. */
async function restarted(): Promise<void> {
  const { token, project, key, dataDir, port } = tracker;
  tracker = Object.assign(await TrackerServer.start(dataDir, port), { token, project, key });
}

function optimizerWith(fetching: typeof fetch, options: AICostOptimizerOptions = {}) {
  const problems: string[] = [];
  const optimizer = new AICostOptimizer({
    dashboardConfig: { baseUrl: `${tracker.url}/api`, apiKey: tracker.key },
    fetch: fetching as NonNullable<AICostOptimizerOptions["fetch"]>,
    onProblem: (problem) => problems.push(problem),
    queue: { batchMax: 50, closeMs: 20_000 },
    ...options,
  });
  return { optimizer, problems };
}

const call = (index: number) => ({
  service: "openai",
  model: "gpt-4o-mini",
  promptTokens: 1,
  completionTokens: 1,
  sessionId: `${index}`,
});

/** Sends them all, and says how often each is there. */
async function sendAll(optimizer: AICostOptimizer): Promise<{ records: number; distinct: number }> {
  for (let index = 0; index < RECORDS; index += 1) optimizer.queueUsage(call(index));
  await optimizer.flush();
  const records = await tracker.records();
  return { records: records.length, distinct: new Set(records.map(({ sessionId }) => sessionId)).size };
}

test("killed while a batch is on its way, and started again", async () => {
  let requests = 0;
  const { optimizer, problems } = optimizerWith(async (input, init) => {
    requests += 1;
    if (requests % 7 !== 3) return fetch(input, init);
    // It is under way when the server dies: taken or not, nobody knows.
    const underWay = fetch(input, init).catch((error: Error) => error);
    await tracker.stop("SIGKILL");
    await restarted();
    const answer = await underWay;
    if (answer instanceof Error) throw answer;
    return answer;
  });
  expect(await sendAll(optimizer)).toEqual({ records: RECORDS, distinct: RECORDS });
  expect(optimizer.stats).toMatchObject({ dropped: 0, waiting: 0 });
  expect(problems).toEqual([]);
  await optimizer.close();
});

test("stopped in order while batches come, and started again", async () => {
  let requests = 0;
  const { optimizer } = optimizerWith(async (input, init) => {
    requests += 1;
    if (requests === 4) {
      await tracker.stop();
      void restarted();
    }
    return fetch(input, init);
  });
  expect(await sendAll(optimizer)).toEqual({ records: RECORDS, distinct: RECORDS });
  await optimizer.close();
});

test("answers that are lost on their way back", async () => {
  let requests = 0;
  const { optimizer } = optimizerWith(
    async (input, init) => {
      const answer = await fetch(input, init);
      requests += 1;
      if (requests % 2 === 1) throw new TypeError("terminated");
      return answer;
    },
    { clock: impatient },
  );
  expect(await sendAll(optimizer)).toEqual({ records: RECORDS, distinct: RECORDS });
  expect(optimizer.stats).toMatchObject({ sent: 0, duplicates: RECORDS, dropped: 0 });
  await optimizer.close();
});

test("429 and 503 in turn", async () => {
  let requests = 0;
  const { optimizer } = optimizerWith(
    async (input, init) => {
      requests += 1;
      if (requests % 3 === 0) return fetch(input, init);
      const status = requests % 3 === 1 ? 429 : 503;
      return Response.json({ success: false }, { status, headers: { "retry-after": "0" } });
    },
    { clock: impatient },
  );
  expect(await sendAll(optimizer)).toEqual({ records: RECORDS, distinct: RECORDS });
  await optimizer.close();
});

test("slower than the client waits: what was taken all the same counts once", async () => {
  let requests = 0;
  const { optimizer } = optimizerWith(
    async (input, init) => {
      requests += 1;
      if (requests > 3) return fetch(input, init);
      // The server takes it, but its answer comes too late.
      await fetch(input, { ...init, signal: null });
      return new Promise((_, reject) => {
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason), { once: true });
      });
    },
    { clock: impatient, timeoutMs: 50 },
  );
  expect(await sendAll(optimizer)).toEqual({ records: RECORDS, distinct: RECORDS });
  expect(optimizer.stats.duplicates).toBeGreaterThanOrEqual(50);
  await optimizer.close();
});

test("a tracker that answers a byte at a time is one that does not answer", async () => {
  const dripping = createServer((socket) => {
    socket.on("error", () => {});
    socket.write("HTTP/1.1 200 OK\r\n");
    const timer = setInterval(() => socket.write("x"), 5);
    socket.on("close", () => clearInterval(timer));
  });
  await new Promise<void>((done) => dripping.listen(0, "127.0.0.1", done));
  const { port } = dripping.address() as AddressInfo;
  const { optimizer, problems } = optimizerWith(fetch, {
    dashboardConfig: { baseUrl: `http://127.0.0.1:${port}/api` },
    timeoutMs: 100,
    queue: { closeMs: 300 },
  });
  optimizer.queueUsage(call(1));
  await expect(optimizer.trackUsage(call(2))).rejects.toThrow("no answer within 100 ms");
  await optimizer.close();
  expect(optimizer.stats).toMatchObject({ sent: 0, dropped: 1, waiting: 0 });
  expect(problems.at(-1)).toBe("AI Cost Tracker: records lost in all: 1");
  dripping.close();
});

test("away for good: what does not fit is lost, counted and said, and the caller never noticed", async () => {
  const { optimizer, problems } = optimizerWith(() => Promise.reject(new TypeError("fetch failed")), {
    queue: { recordsMax: 100, batchMax: 10, closeMs: 30 },
  });
  for (let index = 0; index < RECORDS; index += 1) optimizer.queueUsage(call(index));
  await optimizer.close();
  expect(optimizer.stats).toMatchObject({ sent: 0, dropped: RECORDS });
  expect(problems).toEqual([
    "AI Cost Tracker: a record was lost: the queue is full; further losses are only counted",
    `AI Cost Tracker: records lost in all: ${RECORDS}`,
  ]);
});
