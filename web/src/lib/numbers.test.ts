import { expect, test } from "vitest";
import { formatAxis } from "./money";
import { formatMs, formatRate } from "./numbers";

test.each([
  [undefined, "–"],
  [999, "999 ms"],
  [1_500, "1.5 s"],
  [59_999, "60.0 s"],
  [119_999, "2 min 0 s"],
  [5_400_000, "1 h 30 min"],
  [36_000_000_000, "10,000 h 0 min"],
])("%s milliseconds are %s", (ms, text) => {
  expect(formatMs(ms)).toBe(text);
});

test.each([
  [0, "$0"],
  [1e-9, "$0.000000001"],
  [0.01234, "$0.0123"],
  [12.5, "$12.5"],
  [12_500, "$12.5k"],
  [1_250_000, "$1.3M"],
  [8_123_456_789, "$8.1B"],
])("an axis says %d dollars as %s", (value, text) => {
  expect(formatAxis(value)).toBe(text);
});

test.each([
  [0.125, "+12.5 %"],
  [-0.031, "−3.1 %"],
  [-0.0001, "0.0 %"],
  [0, "0.0 %"],
  [25, "+2,500 %"],
])("a change by %d is %s", (rate, text) => {
  expect(formatRate(rate)).toBe(text);
});
