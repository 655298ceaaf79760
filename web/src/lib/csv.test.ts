import { expect, test } from "vitest";
import { csvOf } from "./csv";

test("cells are quoted where they must be, and none is a formula", () => {
  expect(
    csvOf([
      ["a", 1.5, null],
      ['say "hi"', "x,y", "=1+1"],
      ["-5", -5, undefined],
    ]),
  ).toBe('a,1.5,\r\n"say ""hi""","x,y",\'=1+1\r\n\'-5,-5,\r\n');
});
