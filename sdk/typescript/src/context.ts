/** Who calls are for, by the code that makes them: everything inside of `attribute` is for the same, however deep it is called. */

import type { Attribution } from "./types.js";

interface Storage {
  getStore(): Attribution | undefined;
  run<Result>(store: Attribution, act: () => Result): Result;
}
type StorageClass = new () => Storage;

let storage: Storage | null | undefined;

/** Nothing is imported, so that there is nothing to bundle; null where the runtime has none. */
function storageHere(): Storage | null {
  if (storage === undefined) {
    const { AsyncLocalStorage, process } = globalThis as {
      AsyncLocalStorage?: StorageClass;
      process?: { getBuiltinModule?: (name: string) => { AsyncLocalStorage?: StorageClass } | undefined };
    };
    const Found = AsyncLocalStorage ?? process?.getBuiltinModule?.("node:async_hooks")?.AsyncLocalStorage;
    storage = Found ? new Found() : null;
    // biome-ignore lint/suspicious/noConsole: somebody has to be told, and here is no logger
    if (!Found) console.warn("AI Cost Tracker: attribute() needs AsyncLocalStorage, which this runtime does not have");
  }
  return storage;
}

/**
 * Runs `act`; what it records, in whatever it calls and awaits, is for whom is said here. Inner ones add to outer ones: tags, cost
 * allocation and metadata come together, and of anything else the innermost word counts; what a call says of itself comes last.
 * Needs Node 20.16 or 22.3, or another runtime with `AsyncLocalStorage`; elsewhere `act` runs as it is, and that is told once.
 */
export function attribute<Result>(attribution: Attribution, act: () => Result): Result {
  const here = storageHere();
  return here ? here.run(merged(attributionHere(), attribution), act) : act();
}

/** What the code around says. */
export function attributionHere(): Attribution {
  return storage?.getStore() ?? {};
}

/** What `inner` says of a call, and what `outer` says beside it. */
export function merged<Said extends Attribution>(outer: Attribution, inner: Said): Said {
  const said = Object.fromEntries(Object.entries(inner).filter(([, value]) => value !== undefined));
  const together = {
    tags: [...new Set([...(outer.tags ?? []), ...(inner.tags ?? [])])],
    costAllocation: { ...outer.costAllocation, ...inner.costAllocation },
    metadata: { ...outer.metadata, ...inner.metadata },
  };
  const some = Object.entries(together).filter(([, value]) => Object.keys(value).length > 0);
  return { ...outer, ...said, ...Object.fromEntries(some) } as Said;
}
