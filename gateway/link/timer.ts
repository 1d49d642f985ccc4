/** When to say something again, and how long the wait behind that is. Infinity: not at all. */
export interface Timer {
  dueMs: number;
  waitMs: number;
}

export const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;

/** A timer that is due now. */
export function dueNow(now: number): Timer {
  return { dueMs: now, waitMs: FIRST_WAIT_MS };
}

/** A timer that starts waiting: something was just said or heard. */
export function startWait(now: number): Timer {
  return { dueMs: now + FIRST_WAIT_MS, waitMs: FIRST_WAIT_MS };
}

/**
 * The timer after it was due: the wait doubles up to the longest.
 *
 * @example backOff({ dueMs: 0, waitMs: 1000 }, 5) // { dueMs: 1005, waitMs: 2000 }
 */
export function backOff(timer: Timer, now: number): Timer {
  return { dueMs: now + timer.waitMs, waitMs: Math.min(timer.waitMs * 2, LONGEST_WAIT_MS) };
}
