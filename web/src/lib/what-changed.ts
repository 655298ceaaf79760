/**
 * What made the difference between two periods, cell by cell (a project × a model, say).
 *
 * A cell costs `c = q · p`: tokens times cost per token. With `Q = Σq`, shares `s = q ÷ Q`, 0 for before and 1 for after:
 *
 * - volume: `(Q₁ − Q₀) · s₀ · p₀`, what it would be if everything had only grown alike;
 * - mix:    `Q₁ · (s₁ − s₀) · p₀`, work that moved to cells that are dearer or cheaper;
 * - price:  `q₁ · (p₁ − p₀)`, the same tokens at another cost each (rates, caching, longer answers).
 *
 * The three add up to `c₁ − c₀` exactly. A cell that is new has no price before: `p₀ = p₁`, so it is all mix; one that is
 * gone likewise. A cell that costs without having tokens (in either period) cannot be split: all of it is price.
 */
export type Cell = { key: string; cost: number; tokens: number };

export type Contribution = {
  key: string;
  before: number;
  after: number;
  change: number;
  volume: number;
  mix: number;
  price: number;
};

export type WhatChanged = {
  before: number;
  after: number;
  change: number;
  volume: number;
  mix: number;
  price: number;
  contributions: Contribution[];
};

type Pair = { key: string; c0: number; q0: number; c1: number; q1: number };

export function whatChanged(before: readonly Cell[], after: readonly Cell[]): WhatChanged {
  const pairs = paired(before, after);
  const split = pairs.filter(canBeSplit);
  const whole = { q0: sum(split, (pair) => pair.q0), q1: sum(split, (pair) => pair.q1) };
  const contributions = pairs
    .map((pair) => contribution(pair, whole))
    .sort((one, other) => Math.abs(other.change) - Math.abs(one.change));
  const total = (of: (one: Contribution) => number) => sum(contributions, of);
  return {
    before: total((one) => one.before),
    after: total((one) => one.after),
    change: total((one) => one.change),
    volume: total((one) => one.volume),
    mix: total((one) => one.mix),
    price: total((one) => one.price),
    contributions,
  };
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number => items.reduce((all, item) => all + of(item), 0);

function paired(before: readonly Cell[], after: readonly Cell[]): Pair[] {
  const pairs = new Map<string, Pair>();
  for (const cell of before) pairs.set(cell.key, { key: cell.key, c0: cell.cost, q0: cell.tokens, c1: 0, q1: 0 });
  for (const cell of after) {
    const pair = pairs.get(cell.key) ?? { key: cell.key, c0: 0, q0: 0, c1: 0, q1: 0 };
    pairs.set(cell.key, { ...pair, c1: cell.cost, q1: cell.tokens });
  }
  return [...pairs.values()];
}

const canBeSplit = ({ c0, q0, c1, q1 }: Pair): boolean => (q0 > 0 || c0 === 0) && (q1 > 0 || c1 === 0);

function contribution(pair: Pair, whole: { q0: number; q1: number }): Contribution {
  const { key, c0, q0, c1, q1 } = pair;
  const change = c1 - c0;
  const known = { key, before: c0, after: c1, change };
  if (!canBeSplit(pair)) return { ...known, volume: 0, mix: 0, price: change };
  const p1 = q1 > 0 ? c1 / q1 : 0;
  const p0 = q0 > 0 ? c0 / q0 : p1;
  const s0 = whole.q0 > 0 ? q0 / whole.q0 : 0;
  const volume = (whole.q1 - whole.q0) * s0 * p0;
  const price = q1 * ((q1 > 0 ? p1 : p0) - p0);
  return { ...known, volume, mix: change - volume - price, price };
}
