import { describe, expect, it } from 'vitest';
import { type DrawData, draw } from '../../../gateway/train/draw.ts';
import { quickTask } from '../../support/tasks.ts';

const task = quickTask();
const example = (cls: number, value: number) => ({
  window: new Int8Array(task.window.samples * 3).fill(value),
  length: task.window.samples,
  cls,
});
const drawn = (data: Partial<DrawData>, rehearsal = 0.25) =>
  draw(
    { ...task, training: { ...task.training, rehearsal } },
    { fresh: [], old: [], guessed: [], ...data },
    1,
  );
const count = (windows: ReturnType<typeof drawn>, cls: number, isOld: boolean) =>
  windows.filter((one) => one.cls === cls && one.isOld === isOld).length;

describe('draw()', () => {
  it('makes as many windows of each class, whoever has it', () => {
    const fresh = [example(0, 5), example(0, 6), example(0, 7), example(1, 5)];
    const windows = drawn({ fresh, old: [example(1, 9), example(2, 9)] });
    expect([0, 1, 2, 3].map((c) => count(windows, c, false))).toEqual([60, 45, 0, 0]);
    expect([0, 1, 2, 3].map((c) => count(windows, c, true))).toEqual([0, 15, 60, 0]);
  });

  it('gives half of the new share to windows whose class was guessed', () => {
    const fresh = [example(0, -60), example(1, -60)];
    const guessed = [example(0, 60), example(2, 60)];
    const windows = drawn({ fresh, guessed, old: [example(2, 0)] });
    const isGuessed = ({ window }: { window: Int8Array }) =>
      window.reduce((sum, v) => sum + v, 0) > 0;
    const of = (cls: number) => windows.filter((one) => one.cls === cls && !one.isOld);
    expect(of(0)).toHaveLength(60);
    expect(of(0).filter(isGuessed)).toHaveLength(30);
    expect(of(1).filter(isGuessed)).toHaveLength(0);
    expect(of(2).filter(isGuessed)).toHaveLength(45);
    expect(count(windows, 2, true)).toBe(15);
  });

  it('throws RangeError where nothing is labelled, whatever was guessed', () => {
    expect(() => drawn({ guessed: [example(0, 1)] })).toThrow(RangeError);
  });
});
