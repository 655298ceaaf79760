import { expect, test } from "vitest";
import type { Money } from "@/api/money-json";
import { billedMore, readInvoices, withInvoice } from "./invoices";

test("amounts are read from the address, and what is none is left out", () => {
  expect([...readInvoices(["openai:1200.50", "a:b:3", "google", "mistral:-1", "anthropic:1e3"])]).toEqual([
    ["openai", "1200.50"],
    ["a:b", "3"],
  ]);
});

test("an amount is put in the place of another, and taken out", () => {
  const invoices = readInvoices(["openai:1", "google:2"]);
  expect(withInvoice(invoices, "openai", "3.25")).toEqual(["google:2", "openai:3.25"]);
  expect(withInvoice(invoices, "openai", "")).toEqual(["google:2"]);
});

test.each([
  ["100.00", "99.999999999", "0.000000001", 1e-11],
  ["90", "100", "-10", -0.1],
  ["5", "0", "5", undefined],
])("%s billed and %s recorded are %s more", (billed, recorded, difference, part) => {
  const more = billedMore(billed as Money, recorded as Money);
  expect(more.difference).toBe(difference);
  if (part === undefined) expect(more.part).toBeUndefined();
  else expect(more.part).toBeCloseTo(part, 12);
});
