/** Time and chance, passed in, so that tests freeze them. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back after so many milliseconds; returns what cancels it. Only with `keepsAlive` does the process wait for it. */
  after(milliseconds: number, act: () => void, keepsAlive?: boolean): () => void;
  /** A number in [0, 1). */
  random(): number;
  /** A key that nobody else has. */
  uniqueKey(): string;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(milliseconds, act, keepsAlive = false) {
    const timer: unknown = setTimeout(act, milliseconds);
    const isUnrefable = typeof timer === "object" && timer !== null && "unref" in timer;
    if (!keepsAlive && isUnrefable) (timer as { unref(): void }).unref();
    return () => clearTimeout(timer as ReturnType<typeof setTimeout>);
  },
  random: () => Math.random(),
  // Node 18 has no global `crypto` unless it is asked for.
  uniqueKey: () => globalThis.crypto?.randomUUID?.() ?? `${Date.now().toString(36)}-${digits()}-${digits()}`,
};

const digits = () => Math.random().toString(36).slice(2);
