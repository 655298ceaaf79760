import type { Money } from "@/api/money-json";
import { differenceOf, nanosOf, numberOf } from "./money";

/** What a provider has billed for a month, as the address says it: `openai:1200.50`. */
const INVOICE = /^(.+):(\d{1,12}(?:\.\d{1,9})?)$/;

export const isAmount = (text: string): text is Money => /^\d{1,12}(\.\d{1,9})?$/.test(text);

/** The amounts by provider; what is no amount is left out. */
export function readInvoices(texts: readonly string[] = []): Map<string, Money> {
  const amounts = new Map<string, Money>();
  for (const text of texts) {
    const [, provider, amount] = INVOICE.exec(text) ?? [];
    if (provider && amount) amounts.set(provider, amount as Money);
  }
  return amounts;
}

/** The same with another amount for a provider; with none where it is empty. */
export function withInvoice(invoices: ReadonlyMap<string, Money>, provider: string, amount: string): string[] {
  const rest = [...invoices].filter(([one]) => one !== provider);
  return [...rest, ...(amount ? [[provider, amount] as const] : [])].map(([one, money]) => `${one}:${money}`);
}

/** How much more than was recorded a provider has billed, exactly, and as a part of what was recorded. */
export function billedMore(billed: Money, recorded: Money): { difference: Money; part: number | undefined } {
  const difference = differenceOf(billed, recorded);
  return { difference, part: nanosOf(recorded) === 0n ? undefined : numberOf(difference) / numberOf(recorded) };
}
