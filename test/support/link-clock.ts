import type { Clock } from '../../gateway/link/port.ts';

/** A clock that only moves when told to. */
export interface SteppedClock extends Clock {
  /** Moves on, calling what becomes due, in order; promises get their turn in between. */
  advance(ms: number): Promise<void>;
  /** how many timers wait */
  waiting(): number;
}

/** A stepped clock, at `start` ms. */
export function steppedClock(start = 0): SteppedClock {
  let now = start;
  let order = 0;
  const timers = new Map<number, { at: number; callback: () => void }>();
  return {
    now: () => now,
    setTimeout: (callback, ms) => {
      order++;
      timers.set(order, { at: now + ms, callback });
      return order;
    },
    clearTimeout: (timer) => {
      timers.delete(timer as number);
    },
    waiting: () => timers.size,
    advance: async (ms) => {
      const end = now + ms;
      for (;;) {
        let first: [number, { at: number; callback: () => void }] | undefined;
        for (const entry of timers) {
          if (entry[1].at <= end && (first === undefined || entry[1].at < first[1].at))
            first = entry;
        }
        if (first === undefined) break;
        timers.delete(first[0]);
        now = Math.max(now, first[1].at);
        first[1].callback();
        for (let k = 0; k < 4; k++) await undefined;
      }
      now = end;
    },
  };
}
