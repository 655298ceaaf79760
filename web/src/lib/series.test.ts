import { expect, test } from "vitest";
import { dimensionsOf } from "./series";

const group = (key: Record<string, string | null>) => ({ key: key as never });

test("an answer that is still of the question before keeps its own dimensions", () => {
  expect(dimensionsOf([group({ service: "openai" })], ["model"])).toEqual(["service"]);
  expect(dimensionsOf([group({ model: null, team: "ops" })], ["team", "model"])).toEqual(["team", "model"]);
  expect(dimensionsOf([], ["model"])).toEqual(["model"]);
});
