import { expect, test } from "vitest";
import { dimensionsOf, layersOf } from "./series";

const group = (key: Record<string, string | null>) => ({ key: key as never });

test("an answer that is still of the question before keeps its own dimensions", () => {
  expect(dimensionsOf([group({ service: "openai" })], ["model"])).toEqual(["service"]);
  expect(dimensionsOf([group({ model: null, team: "ops" })], ["team", "model"])).toEqual(["team", "model"]);
  expect(dimensionsOf([], ["model"])).toEqual(["model"]);
});

test("a layer says what its calls have, of each dimension", () => {
  const one = (model: string, team: string | null, cost: string) =>
    ({ key: { model, team }, names: {}, date: "2026-11-01", cost, tokens: 1, requests: 1 }) as never;
  const answer = {
    timeline: [{ date: "2026-11-01" }] as never,
    groups: [one("a", "ops", "3"), one("b", null, "2"), one("c", "ops", "1")],
  };
  expect(layersOf(answer, ["model", "team"], "cost", "light", 2).map(({ name, of }) => [name, of])).toEqual([
    ["a · ops", { model: ["a"], team: ["ops"] }],
    ["b · (none)", { model: ["b"], team: ["(none)"] }],
    ["Other", {}],
  ]);
});
