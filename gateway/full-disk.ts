import { takesNothing } from './store/failure.ts';

/**
 * Does something that a full or read-only disk may prevent, where the world says it again: a hello, a status, a
 * tick.
 *
 * @returns its result; undefined if nothing could be written
 */
export function unlessFull<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (takesNothing(error)) return undefined;
    throw error;
  }
}

/** What is still to be written down, in order: nobody says it a second time. */
export interface Debts {
  /** Does it now, or as soon as there is room; it must be all or nothing. */
  owe(act: () => void): void;
  /** Tries again what is owed. */
  pay(): void;
}

/** @returns debts, none yet */
export function createDebts(): Debts {
  const owed: (() => void)[] = [];
  function pay(): void {
    for (let first = owed[0]; first !== undefined; first = owed[0]) {
      const act = first;
      const isPaid = unlessFull(() => {
        act();
        return true;
      });
      if (isPaid !== true) return;
      owed.shift();
    }
  }
  return {
    owe(act) {
      owed.push(act);
      pay();
    },
    pay,
  };
}
