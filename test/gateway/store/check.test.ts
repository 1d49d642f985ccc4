import { describe, expect, test } from 'vitest';
import { type CheckTask, checkSample } from '../../../gateway/store/check.ts';

const task: CheckTask = {
  sensor: { axes: ['x', 'y'], rateHz: 10, min: -100, max: 120 },
  window: { samples: 20, minSamples: 10 },
  classes: ['a', 'b', 'c'],
};
const moving = (length: number) =>
  Int8Array.from({ length: length * 2 }, (_, i) => ((i * 37) % 90) - 40);
const good = {
  ...{ seq: 4, t: 5000, cls: 2, score: 255, length: 12, label: 1 },
  ...{ embedding: new Int8Array(5), window: moving(12) },
};
type Changes = Partial<{ [Name in keyof typeof good]: (typeof good)[Name] | null }>;
const reason = (changes: Changes, before?: { seq: number; t: number }) =>
  checkSample({ ...good, ...changes } as typeof good, task, before);
const withValues = (values: Record<number, number>) => {
  const window = moving(12);
  for (const [i, value] of Object.entries(values)) window[Number(i)] = value;
  return window;
};

describe('checkSample()', () => {
  test('finds nothing wrong with a good sample', () => {
    expect(reason({})).toBeNull();
    expect(reason({ window: null, embedding: null, label: null })).toBeNull();
    expect(reason({}, { seq: 3, t: 4000 })).toBeNull();
    expect(reason({ length: 20, window: moving(20) })).toBeNull();
  });

  test.each([
    [{ cls: 3 }, 'class outside the task'],
    [{ cls: -1 }, 'class outside the task'],
    [{ label: 3 }, 'label outside the task'],
    [{ score: 256 }, 'score outside 0 to 255'],
    [{ length: 0 }, 'length outside the window'],
    [{ length: 21 }, 'length outside the window'],
    [{ length: 11 }, 'window of the wrong size'],
    [{ window: withValues({ 3: 121 }) }, 'value outside the range of the sensor'],
    [{ window: withValues({ 3: -101 }) }, 'value outside the range of the sensor'],
    [{ window: new Int8Array(24) }, 'dead sensor'],
    [{ window: moving(12).map((v, i) => (i % 2 === 0 ? v : 33)) }, 'stuck sensor'],
    [{ window: moving(12).map((v, i) => (i % 3 === 0 ? 120 : v)) }, 'saturated sensor'],
  ] as const)('%o gives %s', (changes, expected) => {
    expect(reason(changes as Changes)).toBe(expected);
  });

  test('knows the size of an embedding where one is given', () => {
    const limits = { stuckSamples: 8, saturatedShare: 0.25, embedding: 6 };
    expect(checkSample(good, task, undefined, limits)).toBe('embedding of the wrong size');
    expect(checkSample(good, task, undefined, { ...limits, embedding: 5 })).toBeNull();
  });

  test('does not call a short rest stuck', () => {
    expect(reason({ length: 7, window: new Int8Array(14).fill(9) })).toBeNull();
    expect(reason({ length: 8, window: new Int8Array(16).fill(9) })).toBe('stuck sensor');
  });

  test('compares clocks with the sample before, not with a repeat', () => {
    expect(reason({}, { seq: 3, t: 5001 })).toBe('clock went back');
    expect(reason({}, { seq: 4, t: 5001 })).toBeNull();
    expect(reason({}, { seq: 3, t: 4100 })).toBe('windows faster than possible');
    expect(reason({}, { seq: 3, t: 4050 })).toBeNull();
  });

  test('reads bytes as int8', () => {
    expect(
      reason({ window: new Uint8Array(moving(12)) as unknown as Int8Array<ArrayBuffer> }),
    ).toBeNull();
  });
});
