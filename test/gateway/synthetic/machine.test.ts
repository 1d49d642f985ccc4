import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../gateway/random.ts';
import {
  FAULTS,
  machine,
  machineRecordings,
  remounted,
  vibration,
} from '../../../gateway/synthetic/machine.ts';
import { loadTask } from '../../../gateway/task.ts';

const task = loadTask('motor-speed');
const health = loadTask('motor-health');
const mine = machine(1);

/** Deviation of all axes together. */
function strength(window: Int8Array): number {
  let squares = 0;
  for (let a = 0; a < 3; a++) {
    const axis = window.filter((_, i) => i % 3 === a);
    const mean = axis.reduce((sum, v) => sum + v, 0) / axis.length;
    for (const v of axis) squares += (v - mean) ** 2 / axis.length;
  }
  return Math.sqrt(squares);
}

describe('vibration()', () => {
  it('grows with the square of the speed, and lies about 1 g', () => {
    const at = (hz: number) => vibration(task, { ...mine, noiseG: 0 }, { hz }, createRandom(3));
    const [slow, fast] = [12, 24].map((hz) => strength(at(hz)));
    expect(fast! / slow!).toBeGreaterThan(3);
    expect(fast! / slow!).toBeLessThan(5.2);
    const window = at(15);
    let squares = 0;
    for (let a = 0; a < 3; a++) {
      const axis = window.filter((_, i) => i % 3 === a);
      squares += (axis.reduce((s, v) => s + v, 0) / axis.length) ** 2;
    }
    expect(Math.sqrt(squares) / 32).toBeCloseTo(1, 1);
  });

  it('makes every fault stronger than a machine that is well', () => {
    const of = (fault?: (typeof FAULTS)[number]) => {
      const random = createRandom(3);
      const some = Array.from({ length: 20 }, () =>
        strength(vibration(health, mine, { hz: 12, ...(fault && { fault }) }, random)),
      );
      return some.reduce((sum, one) => sum + one / some.length, 0);
    };
    for (const fault of FAULTS) expect(of(fault), fault).toBeGreaterThan(1.15 * of());
  });

  it('throws RangeError without three axes and counts per g', () => {
    const sensor = { ...task.sensor, axes: ['x'] };
    expect(() => vibration({ ...task, sensor }, mine, { hz: 20 }, createRandom(1))).toThrow(
      /no synthetic vibration for task 'motor-speed'/,
    );
  });
});

describe('machineRecordings()', () => {
  it('answers as the task asks, the same for a seed', () => {
    const speeds = machineRecordings(task, mine, 50, 1);
    expect(machineRecordings(task, mine, 50, 1)).toEqual(speeds);
    for (const { cls, running } of speeds) {
      expect(Math.abs(480 + 8 * cls - running.hz * 60)).toBeLessThanOrEqual(4);
    }
    const verdicts = machineRecordings(health, mine, 200, 1, 0.5);
    expect(verdicts.every(({ cls, running }) => cls === Number(running.fault !== undefined))).toBe(
      true,
    );
    expect(new Set(verdicts.map(({ running }) => running.fault)).size).toBe(4);
    expect(machineRecordings(health, remounted(mine, 2), 5, 1)).not.toEqual(
      machineRecordings(health, mine, 5, 1),
    );
  });

  it('throws RangeError for a task with classes', () => {
    expect(() => machineRecordings(loadTask('gesture'), mine, 1, 1)).toThrow(RangeError);
  });
});
