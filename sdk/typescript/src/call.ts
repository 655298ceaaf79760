/** One call to a provider: what is seen of it → the record that the tracker gets. */

import type { Clock } from "./clock.js";
import type { KeyedRecord } from "./queue.js";
import { isObject, type JsonObject, promptOf, Reply } from "./reply.js";
import type { Target } from "./target.js";
import type { Attribution } from "./types.js";

/** Whether texts go to the tracker: never, to estimate calls whose tokens nobody counted, or always. */
export type SendTexts = "never" | "uncounted" | "always";

/** How a call ended: by itself, because the caller left, or because the provider broke off or never answered. */
export type End = "whole" | "left" | "cut" | "aborted" | "unreachable";

/** Characters of prompt and answer that are kept at most. */
export const TEXT_LENGTH_MAX = 256 * 1024;
/** Kinds of calls that are charged by the tokens of their texts. */
const WITH_TEXT = new Set(["chat", "text_completion", "generate_content", "invoke_model", "embeddings"]);
/** After these, nothing of a reply comes. */
const LAST_EVENTS = new Set(["message_stop", "response.completed", "response.incomplete", "response.failed"]);
const ERROR_LENGTH_MAX = 1000;

export class Call {
  readonly reply = new Reply(TEXT_LENGTH_MAX);
  private readonly startedAt: number;
  private firstPieceAt: number | undefined;
  private error: JsonObject | undefined;
  private isComplete = false;
  private isRecorded = false;

  constructor(
    private readonly target: Target,
    private readonly request: unknown,
    private readonly attribution: Attribution,
    private readonly context: { clock: Clock; sendTexts: SendTexts; record: (record: KeyedRecord) => void },
  ) {
    this.startedAt = context.clock.now();
  }

  /** The first piece of a stream has come. */
  begins(): void {
    this.firstPieceAt ??= this.context.clock.now();
  }

  /** Adds a whole reply, or an event of a stream; an event may say that the provider failed. */
  add(document: unknown): void {
    try {
      this.reply.add(document);
    } catch {
      // Metering never breaks the metered call.
    }
    if (!isObject(document)) return;
    const { response } = document;
    const error = document.error ?? (isObject(response) ? response.error : undefined);
    if (isObject(error)) this.error = error;
    if (LAST_EVENTS.has(String(document.type))) this.isComplete = true;
  }

  /** The last event of a stream has come. */
  completes(): void {
    this.isComplete = true;
  }

  /** Records the call, once. `status` is the provider's; `error` what it said when it refused. */
  ends(end: End, status?: number, error?: unknown): void {
    if (this.isRecorded) return;
    this.isRecorded = true;
    try {
      // Clients stop reading when the last event has come; nothing was left then.
      const outcome = outcomeOf(end === "left" && this.isComplete ? "whole" : end, status, error, this.error);
      const record = { ...this.facts(), ...this.usage(end, status), ...outcome, ...this.attribution };
      const metadata = { ...outcome.metadata, ...this.attribution.metadata };
      this.context.record(Object.keys(metadata).length > 0 ? { ...record, metadata } : record);
    } catch {
      // Metering never breaks the metered call.
    }
  }

  private facts() {
    const { clock } = this.context;
    const { service, operation, model } = this.target;
    const { id } = this.reply;
    return {
      service,
      model: model ?? this.reply.model ?? "unknown",
      operation,
      ...(this.reply.isBatched && { serviceTier: "batch" }),
      // The provider's id of the reply is the call's identity, through whichever door it is told of.
      requestId: id ? `reply:${service}:${id}` : clock.uniqueKey(),
      timestamp: new Date(this.startedAt).toISOString(),
      responseTime: clock.now() - this.startedAt,
      ...(this.firstPieceAt !== undefined && { timeToFirstToken: this.firstPieceAt - this.startedAt }),
    };
  }

  private usage(end: End, status: number | undefined) {
    const { digest, isCounted, text } = this.reply;
    const counted = Object.keys(digest).length > 0 ? { usage: digest as Record<string, never> } : {};
    const isRefused = status !== undefined && status >= 400;
    // Providers do not charge for what they refuse or never got, and that is known.
    if (!isCounted && (isRefused || end === "unreachable")) return { cost: 0 };
    // What is spoken is charged by the character, and only the request says how many there are.
    if (!isCounted && this.target.operation === "speech") return { ...counted, ...spoken(this.request) };
    const sendTexts = WITH_TEXT.has(this.target.operation) ? this.context.sendTexts : "never";
    if (sendTexts === "never" || (sendTexts === "uncounted" && isCounted)) return counted;
    // A whole answer of which nothing could be read is unknown; it would be taken for an empty one.
    if (!isCounted && end === "whole" && text === "") return counted;
    return { ...counted, prompt: promptOf(this.request, TEXT_LENGTH_MAX), completion: text };
  }
}

/** Characters of a text to be spoken, as people count them. */
function spoken(request: unknown): { inputCharacters?: number } {
  const text = isObject(request) ? request.input : undefined;
  return typeof text === "string" ? { inputCharacters: [...text].length } : {};
}

interface Outcome {
  status: "success" | "error";
  errorCode?: string;
  errorMessage?: string;
  metadata?: Record<string, unknown>;
}

const ENDS: Record<End, Outcome> = {
  whole: { status: "success" },
  left: { status: "success", metadata: { clientLeft: true } },
  cut: failure("cut", "the provider broke off before the end of its answer"),
  aborted: failure("aborted", "the caller gave up before the provider answered"),
  unreachable: failure("unreachable", "the provider could not be reached"),
};

function failure(errorCode: string, errorMessage: string): Outcome {
  return { status: "error", errorCode, errorMessage };
}

function outcomeOf(end: End, status: number | undefined, refusal: unknown, inStream: JsonObject | undefined): Outcome {
  if (status !== undefined && status >= 400) {
    return { status: "error", errorCode: String(status), ...messageOf(refusal) };
  }
  if (end !== "whole" || inStream === undefined) return ENDS[end];
  const code = [inStream.code, inStream.type].find((word) => typeof word === "string" || typeof word === "number");
  return { status: "error", errorCode: String(code ?? "stream_error"), ...messageOf(inStream) };
}

/** The message in a provider's error, wherever it stands. */
function messageOf(error: unknown): { errorMessage?: string } {
  const inner = isObject(error) && isObject(error.error) ? error.error : error;
  const message = isObject(inner) ? (inner.message ?? inner.Message) : inner;
  return typeof message === "string" && message !== "" ? { errorMessage: message.slice(0, ERROR_LENGTH_MAX) } : {};
}
