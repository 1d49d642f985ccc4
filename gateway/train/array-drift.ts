import type { Random } from '../random.ts';
import type { Task } from '../task.ts';

/** Counts of a level from no response to the largest, as device/core/sensor-array.ts has them. */
const SPAN = 127 + 96;

/**
 * Makes a window of a sensor array as it would be if every sensor's gain had drifted on its own: a
 * gain adds to the levels of its sensor, and multiplies its ratios.
 *
 * @param task whose sensor is an array
 * @returns changes values [levels][ratios] in place, by gains whose logarithms deviate by `deviation`
 * @throws TypeError if the task's sensor is no array
 */
export function arrayDrift(
  task: Task,
): (values: Float64Array, deviation: number, random: Random) => void {
  const { array } = task.recordings;
  if (array === undefined) throw new TypeError(`task '${task.name}' has no recordings.array`);
  const { sensors, kinds } = array;
  const perUnit = kinds.map(({ floor, full }) => SPAN / Math.log(1 + Math.abs(full) / floor));
  return (values, deviation, random) => {
    const gains = Array.from({ length: sensors }, () => deviation * random.gaussian());
    const mean = gains.reduce((sum, gain) => sum + Math.exp(gain), 0) / sensors;
    gains.forEach((gain, s) => {
      kinds.forEach((_, k) => {
        const at = s * kinds.length + k;
        values[at]! += gain * perUnit[k]!;
        values[sensors * kinds.length + at]! *= Math.exp(gain) / mean;
      });
    });
  };
}
