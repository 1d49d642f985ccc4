import type { Clock } from './port.ts';

/** What is called next, by clock. */
const batches = new WeakMap<Clock, Set<() => void>>();

/**
 * Calls back as `clock.setTimeout(callback, 0)` does, with one timer for all who ask before it is due: a
 * commit finishes windows of many devices at once, and a timer for each costs more than what it does.
 *
 * @param callback must not throw
 * @returns takes it back
 */
export function soon(clock: Clock, callback: () => void): () => void {
  let batch = batches.get(clock);
  if (batch === undefined) {
    const calls = new Set<() => void>();
    batches.set(clock, calls);
    clock.setTimeout(() => {
      batches.delete(clock);
      for (const call of calls) call();
    }, 0);
    batch = calls;
  }
  const calls = batch.add(callback);
  return () => void calls.delete(callback);
}
