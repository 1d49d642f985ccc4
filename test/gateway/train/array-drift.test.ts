import { describe, expect, it } from 'vitest';
import { arrayWindow } from '../../../device/core/sensor-array.ts';
import { createRandom } from '../../../gateway/random.ts';
import { loadTask } from '../../../gateway/task.ts';
import { arrayDrift } from '../../../gateway/train/array-drift.ts';

const task = loadTask('gas');
const { sensors, kinds } = task.recordings.array!;

/** Responses well above the noise floor: a sensor's own size, the same for all that it gives. */
function measured(gain: (sensor: number) => number): number[] {
  return Array.from({ length: sensors * kinds.length }, (_, i) => {
    const { floor, full } = kinds[i % kinds.length]!;
    const s = Math.floor(i / kinds.length);
    return Math.sign(full) * Math.sqrt(floor * Math.abs(full)) * (1 + s / 32) * gain(s);
  });
}

describe('arrayDrift()', () => {
  it('gives the window that the array would give if the gains of its sensors had moved', () => {
    const random = createRandom(5);
    const gains = Array.from({ length: sensors }, () => Math.exp(0.1 * random.gaussian()));
    const truth = arrayWindow(
      measured((s) => gains[s]!),
      kinds,
    );
    const values = Float64Array.from(
      arrayWindow(
        measured(() => 1),
        kinds,
      ),
    );
    arrayDrift(task)(values, 0.1, createRandom(5));
    const apart = truth.map((value, i) => Math.abs(value - Math.round(values[i]!)));
    // the noise floor bends what is a straight move far above it
    expect(Math.max(...apart)).toBeLessThanOrEqual(3);
    const moved = arrayWindow(
      measured(() => 1),
      kinds,
    ).map((value, i) => Math.abs(value - truth[i]!));
    expect(Math.max(...moved)).toBeGreaterThan(5);
  });

  it('refuses a task whose sensor is no array', () => {
    expect(() => arrayDrift(loadTask('gesture'))).toThrow(TypeError);
  });
});
