import { describe, expect, it } from 'vitest';
import { pushSample, startWindows } from '../../../device/core/window.ts';
import { motion } from '../../../gateway/synthetic/motion.ts';
import { syntheticRecordings } from '../../../gateway/synthetic/recordings.ts';
import { someoneElse, wearer } from '../../../gateway/synthetic/wearer.ts';
import { loadTask } from '../../../gateway/task.ts';

const task = loadTask('gesture');

describe('syntheticRecordings()', () => {
  it('gives as many of each class as asked, as readRecordings() would', () => {
    const recordings = syntheticRecordings(task, wearer(1), 5, 3);
    const counts = task.classes.map((_, cls) => recordings.filter((r) => r.cls === cls).length);
    expect(counts).toEqual([5, 5, 5, 5, 5, 5]);
    for (const { length, window } of recordings) {
      expect(length).toBeGreaterThanOrEqual(task.window.minSamples);
      expect(window).toHaveLength(150);
      expect(window.slice(length * 3).every((v) => v === 0)).toBe(true);
      expect(window.slice(0, length * 3).some((v) => v !== 0)).toBe(true);
    }
    expect(syntheticRecordings(task, wearer(1), 5, 3)).toEqual(recordings);
  });

  it('throws RangeError when no window can hold a gesture', () => {
    const narrow = { ...task, window: { ...task.window, minSamples: 50 } };
    expect(() => syntheticRecordings(narrow, wearer(1), 1, 3)).toThrow(RangeError);
  });
});

describe('motion()', () => {
  it('makes one window a gesture in the device, for wearers of every kind', () => {
    for (const by of [wearer(1), someoneElse(wearer(1), 2), someoneElse(wearer(3), 4)]) {
      const stream = motion(task, by, 5);
      const { axes } = task.sensor;
      const windows = startWindows({
        mode: 'gesture',
        axes: axes.length,
        samples: 50,
        stride: 50,
        threshold: task.window.threshold,
        quiet: task.window.quiet,
        preRoll: task.window.preroll,
        least: task.window.minSamples,
      });
      let made = 0;
      let right = 0;
      let before: number | null = null;
      for (let i = 0; i < 10_000; i++) {
        const { values, cls } = stream.next();
        if (cls === null && before !== null) made++;
        before = cls;
        const done = pushSample(windows, values);
        if (done === undefined) continue;
        const end = stream.index - task.window.quiet;
        expect(stream.truth(end - done.n, end)).not.toBe(null);
        right++;
      }
      expect(made).toBeGreaterThan(150);
      expect(Math.abs(right - made)).toBeLessThan(0.05 * made);
    }
  });
});
