// The calls of the Node SDKs, each by its name. Reads one call a line from standard input and answers each with a line:
// what it parsed, or what went wrong.

import { createInterface } from "node:readline";

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
import OpenAI from "openai";

const PROMPT = "Say something about the price of things";
const WEATHER = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const MESSAGES = [
  { role: "system", content: "Be brief." },
  { role: "user", content: PROMPT },
];

const all = async (stream) => {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
};

const openai = (to) =>
  new OpenAI({ baseURL: `${to.url}/v1`, apiKey: to.key, defaultHeaders: to.headers, maxRetries: 0 });

const anthropic = (to) =>
  new Anthropic({ baseURL: to.url, apiKey: to.key, defaultHeaders: to.headers, maxRetries: 0 });
const ask = (more) => ({
  model: "claude-haiku-4-5",
  max_tokens: 100,
  messages: [{ role: "user", content: PROMPT }],
  ...more,
});
const cached = [
  { type: "text", text: "A long text.", cache_control: { type: "ephemeral" } },
  { type: "text", text: "A longer text.", cache_control: { type: "ephemeral", ttl: "1h" } },
];

const speech = async (to, model) => {
  const sound = await openai(to).audio.speech.create({ model, voice: "alloy", input: PROMPT });
  return Buffer.from(await sound.arrayBuffer()).toString("hex");
};

const google = (to, headers = {}) =>
  new GoogleGenAI({ apiKey: to.key, httpOptions: { baseUrl: to.url, headers: { ...to.headers, ...headers } } });
// What it keeps of the HTTP reply is not the same by two ways.
const parsed = ({ sdkHttpResponse, ...reply }) => reply;

// By itself the SDK speaks HTTP/2 to Bedrock; `bedrock_over_http2` has it so. The rest is compared byte by byte.
const bedrock = (to, headers = {}, handler = { requestHandler: new NodeHttpHandler() }) => {
  const client = new BedrockRuntimeClient({
    region: "us-east-1",
    endpoint: to.url,
    credentials: { accessKeyId: to.awsAccessKey, secretAccessKey: to.awsSecretKey },
    maxAttempts: 1,
    ...handler,
  });
  client.middlewareStack.add(
    (next) => (step) => {
      Object.assign(step.request.headers, to.headers, headers);
      return next(step);
    },
    { step: "build" },
  );
  return client;
};
const converse = {
  modelId: "amazon.nova-lite-v1:0",
  messages: [{ role: "user", content: [{ text: PROMPT }] }],
  inferenceConfig: { maxTokens: 100 },
};
const invoke = {
  modelId: "anthropic.claude-3-haiku-20240307-v1:0",
  contentType: "application/json",
  body: JSON.stringify({
    anthropic_version: "bedrock-2023-05-31",
    max_tokens: 100,
    messages: [{ role: "user", content: PROMPT }],
  }),
};
const withoutHttp = ({ $metadata, ...reply }) => reply;
const text = (bytes) => new TextDecoder().decode(bytes);

const failure = async (call, kind, seen) => {
  try {
    await call;
  } catch (error) {
    if (error instanceof kind) return seen(error);
    throw error;
  }
  throw new Error("it did not fail");
};

const calls = {
  openai_chat: (to) => openai(to).chat.completions.create({ model: "gpt-4o-mini", messages: MESSAGES }),
  openai_chat_stream: async (to) =>
    all(
      await openai(to).chat.completions.create({
        model: "gpt-4o-mini",
        messages: MESSAGES,
        stream: true,
        stream_options: { include_usage: true },
      }),
    ),
  openai_chat_stream_without_usage: async (to) =>
    all(await openai(to).chat.completions.create({ model: "gpt-4o-mini", messages: MESSAGES, stream: true })),
  openai_tools: (to) =>
    openai(to).chat.completions.create({
      model: "gpt-4.1-mini",
      messages: MESSAGES,
      tools: [{ type: "function", function: { name: "weather", parameters: WEATHER } }],
      tool_choice: "required",
    }),
  openai_responses: (to) => openai(to).responses.create({ model: "gpt-4.1-mini", input: PROMPT }),
  openai_responses_stream: async (to) =>
    all(await openai(to).responses.create({ model: "gpt-4.1-mini", input: PROMPT, stream: true })),
  openai_embeddings: (to) =>
    openai(to).embeddings.create({ model: "text-embedding-3-small", input: [PROMPT, "and more"] }),
  openai_transcription: (to) =>
    openai(to).audio.transcriptions.create({
      model: "whisper-1",
      file: new File([new Uint8Array(2004)], "speech.wav", { type: "audio/wav" }),
    }),
  openai_image: (to) => openai(to).images.generate({ model: "gpt-image-1", prompt: PROMPT }),
  openai_speech: (to) => speech(to, "tts-1"),
  openai_speech_unpriced: (to) => speech(to, "gpt-4o-mini-tts"),
  openai_file: (to) => openai(to).files.create({ file: new File(["{}\n"], "in.jsonl"), purpose: "batch" }),
  openai_batch: (to) =>
    openai(to).batches.create({
      input_file_id: "file-1",
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
    }),
  openai_batch_results: async (to) => (await openai(to).files.content("file-out-node")).text(),
  openai_models: (to) => all(openai(to).models.list()),
  openai_error_429: (to) =>
    failure(
      openai(to).chat.completions.create(
        { model: "gpt-4o-mini", messages: MESSAGES },
        { headers: { "x-fake": "status=429" } },
      ),
      OpenAI.RateLimitError,
      (error) => ["RateLimitError", error.status, error.code, error.headers.get("retry-after")],
    ),
  openai_error_400: (to) =>
    failure(
      openai(to).chat.completions.create(
        { model: "gpt-4o-mini", messages: MESSAGES },
        { headers: { "x-fake": "status=400" } },
      ),
      OpenAI.BadRequestError,
      (error) => ["BadRequestError", error.status, error.type],
    ),

  anthropic_messages: (to) => anthropic(to).messages.create(ask()),
  anthropic_stream: (to) => anthropic(to).messages.stream(ask()).finalMessage(),
  anthropic_cache_write: (to) => anthropic(to).messages.create(ask({ system: cached })),
  anthropic_cache_read: (to) =>
    anthropic(to).messages.create(ask({ system: cached }), { headers: { "x-fake": "cache-read" } }),
  anthropic_tools: (to) =>
    anthropic(to).messages.create(
      ask({ tools: [{ name: "weather", input_schema: WEATHER }], tool_choice: { type: "any" } }),
    ),
  anthropic_count_tokens: (to) => {
    const { max_tokens, ...asked } = ask();
    return anthropic(to).messages.countTokens(asked);
  },
  anthropic_batch: (to) =>
    anthropic(to).messages.batches.create({ requests: [{ custom_id: "one", params: ask() }] }),
  anthropic_batch_results: async (to) => all(await anthropic(to).messages.batches.results("msgbatch_node")),
  anthropic_models: (to) => all(anthropic(to).models.list()),
  anthropic_error_529: (to) =>
    failure(
      anthropic(to).messages.create(ask(), { headers: { "x-fake": "status=529" } }),
      Anthropic.InternalServerError,
      (error) => ["InternalServerError", error.status, error.error],
    ),
  anthropic_error_429: (to) =>
    failure(
      anthropic(to).messages.create(ask(), { headers: { "x-fake": "status=429" } }),
      Anthropic.RateLimitError,
      (error) => ["RateLimitError", error.status, error.error],
    ),

  google_generate: async (to) =>
    parsed(await google(to).models.generateContent({ model: "gemini-2.5-flash", contents: PROMPT })),
  google_stream: async (to) => {
    const stream = await google(to).models.generateContentStream({ model: "gemini-2.5-flash", contents: PROMPT });
    return (await all(stream)).map(parsed);
  },
  google_embed: async (to) =>
    parsed(
      await google(to).models.embedContent({ model: "gemini-embedding-001", contents: [PROMPT, "and more"] }),
    ),
  google_count_tokens: async (to) =>
    parsed(await google(to).models.countTokens({ model: "gemini-2.5-flash", contents: PROMPT })),
  google_models: async (to) => all(await google(to).models.list()),
  google_error_429: (to) =>
    failure(
      google(to, { "x-fake": "status=429" }).models.generateContent({ model: "gemini-2.5-flash", contents: PROMPT }),
      Error,
      (error) => [error.name, error.status, error.message],
    ),

  bedrock_converse: async (to) => withoutHttp(await bedrock(to).send(new ConverseCommand(converse))),
  bedrock_over_http2: async (to) => withoutHttp(await bedrock(to, {}, {}).send(new ConverseCommand(converse))),
  bedrock_bearer: async (to) => {
    const bearer = { token: { token: to.key }, authSchemePreference: ["httpBearerAuth"] };
    const handler = { requestHandler: new NodeHttpHandler(), ...bearer };
    return withoutHttp(await bedrock(to, {}, handler).send(new ConverseCommand(converse)));
  },
  bedrock_converse_stream: async (to) => {
    const reply = await bedrock(to).send(new ConverseStreamCommand(converse));
    return all(reply.stream);
  },
  bedrock_invoke: async (to) => text((await bedrock(to).send(new InvokeModelCommand(invoke))).body),
  bedrock_invoke_stream: async (to) => {
    const reply = await bedrock(to).send(new InvokeModelWithResponseStreamCommand(invoke));
    return (await all(reply.body)).map((event) => text(event.chunk.bytes));
  },
  bedrock_error_429: (to) =>
    failure(
      bedrock(to, { "x-fake": "status=429" }).send(new ConverseCommand(converse)),
      Error,
      (error) => [error.name, error.message],
    ),
};

if (process.argv[2] === "--list") {
  console.log(JSON.stringify(Object.keys(calls)));
} else {
  for await (const line of createInterface({ input: process.stdin })) {
    const { call, to } = JSON.parse(line);
    try {
      console.log(JSON.stringify({ parsed: await calls[call](to) }));
    } catch (error) {
      console.log(JSON.stringify({ failed: `${error.stack ?? error}` }));
    }
  }
}
