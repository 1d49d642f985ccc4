import { type Judged, judge } from './judge.ts';
import { type BudgetLimits, budgetDefaults } from './limits.ts';
import { createSensors, type Sensors } from './sensors.ts';

/** What this machine can spare for a training. */
export interface Budget {
  readonly maxWaitMs: number | null;
  /** Reads the sensors. @param nowMs see {@link Sensors} */
  look(nowMs: number): Judged;
}

/**
 * A budget that remembers which limits were crossed, so that what waits does not flap.
 *
 * @param given limits; what is left out is the default
 * @param sensors default: this machine's
 */
export function createBudget(given: Partial<BudgetLimits> = {}, sensors?: Sensors): Budget {
  const limits = { ...budgetDefaults, ...given };
  const read = sensors ?? createSensors({ ignoreZones: limits.ignoreZones });
  let waiting: ReadonlySet<string> = new Set();
  return {
    maxWaitMs: limits.maxWaitMinutes === null ? null : limits.maxWaitMinutes * 60_000,
    look(nowMs) {
      const judged = judge(limits, read(nowMs), waiting);
      waiting = new Set(judged.waits.map(({ limit }) => limit));
      return judged;
    },
  };
}
