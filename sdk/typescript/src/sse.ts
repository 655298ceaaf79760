/** Server-sent events: reading their JSON, and asking a stream for the usage that it would not tell. */

import { isObject } from "./reply.js";

/** Characters of an event that is looked at; a longer one passes unread. */
const EVENT_LENGTH_MAX = 8 * 1024 * 1024;

/** Cuts a stream into events, blank line included. */
export class Events {
  private open = "";

  /** The events that `piece` completes. */
  push(piece: string): string[] {
    this.open += piece;
    const events: string[] = [];
    for (let end = endOfEvent(this.open); end > 0; end = endOfEvent(this.open)) {
      events.push(this.open.slice(0, end));
      this.open = this.open.slice(end);
    }
    if (this.open.length > EVENT_LENGTH_MAX) events.push(this.rest());
    return events;
  }

  /** What is left at the end. */
  rest(): string {
    const rest = this.open;
    this.open = "";
    return rest;
  }
}

function endOfEvent(text: string): number {
  const found = /\r?\n\r?\n|\r\r/.exec(text);
  return found ? found.index + found[0].length : 0;
}

/** The JSON of an event; undefined where there is none, as in a comment or in `[DONE]`. */
export function dataOf(event: string): unknown {
  const lines = event.split(/\r\n|\r|\n/).filter((line) => line.startsWith("data:"));
  const data = lines.map((line) => line.slice("data:".length).trim()).join("\n");
  try {
    return data === "" ? undefined : JSON.parse(data);
  } catch {
    return undefined;
  }
}

/** OpenAI's last event, which is no JSON. */
export const isDone = (event: string): boolean => /^data:\s*\[DONE\]/m.test(event);

/**
 * The request with the question for usage, or undefined if it asks itself or streams nothing. OpenAI and what is
 * compatible with it say the usage of a streamed chat only when told to:
 * https://platform.openai.com/docs/api-reference/chat/create#chat_create-stream_options
 */
export function askingForUsage(request: unknown, operation: string): string | undefined {
  if (!isObject(request) || request.stream !== true) return undefined;
  if (!Array.isArray(request.messages) && operation !== "text_completion") return undefined;
  const options = isObject(request.stream_options) ? request.stream_options : {};
  if (options.include_usage === true) return undefined;
  return JSON.stringify({ ...request, stream_options: { ...options, include_usage: true } });
}

/** The event as a caller sees it who did not ask for usage; empty if it says nothing else. */
export function withoutUsage(event: string): string {
  if (!event.includes('"usage"')) return event;
  const document = dataOf(event);
  if (!isObject(document) || !Array.isArray(document.choices)) return event;
  const { usage, ...rest } = document;
  if (usage === null) return `data: ${JSON.stringify(rest)}\n\n`;
  return document.choices.length === 0 ? "" : event;
}
