/** Wrong tokens from one address in one minute, after which it has to wait. */
export const WRONG_TOKENS = 20;
const WINDOW_MS = 60_000;
/** Addresses that are remembered; beyond them the oldest are forgotten. */
const ADDRESSES = 10_000;

/** Counts wrong tokens by address. Nobody guesses 256 bits: this keeps those who try from costing much. */
export interface Throttle {
  /** How long the address has to wait, ms; 0 if it may go on. */
  waitMs(address: string): number;
  wrong(address: string): void;
}

/** @param now ms since 1970 */
export function createThrottle(now: () => number): Throttle {
  const counted = new Map<string, { count: number; since: number }>();
  const current = (address: string) => {
    const found = counted.get(address);
    return found === undefined || now() - found.since >= WINDOW_MS ? undefined : found;
  };
  return {
    waitMs(address) {
      const found = current(address);
      return found === undefined || found.count < WRONG_TOKENS
        ? 0
        : found.since + WINDOW_MS - now();
    },
    wrong(address) {
      const found = current(address) ?? { count: 0, since: now() };
      found.count++;
      counted.delete(address);
      counted.set(address, found);
      if (counted.size > ADDRESSES) counted.delete(counted.keys().next().value!);
    },
  };
}
