/**
 * What a provider's reply says of itself, without what it says: the tracker reads the counts of every provider, so the
 * SDK counts nothing. It keeps the structure of a reply with its numbers and empties its texts.
 */

export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

/** Words that tell what a call was and what it is charged as; any other text is emptied. */
const WORDS = new Set(
  (
    "id responseId response_id generation_id object type model modelVersion model_version service_tier serviceTier " +
    "trafficType traffic_type speed inference_geo ttl modality status stop_reason stopReason finish_reason finishReason " +
    "size quality search_type reason invokedModelId currency"
  ).split(" "),
);
/** Where replies keep their counts. */
const COUNTS = [
  "usage",
  "usageMetadata",
  "usage_metadata",
  "usage_info",
  "x_groq",
  "amazon-bedrock-invocationMetrics",
  "inputTextTokenCount",
  "prompt_token_count",
  "generation_token_count",
  "meta",
];
/** Texts of which it counts that they are there: pictures. */
const COUNTED_TEXTS = new Set(["b64_json", "url", "bytesBase64Encoded"]);
/** What the first document of a reply says of these holds; events have others later. */
const FIRST = new Set(["id", "responseId", "response_id", "type", "object"]);
/** What tells whose reply it is. */
const INTRODUCTIONS = ["id", "responseId", "response_id", "model", "modelVersion", "model_version"];
/** Keys under which replies put pieces of the answer. */
const TEXTS = new Set(
  "content text delta arguments partial_json thinking reasoning_content reasoning generation outputText".split(" "),
);
const WORD_LENGTH_MAX = 256;
const ITEMS_MAX = 1000;
const DEPTH_MAX = 32;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value with its structure and numbers, its texts empty. */
function emptied(value: Json, key = "", depth = 0): Json {
  if (typeof value === "string") return WORDS.has(key) && value.length <= WORD_LENGTH_MAX ? value : "";
  if (typeof value !== "object" || value === null) return value;
  if (depth > DEPTH_MAX) return null;
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item === "number")) return [];
    // Embeddings are alike; that there are some is all that matters.
    const isEmbeddings = isObject(value[0]) && value[0].object === "embedding";
    return value.slice(0, isEmbeddings ? 1 : ITEMS_MAX).map((item) => emptied(item, key, depth + 1));
  }
  const kept = Object.entries(value).filter(([name]) => name !== "logprobs");
  const inner = kept.map(([name, item]) => [name, emptied(item, name, depth + 1)] as const);
  return Object.fromEntries(inner.filter(([name, item]) => item !== "" || COUNTED_TEXTS.has(name)));
}

/** Adds what `from` says to `into`: a later value replaces an earlier one, null and absence do not. */
function merge(into: JsonObject, from: JsonObject): void {
  for (const [key, value] of Object.entries(from)) {
    const known = into[key];
    if (value === null || (known !== undefined && (FIRST.has(key) || value === ""))) continue;
    into[key] = known === undefined ? value : merged(known, value);
  }
}

function merged(known: Json, value: Json): Json {
  if (isObject(known) && isObject(value)) {
    merge(known, value);
    return known;
  }
  if (!Array.isArray(known) || !Array.isArray(value)) return value;
  const longer = Array.from({ length: Math.max(known.length, value.length) });
  return longer.map((_, index) => {
    const [before, after] = [known[index], value[index]];
    return before === undefined || after === undefined ? ((after ?? before) as Json) : merged(before, after);
  });
}

/** A transcription of before there was `usage` has its duration beside it. */
const withDuration = (document: JsonObject): JsonObject =>
  typeof document.duration === "number" && document.task !== undefined && document.usage === undefined
    ? { ...document, usage: { type: "duration", seconds: document.duration } }
    : document;

/** The reply in a line of a batch's results, of OpenAI, Anthropic, Bedrock and Gemini in turn. */
function batched({ response, result, modelOutput, key, request }: JsonObject): JsonObject | undefined {
  if (isObject(response) && isObject(response.body)) return response.body;
  if (isObject(result) && isObject(result.message)) return result.message;
  if (isObject(modelOutput)) return modelOutput;
  return isObject(response) && (key !== undefined || request !== undefined) ? response : undefined;
}

/** The reply that an event of a stream holds, or the document itself. */
function replyIn(document: JsonObject): JsonObject {
  const { response, interaction, message, metadata, delta, result } = document;
  if (isObject(response)) return response;
  if (isObject(interaction)) return interaction;
  if (isObject(message) && document.type === "message_start") return message;
  if (isObject(metadata) && isObject(metadata.usage)) return metadata;
  if (isObject(delta) && isObject(delta.usage)) return delta;
  if (isObject(result) && isObject(result.usage)) return result;
  return document;
}

function counts(document: JsonObject): boolean {
  const choice = Array.isArray(document.choices) ? document.choices[0] : undefined;
  const isInChoice = isObject(choice) && isObject(choice.usage);
  return isInChoice || COUNTS.some((key) => document[key] !== undefined && document[key] !== null);
}

/** The type of an event says nothing of the reply that it is a part of. */
const isEvent = ({ type }: JsonObject) => typeof type === "string" && /[-._]/.test(type);

/** Gathers the documents of one reply. */
export class Reply {
  private readonly gathered: JsonObject = {};
  private texts: string[] = [];
  private textLength = 0;
  /** Whether it was a line of a batch's results. */
  isBatched = false;

  constructor(private readonly textLengthMax: number) {}

  /** Adds a whole reply, an event of a stream, or a list of events. */
  add(document: unknown): void {
    if (Array.isArray(document)) {
      for (const event of document) this.add(event);
      return;
    }
    if (!isObject(document)) return;
    const line = batched(document);
    if (line) {
      this.isBatched = true;
      this.add(line);
      return;
    }
    this.addText(document);
    const reply = replyIn(withDuration(document));
    const isIntroduced = this.id !== undefined && this.model !== undefined;
    const introduces = !isIntroduced && INTRODUCTIONS.some((key) => typeof reply[key] === "string");
    if (counts(reply) || introduces) {
      const { type, delta, ...rest } = emptied(reply) as JsonObject;
      merge(this.gathered, type === undefined || isEvent(reply) ? rest : { type, ...rest });
    }
    for (const key of COUNTS) {
      if (reply !== document && isObject(document[key])) merge(this.gathered, { [key]: emptied(document[key]) });
    }
  }

  /** What the reply says of itself. */
  get digest(): JsonObject {
    return this.gathered;
  }

  get id(): string | undefined {
    return this.word("id") ?? this.word("responseId") ?? this.word("response_id");
  }

  get model(): string | undefined {
    return this.word("model") ?? this.word("modelVersion") ?? this.word("model_version");
  }

  get isCounted(): boolean {
    return counts(this.gathered);
  }

  /** The answer so far. */
  get text(): string {
    return this.texts.join("");
  }

  private word(key: string): string | undefined {
    const value = this.gathered[key];
    return typeof value === "string" && value !== "" ? value : undefined;
  }

  private addText(document: JsonObject): void {
    // OpenAI's Responses repeat at the end of each part, and of the whole, what came piece by piece.
    const type = typeof document.type === "string" ? document.type : "";
    if (type.startsWith("response.") && !type.endsWith(".delta")) return;
    this.collect(document, "");
  }

  private collect(value: Json, key: string): void {
    if (this.textLength >= this.textLengthMax) return;
    if (typeof value === "string") {
      if (!TEXTS.has(key)) return;
      this.texts.push(value);
      this.textLength += value.length;
    } else if (Array.isArray(value)) {
      for (const item of value) this.collect(item, key);
    } else if (isObject(value)) {
      for (const [name, inner] of Object.entries(value)) this.collect(inner, name);
    }
  }
}

/** The texts of a request, for calls whose tokens nobody counted. */
export function promptOf(request: unknown, lengthMax: number): string {
  const texts: string[] = [];
  let length = 0;
  const collect = (value: Json, key: string): void => {
    if (length >= lengthMax) return;
    if (typeof value === "string") {
      if (!["text", "content", "input", "prompt", "system", "instructions", "inputText"].includes(key)) return;
      texts.push(value);
      length += value.length + 1;
    } else if (Array.isArray(value)) {
      for (const item of value) collect(item, key);
    } else if (isObject(value)) {
      for (const [name, inner] of Object.entries(value)) collect(inner, name);
    }
  };
  collect(request as Json, "");
  return texts.join("\n");
}
