import { expect, test } from "vitest";
import { type Money, quoteMoney, unquoteMoney } from "@/api/money-json";
import { differenceOf, formatChange, formatMoney, moneyOf, nanosOf, sumOf } from "./money";

const money = (text: string) => text as Money;

test.each([
  ["0", "$0.00"],
  ["0.000000001", "<$0.0001"],
  ["0.00009999", "<$0.0001"],
  ["0.0001", "$0.0001"],
  ["0.000435", "$0.000435"],
  ["0.0123456", "$0.01235"],
  ["0.5", "$0.50"],
  ["0.99995", "$1.00"],
  ["0.99994", "$0.9999"],
  ["1.005", "$1.00"],
  ["1.015", "$1.02"],
  ["1234567.891", "$1,234,567.89"],
  ["9223372036.854775807", "$9,223,372,036.85"],
  ["-4.6053789", "−$4.61"],
  ["-0.00001", "−<$0.0001"],
])("%s is shown as %s", (digits, shown) => {
  expect(formatMoney(money(digits))).toBe(shown);
});

test("unknown is not zero", () => {
  expect(formatMoney(null)).toBe("unknown");
});

test("sums and differences are exact", () => {
  expect(sumOf([money("0.1"), money("0.2"), money("9007199254740993.000000001")])).toBe("9007199254740993.300000001");
  expect(differenceOf(money("1"), money("1.000000001"))).toBe("-0.000000001");
  expect(moneyOf(nanosOf("-12.50"))).toBe("-12.5");
  expect(formatChange(money("2"))).toBe("+$2.00");
});

test("money of an answer keeps its digits, and nothing else is touched", () => {
  const json = String.raw`{"cost":9223372036.854775807, "share":0.5,"tokens":7,"note":"\"cost\":1","cost\"":2,"costs":3,"low": -0.000000001,"total":20,"items":[{"total":1.50}],"cost":null,"data":{"totalCost":1e-7}}`;
  expect(JSON.parse(quoteMoney(json))).toEqual({
    cost: null,
    share: 0.5,
    tokens: 7,
    note: '"cost":1',
    'cost"': 2,
    costs: 3,
    low: "-0.000000001",
    total: 20,
    items: [{ total: "1.50" }],
    data: { totalCost: "1e-7" },
  });
  expect(quoteMoney('{"cost":9223372036.854775807}')).toBe('{"cost":"9223372036.854775807"}');
});

test("money of a request is a number of the same digits", () => {
  const body = { amount: "1000.10", name: "cost", note: '"amount":"1"', tags: ["amount", "5"], cost: "0.000000001" };
  expect(unquoteMoney(JSON.stringify(body))).toBe(
    String.raw`{"amount":1000.10,"name":"cost","note":"\"amount\":\"1\"","tags":["amount","5"],"cost":0.000000001}`,
  );
});
