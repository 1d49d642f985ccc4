import { setImmediate } from 'node:timers/promises';

/** How long work on many things may hold up everything else, ms, unless something else is said. */
const TURN_MS = 20;

/**
 * Lets others have a turn where work takes long.
 *
 * @param turnMs how long it may go on without; Infinity for ever
 * @returns to be awaited between two pieces of work
 */
export function breather(turnMs: number = TURN_MS): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < turnMs) return;
    await setImmediate();
    since = performance.now();
  };
}
