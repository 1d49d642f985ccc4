/** Entries of the log that a device may cause at once, and how many more in an hour. */
export const MOST_AT_ONCE = 240;
export const MOST_AN_HOUR = 60;
const HOUR_MS = 3_600_000;
/** Devices that are counted one by one; those beyond share one count: names cost nothing. */
const DEVICES = 4096;

/** Bounds what devices cause in the log, which is kept for ever: a noisy line, a broken sensor, or malice. */
export interface Chatter {
  /** @returns how many entries were left out since the last one; undefined where this one is to be, too */
  allow(device: string): number | undefined;
}

/** @param now ms, never going back */
export function createChatter(now: () => number): Chatter {
  const counts = new Map<string, { left: number; at: number; missed: number }>();
  return {
    allow(device) {
      const name = counts.has(device) || counts.size < DEVICES ? device : '';
      const at = now();
      const count = counts.get(name) ?? { left: MOST_AT_ONCE, at, missed: 0 };
      counts.set(name, count);
      const more = ((at - count.at) / HOUR_MS) * MOST_AN_HOUR;
      count.left = Math.min(MOST_AT_ONCE, count.left + more);
      count.at = at;
      if (count.left < 1) {
        count.missed++;
        return undefined;
      }
      count.left--;
      const { missed } = count;
      count.missed = 0;
      return missed;
    },
  };
}
