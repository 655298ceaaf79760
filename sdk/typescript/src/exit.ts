/** Flushing when a Node process has nothing left to do. */

import type { Queue } from "./queue.js";

const queues = new Set<WeakRef<Queue>>();

interface Process {
  on?: (event: "beforeExit", act: () => void) => void;
}

/** The queue is closed when the process would end by itself. `process.exit` does not wait: call `close` before it. */
export function closeAtExit(queue: Queue): void {
  const { process } = globalThis as { process?: Process };
  if (queues.size === 0) process?.on?.("beforeExit", () => void closeAll());
  queues.add(new WeakRef(queue));
}

async function closeAll(): Promise<void> {
  const open = [...queues].flatMap((reference) => reference.deref() ?? []).filter((queue) => queue.stats.waiting > 0);
  await Promise.all(open.map((queue) => queue.close()));
}
