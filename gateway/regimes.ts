import type { Store } from './store/store.ts';
import type { Task } from './task.ts';

/** When the present regime of each device began, and what is labelled since. */
export interface Regimes {
  /** An alarm says that a new regime began, ms since 1970. */
  begin(device: string, since: number): void;
  /** It did not, or is over: a sick sensor had only looked like it, or the world is as it was. What was before holds again. */
  withdraw(device: string): void;
  /**
   * When it began, ms since 1970; 0 if it never changed. This is the alarm's own estimate, and
   * before it the labelled windows that the model got wrong without one that it got right: an
   * estimate from scores comes a little late.
   */
  since(device: string): number;
  /** Labels of the present regime that may teach. */
  labels(device: string): number;
  /** To be stored, and given again at the next start. */
  state(): RegimesState;
}

/** Beginning of each device's regime, and of the one before it, ms since 1970; 0 for none. */
export type RegimesState = Record<string, [since: number, before: number]>;

/** Labelled windows before an alarm's estimate that may belong to what it tells of. */
const WALK_BACK = 50;

/** @param saved what `state` gave before the gateway ended */
export function createRegimes(store: Store, task: Task, saved?: RegimesState): Regimes {
  const begun = new Map(Object.entries(saved ?? {}));

  function since(device: string): number {
    const estimate = begun.get(device)?.[0] || undefined;
    if (estimate === undefined) return 0;
    let start = estimate;
    for (const { label, cls, at } of store.samples.find({
      ...{ device, until: estimate, labelled: true, order: 'newest', limit: WALK_BACK },
    })) {
      if (label?.cls === cls) break;
      start = at;
    }
    return start;
  }

  return {
    begin: (device, at) => void begun.set(device, [at, begun.get(device)?.[0] ?? 0]),
    withdraw(device) {
      const [, before] = begun.get(device) ?? [0, 0];
      begun.set(device, [before, before]);
    },
    since,
    labels: (device) =>
      store.samples.count({
        ...{ task: task.name, device, since: since(device), labelled: true, quarantined: false },
      }),
    state: () => Object.fromEntries(begun),
  };
}
