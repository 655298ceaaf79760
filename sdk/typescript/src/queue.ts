/** Records on their way to the tracker: bounded, in batches, each with a key, so that sending twice counts once. */

import type { Clock } from "./clock.js";
import { type Tracker, TrackerError } from "./tracker.js";
import type { BulkOutcome, UsageRecord } from "./types.js";

export interface QueueOptions {
  /** Records that wait at most; further ones are dropped and counted. */
  recordsMax: number;
  /** Records in one request. */
  batchMax: number;
  /** How long a record waits for others. */
  intervalMs: number;
  /** How long `close` and the end of the process may take. */
  closeMs: number;
  /** Told once when records are lost, and at the end how many. */
  onProblem: (message: string) => void;
}

/** What became of the records so far. */
export interface QueueStats {
  sent: number;
  duplicates: number;
  dropped: number;
  waiting: number;
}

/** A record with its key. */
export type KeyedRecord = UsageRecord & { requestId: string };

const BACKOFF_MS = 500;
const BACKOFF_MS_MAX = 30_000;
/** Characters of a batch; the tracker takes 32 MiB. */
const BATCH_LENGTH_MAX = 8 * 1024 * 1024;
/** Characters of a record; the tracker takes a mebibyte. */
const RECORD_LENGTH_MAX = 768 * 1024;
/** A record that cannot be written now, as the tracker says it. */
const BUSY = new Set(["store_busy", "store_unavailable", "internal"]);

export class Queue {
  /** Records as JSON, as they were when they came. */
  private readonly waiting: string[] = [];
  private inFlight = 0;
  private readonly counted = { sent: 0, duplicates: 0, dropped: 0 };
  private failures = 0;
  /** Nothing is sent before this moment. */
  private resumeAt = 0;
  private cancelTimer: (() => void) | undefined;
  private sending: Promise<void> | undefined;
  private isReported = false;
  private isClosed = false;

  constructor(
    private readonly tracker: Tracker,
    private readonly clock: Clock,
    private readonly options: QueueOptions,
  ) {}

  get stats(): QueueStats {
    return { ...this.counted, waiting: this.waiting.length + this.inFlight };
  }

  /** Takes a record. Never throws and never waits. */
  push(record: KeyedRecord): void {
    const text = asJson(record);
    const reason = this.refusal(text);
    if (reason !== undefined) this.drop(1, reason);
    else this.waiting.push(text as string);
    this.wake();
  }

  /** Sends what waits, until nothing does or `closeMs` have passed. */
  async flush(): Promise<void> {
    const deadline = this.clock.now() + this.options.closeMs;
    for (;;) {
      const left = deadline - this.clock.now();
      if (this.waiting.length + this.inFlight === 0 || left <= 0) return;
      const pause = this.resumeAt - this.clock.now();
      if (pause > 0 && !this.sending) await this.wait(Math.min(pause, left));
      else await this.wait(left, this.send());
    }
  }

  /** Flushes, and drops what could not be sent. */
  async close(): Promise<void> {
    await this.flush();
    this.isClosed = true;
    this.cancelTimer?.();
    const left = this.waiting.splice(0).length + this.inFlight;
    this.inFlight = 0;
    if (left > 0) this.drop(left, "the tracker did not take it before the end");
    if (this.counted.dropped > 0) this.tell(`records lost in all: ${this.counted.dropped}`);
  }

  /** Why a record cannot be taken. */
  private refusal(text: string | undefined): string | undefined {
    if (text === undefined) return "it cannot be written as JSON";
    if (text.length > RECORD_LENGTH_MAX) return "it is too long";
    if (this.isClosed) return "the client is closed";
    return this.waiting.length + this.inFlight >= this.options.recordsMax ? "the queue is full" : undefined;
  }

  /** Waits so long, or until `done` has ended. */
  private wait(milliseconds: number, done?: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.after(milliseconds, resolve, true);
      done?.finally(() => {
        cancel();
        resolve();
      });
    });
  }

  /** Sees to it that what waits is sent in time: at once if it is a whole batch. */
  private wake(): void {
    const isWhole = this.waiting.length >= this.options.batchMax;
    if (this.waiting.length === 0 || this.isClosed || (this.cancelTimer && !isWhole)) return;
    this.cancelTimer?.();
    const pause = this.resumeAt - this.clock.now();
    this.cancelTimer = this.clock.after(Math.max(isWhole ? 0 : this.options.intervalMs, pause), () => {
      this.cancelTimer = undefined;
      // A tracker may have asked for a pause since.
      if (this.clock.now() < this.resumeAt) this.wake();
      else void this.send();
    });
  }

  /** Sends one batch; a second one waits for the first. */
  private send(): Promise<void> {
    this.sending ??= this.sendBatch().finally(() => {
      this.sending = undefined;
      this.wake();
    });
    return this.sending;
  }

  private async sendBatch(): Promise<void> {
    const batch = this.takeBatch();
    if (batch.length === 0) return;
    this.inFlight = batch.length;
    try {
      const outcome = await this.tracker.postText<BulkOutcome>("/usage/bulk", `{"usageData":[${batch.join(",")}]}`);
      if (!this.isClosed) this.settle(batch, outcome);
    } catch (error) {
      if (!this.isClosed) this.failed(batch, error);
    } finally {
      this.inFlight = 0;
    }
  }

  private takeBatch(): string[] {
    let length = 0;
    let count = 0;
    for (const text of this.waiting.slice(0, this.options.batchMax)) {
      length += text.length;
      if (length > BATCH_LENGTH_MAX) break;
      count += 1;
    }
    return this.waiting.splice(0, count);
  }

  private settle(batch: string[], outcome: BulkOutcome): void {
    this.failures = 0;
    this.counted.sent += outcome.successful;
    this.counted.duplicates += outcome.duplicates;
    const busy = outcome.errors.filter((error) => BUSY.has(error.code));
    const refused = outcome.errors.find((error) => !BUSY.has(error.code));
    if (busy.length > 0) this.retry(busy.flatMap((error) => batch[error.index] ?? []));
    if (refused) this.drop(outcome.failed - busy.length, `the tracker refused it: ${refused.error}`);
  }

  private failed(batch: string[], error: unknown): void {
    if (!(error instanceof TrackerError)) this.retry(batch);
    else if (error.isTemporary) this.retry(batch, error.retryAfterMs);
    else this.drop(batch.length, `the tracker refused it: ${error.message}`);
  }

  /** Exponential back-off with full jitter, unless the tracker said when. */
  private retry(batch: string[], retryAfterMs?: number): void {
    this.waiting.unshift(...batch);
    const longest = Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** this.failures);
    this.failures += 1;
    this.resumeAt = this.clock.now() + (retryAfterMs ?? longest * this.clock.random());
  }

  private drop(count: number, reason: string): void {
    this.counted.dropped += count;
    if (this.isReported) return;
    this.isReported = true;
    this.tell(`a record was lost: ${reason}; further losses are only counted`);
  }

  private tell(message: string): void {
    try {
      this.options.onProblem(`AI Cost Tracker: ${message}`);
    } catch {
      // Whoever listens must not break the caller.
    }
  }
}

function asJson(record: KeyedRecord): string | undefined {
  try {
    return JSON.stringify(record);
  } catch {
    return undefined;
  }
}
