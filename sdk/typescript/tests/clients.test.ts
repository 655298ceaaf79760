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
const COSTS: Record<string, number> = {};

let fake: Fake;
let tracker: TrackerServer;
let optimizer: AICostOptimizer;
let seen = 0;

beforeAll(async () => {
  fake = await Fake.start();
  tracker = await (await TrackerServer.start()).setUp();
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
const anthropic = () => optimizer.observe(new Anthropic({ apiKey: KEY, baseURL: fake.url, maxRetries: 0 }), attribution);
const google = (headers = {}) =>
  optimizer.observe(new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: fake.url, headers } }), attribution);
const bedrock = () =>
  optimizer.observe(
    new BedrockRuntimeClient({
      region: "us-east-1",
      endpoint: fake.url,
      credentials: AWS,
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler(),
    }),
    attribution,
  );
const invoke = {
  modelId: HAIKU,
  contentType: "application/json",
  body: JSON.stringify({ anthropic_version: "bedrock-2023-05-31", max_tokens: 100, messages: MESSAGES }),
};
const converse = (modelId = "amazon.nova-lite-v1:0") => ({
  modelId,
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
  openai_chat_stream: async () => all(await openai().chat.completions.create({ model: "gpt-4o-mini", messages: MESSAGES, stream: true })),
  openai_chat_stream_with_usage: async () =>
    all(
      await openai().chat.completions.create({
        model: "gpt-4o-mini",
        messages: MESSAGES,
        stream: true,
        stream_options: { include_usage: true },
      }),
    ),
  openai_chat_helper: () => openai().chat.completions.stream({ model: "gpt-4o-mini", messages: MESSAGES }).finalChatCompletion(),
  openai_chat_with_response: () => openai().chat.completions.create({ model: "gpt-4o-mini", messages: MESSAGES }).withResponse(),
  openai_responses: () => openai().responses.create({ model: "gpt-4.1-mini", input: PROMPT }),
  openai_responses_stream: async () => all(await openai().responses.create({ model: "gpt-4.1-mini", input: PROMPT, stream: true })),
  openai_embeddings: () => openai().embeddings.create({ model: "text-embedding-3-small", input: [PROMPT, "and more"] }),
  openai_transcription: () =>
    openai().audio.transcriptions.create({
      model: "whisper-1",
      file: new File([new Uint8Array(2004)], "speech.wav", { type: "audio/wav" }),
    }),
  openai_other_options: () => openai().withOptions({ timeout: 9000 }).chat.completions.create({ model: "gpt-4o-mini", messages: MESSAGES }),
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
  google_stream: async () => all(await google().models.generateContentStream({ model: "gemini-2.5-flash", contents: PROMPT })),
  google_chat: () => google().chats.create({ model: "gemini-2.5-flash" }).sendMessage({ message: PROMPT }),
  google_embed: () => google().models.embedContent({ model: "gemini-embedding-001", contents: [PROMPT, "and more"] }),
  bedrock_converse: () => bedrock().send(new ConverseCommand(converse())),
  bedrock_converse_stream: async () => all((await bedrock().send(new ConverseStreamCommand(converse()))).stream ?? []as never),
  bedrock_invoke: () => bedrock().send(new InvokeModelCommand(invoke)),
  bedrock_invoke_stream: async () => all((await bedrock().send(new InvokeModelWithResponseStreamCommand(invoke))).body ?? [] as never),
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
    expect(record).toMatchObject({ costSource: "catalog", status: "success", projectId: tracker.project, tags: ["sdk"] });
    expect(record.costAllocation.team).toBe("evals");
    expect(record.cost).toBeGreaterThan(0);
    console.log(name, record.cost);
  });
});
