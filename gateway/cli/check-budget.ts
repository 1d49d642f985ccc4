import { describeBudget } from '../budget/describe.ts';
import type { BudgetLimits } from '../budget/limits.ts';
import type { Readings } from '../budget/sensors.ts';
import { type Check, has, lacks } from './checks.ts';

/**
 * What the budget of trainings finds on this machine. A sensor that is not there is no lack, unless
 * somebody set a limit for it; a file that is there and cannot be used is one.
 *
 * @param given limits of the configuration
 * @param readings of now
 */
export function checkBudget(given: Partial<BudgetLimits>, readings: Readings): Check[] {
  const limits = describeBudget(given, readings).map(({ name, found, without }) => {
    if (without === null) return has(`budget ${name}`, found);
    const means = `${without} in the configuration has no effect`;
    return lacks(`budget ${name}`, found, means, `leave ${without} out of the configuration`);
  });
  const problems = readings.problems.map((problem) => {
    const path = problem.split(': ')[0];
    const isBarred = /: (EACCES|EPERM)$/.test(problem);
    const mend = isBarred
      ? `sudo chmod a+r ${path} (until the next boot)`
      : 'update the kernel or the firmware; it is the driver that says this';
    return lacks('budget sensor', problem, 'this sensor limits no training', mend);
  });
  return [...limits, ...problems];
}
