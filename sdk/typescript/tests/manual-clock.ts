import type { Clock } from "../src/clock.js";

/** Time that moves when it is told to. */
export class ManualClock implements Clock {
  private time = Date.UTC(2026, 0, 1);
  private timers: { at: number; act: () => void }[] = [];
  private keys = 0;

  constructor(private readonly chance = 0.999) {}

  now = () => this.time;
  random = () => this.chance;
  uniqueKey = () => `key-${++this.keys}`;

  after(milliseconds: number, act: () => void) {
    const timer = { at: this.time + milliseconds, act };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  /** Lets so much time pass, with everything that falls due in it. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    for (;;) {
      await settled();
      const [next] = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.time = Math.max(this.time, next.at);
      this.timers = this.timers.filter((timer) => timer !== next);
      next.act();
    }
    this.time = end;
  }
}

/** What was begun and needs no time has been done. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 5; round += 1) await new Promise((resolve) => setImmediate(resolve));
}
