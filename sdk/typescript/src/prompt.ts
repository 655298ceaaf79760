/** What can be taken out of a prompt or put in another order without changing what it says. */

import type { Message } from "./providers.js";

export interface Optimizations {
  /** Blanks that say nothing: at ends of lines, in runs, in runs of empty lines. Not inside of code blocks. */
  whitespace?: boolean;
  /** A long paragraph or code block that stands there before, word by word. */
  duplicates?: boolean;
  /** What stays the same comes first, so that the provider's cache finds it: system, context in a fixed order, question. */
  cacheOrder?: boolean;
  /** Name a cheaper model of the same family (or of the ones listed). Only a suggestion: the call is made as asked. */
  cheaperModel?: boolean | string[];
}

export interface Prompt {
  prompt?: string | undefined;
  system?: string | undefined;
  /** Texts that the question is about. */
  context?: string[] | undefined;
  /** A whole conversation, instead of or before the prompt. */
  messages?: Message[] | undefined;
}

export type TextOptimization = "whitespace" | "duplicates" | "cacheOrder";

/** One change of the prompt, with the texts before and after it. */
export interface Change {
  type: TextOptimization;
  before: Message[];
  after: Message[];
}

/** Shorter paragraphs may be repeated for a reason. */
const DUPLICATE_LENGTH_MIN = 80;
const FENCED = /(^```[\s\S]*?^```[^\n]*$|^~~~[\s\S]*?^~~~[^\n]*$)/m;

/** The conversation as it is sent, and what was changed. */
export function prepare(prompt: Prompt, wanted: Optimizations): { messages: Message[]; changes: Change[] } {
  const changes: Change[] = [];
  let messages = conversation(prompt, false);
  const change = (type: TextOptimization, after: Message[]) => {
    if (JSON.stringify(after) !== JSON.stringify(messages)) changes.push({ type, before: messages, after });
    messages = after;
  };
  if (wanted.cacheOrder) change("cacheOrder", conversation(prompt, true));
  if (wanted.whitespace) change("whitespace", messages.map(withoutBlanks));
  if (wanted.duplicates) change("duplicates", withoutDuplicates(messages));
  return { messages, changes };
}

function conversation({ system, context = [], messages = [], prompt }: Prompt, isStable: boolean): Message[] {
  const question = [...(isStable ? [...context].sort() : context), ...(prompt === undefined ? [] : [prompt])];
  const all: Message[] = [
    ...(system === undefined ? [] : [{ role: "system" as const, content: system }]),
    ...messages,
    ...(question.length === 0 ? [] : [{ role: "user" as const, content: question.join("\n\n") }]),
  ];
  if (!isStable) return all;
  const isSystem = ({ role }: Message) => role === "system";
  return [...all.filter(isSystem), ...all.filter((message) => !isSystem(message))];
}

function withoutBlanks(message: Message): Message {
  const pieces = message.content.split(FENCED).map((piece, index) => (index % 2 === 1 ? piece : squeezed(piece)));
  return { ...message, content: pieces.join("").trim() };
}

/** Indentation stays: it can mean something. */
const squeezed = (text: string) =>
  text
    .replace(/[ \t]+$/gm, "")
    .replace(/(\S)[ \t]{2,}/g, "$1 ")
    .replace(/\n{3,}/g, "\n\n");

function withoutDuplicates(messages: Message[]): Message[] {
  const seen = new Set<string>();
  return messages.map((message) => {
    if (message.role === "assistant") return message;
    const kept = unitsOf(message.content).filter((unit) => {
      const text = unit.trim();
      if (text.length < DUPLICATE_LENGTH_MIN) return true;
      const isNew = !seen.has(text);
      seen.add(text);
      return isNew;
    });
    return { ...message, content: kept.join("").trim() || message.content };
  });
}

/** Paragraphs and code blocks, each with the empty lines after it. */
const unitsOf = (text: string): string[] =>
  text.split(FENCED).flatMap((piece, index) => (index % 2 === 1 ? [piece] : piece.split(/(?<=\n[ \t]*\n)/)));
