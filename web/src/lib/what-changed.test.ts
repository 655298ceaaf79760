import { expect, test } from "vitest";
import { type Cell, whatChanged } from "./what-changed";

const cell = (key: string, cost: number, tokens: number): Cell => ({ key, cost, tokens });
const effects = (before: Cell[], after: Cell[]) =>
  Object.fromEntries(
    whatChanged(before, after).contributions.map(({ key, volume, mix, price, change }) => [
      key,
      [volume, mix, price, change].map((figure) => Math.round(figure * 1e6) / 1e6 + 0),
    ]),
  );

test.each([
  // Twice the tokens at the same price and mix: all volume.
  [
    "volume",
    [cell("a", 10, 100), cell("b", 30, 100)],
    [cell("a", 20, 200), cell("b", 60, 200)],
    { a: [10, 0, 0, 10], b: [30, 0, 0, 30] },
  ],
  // 200 tokens both times, 50 of them moved from a ($0.10) to b ($0.30): a −5, b +15, all mix.
  [
    "mix",
    [cell("a", 10, 100), cell("b", 30, 100)],
    [cell("a", 5, 50), cell("b", 45, 150)],
    { b: [0, 15, 0, 15], a: [0, -5, 0, -5] },
  ],
  // The same tokens, a at half the price: all price.
  ["price", [cell("a", 10, 100)], [cell("a", 5, 100)], { a: [0, 0, -5, -5] }],
  // By hand: Q₀ = 200, Q₁ = 300. a: p₀ = 0.1, p₁ = 0.2, s₀ = ½, s₁ = ⅓; volume 100·½·0.1 = 5, mix 300·(⅓−½)·0.1 = −5,
  // price 100·0.1 = 10. b: p₀ = p₁ = 0.3, s₁ = ⅔; volume 100·½·0.3 = 15, mix 300·(⅔−½)·0.3 = 15, price 0.
  [
    "all three",
    [cell("a", 10, 100), cell("b", 30, 100)],
    [cell("a", 20, 100), cell("b", 60, 200)],
    { b: [15, 15, 0, 30], a: [5, -5, 10, 10] },
  ],
  // A new cell is all mix; the old one's share falls from 1 to ½: Q₀ = 100, Q₁ = 200, volume 100·1·0.1, mix 200·(½−1)·0.1.
  ["new", [cell("a", 10, 100)], [cell("a", 10, 100), cell("n", 40, 100)], { n: [0, 40, 0, 40], a: [10, -10, 0, 0] }],
  // A cell that is gone: Q₀ = 200, Q₁ = 100; g: volume −100·½·0.4 = −20, mix 100·(0−½)·0.4 = −20.
  ["gone", [cell("a", 10, 100), cell("g", 40, 100)], [cell("a", 10, 100)], { g: [-20, -20, 0, -40], a: [-5, 5, 0, 0] }],
  ["without tokens", [cell("image", 4, 0)], [cell("image", 9, 0)], { image: [0, 0, 5, 5] }],
  ["from nothing", [], [cell("a", 10, 100)], { a: [0, 10, 0, 10] }],
  ["free", [cell("a", 0, 100)], [cell("a", 0, 300)], { a: [0, 0, 0, 0] }],
])("%s", (_, before, after, expected) => {
  expect(effects(before, after)).toEqual(expected);
});

test("the effects of all cells add up to the difference", () => {
  const before = Array.from({ length: 40 }, (_, index) =>
    cell(`c${index}`, (index * 7919) % 101, (index * 104_729) % 997),
  );
  const after = Array.from({ length: 40 }, (_, index) =>
    cell(`c${index + 5}`, (index * 6151) % 89, (index * 3571) % 883),
  );
  const { volume, mix, price, change, contributions } = whatChanged(before, after);
  expect(volume + mix + price).toBeCloseTo(change, 6);
  expect(contributions.reduce((sum, one) => sum + one.change, 0)).toBeCloseTo(change, 6);
  expect(Math.abs(contributions[0]?.change ?? 0)).toBe(Math.max(...contributions.map((one) => Math.abs(one.change))));
});
