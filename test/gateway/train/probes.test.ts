import { describe, expect, it } from 'vitest';
import { machine, machineRecordings } from '../../../gateway/synthetic/machine.ts';
import { loadTask } from '../../../gateway/task.ts';
import { makeProbes } from '../../../gateway/train/probes.ts';

const windows = machineRecordings(loadTask('motor-health'), machine(1), 10, 1);

describe('makeProbes()', () => {
  it('distorts normal windows, the same way for a seed, and leaves them as they are', () => {
    const copy = structuredClone(windows);
    const probes = makeProbes(windows, 3, 7);
    expect(probes.length).toBe(120);
    expect(windows).toEqual(copy);
    expect(makeProbes(windows, 3, 7)).toEqual(probes);
    expect(makeProbes(windows, 3, 8)).not.toEqual(probes);
    const same = probes.filter(({ window }) =>
      windows.some((w) => w.window.join() === window.join()),
    );
    expect(same).toEqual([]);
  });

  it('knows a single axis, and keeps padding as it is', () => {
    const short = { window: Int8Array.of(5, 9, -3, 7, 1, 4, 0, 0), length: 6 };
    for (const { window, length } of makeProbes([short], 1, 1)) {
      expect([...window.subarray(length)]).toEqual([0, 0]);
    }
  });

  it('makes none of nothing', () => {
    expect(makeProbes([], 3, 1)).toEqual([]);
  });
});
