/** Official clients, metered in place: what the tracker recorded is what the provider billed. */

import Anthropic from "@anthropic-ai/sdk";
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";
import { GoogleGenAI } from "@google/genai";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { AICostOptimizer } from "ai-cost-optimizer";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Answer, AWS, Fake, KEY, TrackerServer } from "./servers.js";

const PROMPT = "Say something about the price of things";
const MESSAGES = [{ role: "user" as const, content: PROMPT }];
const HAIKU = "anthropic.claude-3-haiku-20240307-v1:0";

/**
 * What each call costs, from the providers' public price lists (US dollars per million tokens), by hand. The fake counts
 * the words of the prompt and 8 more as input, and answers 16 words.
 */
const COSTS: Record<string, number> = {
  // gpt-4o-mini: 0.15 in, 0.60 out. 15 × 0.15 + 16 × 0.60 = 11.85
  openai_chat: 0.00001185,
  openai_chat_stream: 0.00001185,
  openai_chat_stream_with_usage: 0.00001185,
  openai_chat_helper: 0.00001185,
  openai_chat_with_response: 0.00001185,
  // gpt-4.1-mini: 0.40 in, 1.60 out. 15 × 0.40 + 16 × 1.60 = 31.6
  openai_responses: 0.0000316,
  openai_responses_stream: 0.0000316,
  // text-embedding-3-small: 0.02. 9 × 0.02 = 0.18
  openai_embeddings: 0.00000018,
  // whisper-1: 0.006 a minute, 9 s
  openai_transcription: 0.0009,
  openai_other_options: 0.00001185,
  openai_gzip: 0.00001185,
  openai_bytes: 0.00001185,
  // Claude Haiku 4.5: 1 in, 5 out; written to the cache 1.25 (5 minutes) or 2 (an hour). 15 × 1 + 16 × 5 = 95
  anthropic_messages: 0.000095,
  anthropic_stream: 0.000095,
  // 21 × 1 + 1024 × 1.25 + 1024 × 2 + 16 × 5 = 3429
  anthropic_cached: 0.003429,
  // Gemini 2.5 Flash: 0.30 in, 2.50 out, thoughts included. 15 × 0.30 + (16 + 5) × 2.50 = 57
  google_generate: 0.000057,
  google_stream: 0.000057,
  google_chat: 0.000057,
  // gemini-embedding-001: 0.15. 9 × 0.15 = 1.35
  google_embed: 0.00000135,
  // Amazon Nova Lite: 0.06 in, 0.24 out. 15 × 0.06 + 16 × 0.24 = 4.74
  bedrock_converse: 0.00000474,
  bedrock_converse_stream: 0.00000474,
  // Claude 3 Haiku: 0.25 in, 1.25 out. 15 × 0.25 + 16 × 1.25 = 23.75
  bedrock_invoke: 0.00002375,
  bedrock_invoke_stream: 0.00002375,
};

let fake: Fake;
let tracker: TrackerServer;
let optimizer: AICostOptimizer;
let seen = 0;

beforeAll(async () => {
  fake = await Fake.start();
  const toFake = ["openai", "anthropic"].map((provider) => `gateway.providers.${provider}.base_url=${fake.url}`);
  tracker = await (await TrackerServer.start(undefined, 0, toFake)).setUp();
  optimizer = new AICostOptimizer({
    dashboardConfig: { baseUrl: `${tracker.url}/api`, apiKey: tracker.key },
    defaultProjectId: tracker.project,
  });
});
afterAll(async () => {
  await optimizer.close();
  await fake.stop();
  await tracker.remove();
});
beforeEach(() => fake.reset());

const attribution = { tags: ["sdk"], costAllocation: { team: "evals" } };
const openai = () =>
  optimizer.observe(new OpenAI({ apiKey: KEY, baseURL: `${fake.url}/v1`, maxRetries: 0 }), attribution);
const anthropic = () =>
  optimizer.observe(new Anthropic({ apiKey: KEY, baseURL: fake.url, maxRetries: 0 }), attribution);
const google = (headers = {}) =>
  optimizer.observe(new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: fake.url, headers } }), attribution);
const bedrock = (headers = {}) => {
  const requestHandler = new NodeHttpHandler();
  const settings = { region: "us-east-1", endpoint: fake.url, credentials: AWS, maxAttempts: 1, requestHandler };
  const client = new BedrockRuntimeClient(settings);
  const add = (next: (step: never) => unknown) => (step: { request: { headers: object } }) => {
    Object.assign(step.request.headers, headers);
    return next(step as never);
  };
  client.middlewareStack.add(add as never, { step: "build" });
  return optimizer.observe(client, attribution);
};
const invoke = {
  modelId: HAIKU,
  contentType: "application/json",
  body: JSON.stringify({ anthropic_version: "bedrock-2023-05-31", max_tokens: 100, messages: MESSAGES }),
};
const converse = () => ({
  modelId: "amazon.nova-lite-v1:0",
  messages: [{ role: "user" as const, content: [{ text: PROMPT }] }],
});
const ask = { model: "claude-haiku-4-5", max_tokens: 100, messages: MESSAGES };
const all = async <T>(stream: AsyncIterable<T>): Promise<T[]> => {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
};

/** The records that the calls since the last look left. */
async function recorded(): Promise<Answer[]> {
  await optimizer.flush();
  const records = await tracker.records();
  const fresh = records.slice(seen);
  seen = records.length;
  return fresh;
}

const CALLS: Record<string, () => Promise<unknown>> = {
  openai_chat: () => openai().chat.completions.create({ model: "gpt-4o-mini", messages: MESSAGES }),
  openai_chat_stream: async () =>
    all(await openai().chat.completions.create({ model: "gpt-4o-mini", messages: MESSAGES, stream: true })),
  openai_chat_stream_with_usage: async () =>
    all(
      await openai().chat.completions.create({
        model: "gpt-4o-mini",
        messages: MESSAGES,
        stream: true,
        stream_options: { include_usage: true },
      }),
    ),
  openai_chat_helper: () =>
    openai().chat.completions.stream({ model: "gpt-4o-mini", messages: MESSAGES }).finalChatCompletion(),
  openai_chat_with_response: () =>
    openai().chat.completions.create({ model: "gpt-4o-mini", messages: MESSAGES }).withResponse(),
  openai_responses: () => openai().responses.create({ model: "gpt-4.1-mini", input: PROMPT }),
  openai_responses_stream: async () =>
    all(await openai().responses.create({ model: "gpt-4.1-mini", input: PROMPT, stream: true })),
  openai_embeddings: () => openai().embeddings.create({ model: "text-embedding-3-small", input: [PROMPT, "and more"] }),
  openai_transcription: () =>
    openai().audio.transcriptions.create({
      model: "whisper-1",
      file: new File([new Uint8Array(2004)], "speech.wav", { type: "audio/wav" }),
    }),
  openai_other_options: () =>
    openai().withOptions({ timeout: 9000 }).chat.completions.create({ model: "gpt-4o-mini", messages: MESSAGES }),
  openai_gzip: () =>
    openai().chat.completions.create({ model: "gpt-4o-mini", messages: MESSAGES }, { headers: { "x-fake": "gzip" } }),
  openai_bytes: async () =>
    all(
      await openai().chat.completions.create(
        { model: "gpt-4o-mini", messages: MESSAGES, stream: true },
        { headers: { "x-fake": "byte-at-a-time" } },
      ),
    ),
  anthropic_messages: () => anthropic().messages.create(ask),
  anthropic_stream: () => anthropic().messages.stream(ask).finalMessage(),
  anthropic_cached: () =>
    anthropic().messages.create({
      ...ask,
      system: [
        { type: "text", text: "A long text.", cache_control: { type: "ephemeral" } },
        { type: "text", text: "A longer text.", cache_control: { type: "ephemeral", ttl: "1h" } },
      ],
    }),
  google_generate: () => google().models.generateContent({ model: "gemini-2.5-flash", contents: PROMPT }),
  google_stream: async () =>
    all(await google().models.generateContentStream({ model: "gemini-2.5-flash", contents: PROMPT })),
  google_chat: () => google().chats.create({ model: "gemini-2.5-flash" }).sendMessage({ message: PROMPT }),
  google_embed: () => google().models.embedContent({ model: "gemini-embedding-001", contents: [PROMPT, "and more"] }),
  bedrock_converse: () => bedrock().send(new ConverseCommand(converse())),
  bedrock_converse_stream: async () =>
    all((await bedrock().send(new ConverseStreamCommand(converse()))).stream ?? ([] as never)),
  bedrock_invoke: () => bedrock().send(new InvokeModelCommand(invoke)),
  bedrock_invoke_stream: async () =>
    all((await bedrock().send(new InvokeModelWithResponseStreamCommand(invoke))).body ?? ([] as never)),
};

describe("what the provider billed is what is recorded", () => {
  test.each(Object.keys(CALLS))("%s", async (name) => {
    await CALLS[name]?.();
    const [record, ...others] = await recorded();
    const [bill, ...otherBills] = await fake.ledger();
    expect([others.length, otherBills.length]).toEqual([0, 0]);
    const counts = (usage: Record<string, number>, known: string[]) =>
      Object.fromEntries(known.filter((unit) => usage[unit]).map((unit) => [unit, usage[unit]]));
    const units = Object.keys(bill?.usage ?? {}).filter((unit) => unit.endsWith("_tokens"));
    expect(counts(record.usage, units)).toEqual(counts(bill?.usage ?? {}, units));
    expect([record.model, record.responseModel]).toContain(bill?.model);
    expect(record).toMatchObject({
      costSource: "catalog",
      status: "success",
      projectId: tracker.project,
      tags: ["sdk"],
    });
    expect(record.costAllocation.team).toBe("evals");
    expect(record.cost).toBe(COSTS[name]);
  });
});

describe("what the caller sees is what it would have seen", () => {
  const bare = () => new OpenAI({ apiKey: KEY, baseURL: `${fake.url}/v1`, maxRetries: 0 });
  const salted = { headers: { "x-fake-salt": "the same" } };
  const chat = { model: "gpt-4o-mini", messages: MESSAGES };

  test("a stream that was not asked for its usage tells none", async () => {
    const seen = async (client: OpenAI) => all(await client.chat.completions.create({ ...chat, stream: true }, salted));
    const metered = (await seen(openai())).map(({ id, ...chunk }) => chunk);
    expect(metered).toEqual((await seen(bare())).map(({ id, ...chunk }) => chunk));
    await recorded();
  });

  test("a refusal is thrown as it is, and recorded as free", async () => {
    const call = openai().chat.completions.create(chat, { headers: { "x-fake": "status=429" } });
    await expect(call).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    const [record] = await recorded();
    expect(record).toMatchObject({ status: "error", errorCode: "429", cost: 0 });
    expect(await fake.ledger()).toEqual([]);
  });

  test.each([
    ["Anthropic", () => anthropic().messages.create(ask, { headers: { "x-fake": "status=529" } }), "529"],
    [
      "Google",
      () => google({ "x-fake": "status=400" }).models.generateContent({ model: "gemini-2.5-flash", contents: PROMPT }),
      "400",
    ],
    ["Bedrock", () => bedrock({ "x-fake": "status=429" }).send(new ConverseCommand(converse())), "429"],
  ])("a refusal of %s is recorded", async (_, call, code) => {
    await expect(call()).rejects.toThrow();
    expect(await recorded()).toMatchObject([{ errorCode: code, cost: 0 }]);
  });

  test("a provider that is not there is an error of the caller's, and free", async () => {
    const client = optimizer.observe(new OpenAI({ apiKey: KEY, baseURL: "http://127.0.0.1:1/v1", maxRetries: 0 }));
    await expect(client.chat.completions.create(chat)).rejects.toBeInstanceOf(OpenAI.APIConnectionError);
    expect(await recorded()).toMatchObject([{ errorCode: "unreachable", cost: 0 }]);
  });

  test("a server that does not know stream_options gets the request as it was", async () => {
    const bodies: unknown[] = [];
    const strict = optimizer.observe(
      new OpenAI({
        apiKey: KEY,
        maxRetries: 0,
        fetch: async (url, init) => {
          const body = JSON.parse(String(init?.body));
          bodies.push(body);
          if (body.stream_options)
            return Response.json({ error: { message: "unknown field stream_options" } }, { status: 400 });
          return fetch(String(url).replace("https://api.openai.com", fake.url), init as RequestInit);
        },
      }),
    );
    const asked = { ...chat, stream: true as const };
    expect(await all(await strict.chat.completions.create(asked))).toHaveLength(6);
    expect(bodies).toEqual([{ ...asked, stream_options: { include_usage: true } }, asked]);
    expect(await recorded()).toMatchObject([{ costSource: "estimated", status: "success" }]);
  });
});

describe("streams that are left", () => {
  const headers = { "x-fake": "stall-after=2" };
  const left = async (stream: AsyncIterable<unknown>) => {
    for await (const _ of stream) break;
    return (await recorded())[0];
  };

  test("OpenAI: its tokens are estimated, and the record says so", async () => {
    const stream = await openai().chat.completions.create(
      { model: "gpt-4o-mini", messages: MESSAGES, stream: true },
      { headers },
    );
    expect(await left(stream)).toMatchObject({
      costSource: "estimated",
      status: "success",
      metadata: { clientLeft: true },
    });
  });

  test("Anthropic: the counts that were told stay", async () => {
    const stream = await anthropic().messages.create({ ...ask, stream: true }, { headers });
    expect(await left(stream)).toMatchObject({ promptTokens: 15, metadata: { clientLeft: true } });
  });

  test("Google: the counts that were told stay", async () => {
    const stream = await google(headers).models.generateContentStream({ model: "gemini-2.5-flash", contents: PROMPT });
    expect(await left(stream)).toMatchObject({ promptTokens: 15, metadata: { clientLeft: true } });
  });

  test("Bedrock: its tokens are estimated", async () => {
    const { stream } = await bedrock().send(new ConverseStreamCommand(converse()));
    expect(await left(stream as AsyncIterable<unknown>)).toMatchObject({
      costSource: "estimated",
      metadata: { clientLeft: true },
    });
  });

  test("an aborted stream is one that was left", async () => {
    const stream = await openai().chat.completions.create(
      { model: "gpt-4o-mini", messages: MESSAGES, stream: true },
      { headers },
    );
    stream.controller.abort();
    expect(await recorded()).toMatchObject([{ metadata: { clientLeft: true } }]);
  });

  test("a stream that the provider cuts is an error", async () => {
    const cut = { headers: { "x-fake": "cut-after=2" } };
    const stream = await openai().chat.completions.create(
      { model: "gpt-4o-mini", messages: MESSAGES, stream: true },
      cut,
    );
    await expect(all(stream)).rejects.toThrow();
    expect(await recorded()).toMatchObject([{ status: "error", errorCode: "cut" }]);
  });
});

describe("observing", () => {
  test("twice is once", async () => {
    const client = openai();
    expect(optimizer.observe(client)).toBe(client);
    await client.chat.completions.create({ model: "gpt-4o-mini", messages: MESSAGES });
    expect(await recorded()).toHaveLength(1);
  });

  test("asks who a call is for when it begins", async () => {
    let customerEmail = "a@example.com";
    const client = optimizer.observe(new Anthropic({ apiKey: KEY, baseURL: fake.url }), () => ({ customerEmail }));
    await client.messages.create(ask);
    customerEmail = "b@example.com";
    await client.messages.create(ask);
    expect((await recorded()).map((record) => record.customerEmail)).toEqual(["a@example.com", "b@example.com"]);
  });

  test("takes nothing else", () => {
    expect(() => optimizer.observe({})).toThrow(TypeError);
  });

  test("leaves clients alone that go through the tracker's gateway", async () => {
    await tracker.send("POST", "/api/user/api-keys", { service: "openai", key: KEY });
    const client = optimizer.observe(
      new OpenAI({ apiKey: tracker.key, baseURL: `${tracker.url}/gateway/openai/v1`, maxRetries: 0 }),
    );
    await client.chat.completions.create({ model: "gpt-4o-mini", messages: MESSAGES });
    await optimizer.flush();
    expect(optimizer.stats.waiting).toBe(0);
    expect((await recorded()).filter((record) => record.origin === "bulk")).toEqual([]);
  });

  test("does nothing when usage is not tracked", () => {
    const idle = new AICostOptimizer({ trackUsage: false });
    const client = new OpenAI({ apiKey: KEY });
    const before = (client as unknown as { fetch: unknown }).fetch;
    idle.observe(client);
    expect((client as unknown as { fetch: unknown }).fetch).toBe(before);
  });
});
