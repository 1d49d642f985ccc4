import { describe, expect, it } from 'vitest';
import { newClassTeacher } from '../../../gateway/train/new-class-teacher.ts';

/** Two old classes on a line, around 0 and around 10; what is new lies at 5 on another axis. */
const offsets = [-1, -0.5, 0, 0.5, 1];
const old = [0, 10].flatMap((at, cls) => offsets.map((by) => ({ row: [at + by, by], cls })));
const five = offsets.map((by) => ({ row: [5, 5 + by], cls: 2 }));
const rowsOf = (all: typeof old) => ({
  x: Float32Array.from(all.flatMap(({ row }) => row)),
  labels: Int32Array.from(all, ({ cls }) => cls),
  ...{ n: all.length, features: 2 },
});
/** Says class 0 or 1, whatever it is shown. */
const always = (cls: number) => ({
  input: { length: 1, channels: 2 },
  layers: [
    {
      ...{ type: 'dense' as const, inputs: 2, outputs: 2, relu: false },
      ...{ weights: new Float32Array(4), bias: Float32Array.of(cls === 0 ? 50 : 0, cls * 50) },
    },
  ],
});
const ask = (all: typeof old, cls: number, row: number[]) => [
  ...newClassTeacher(rowsOf(all), 2, 3, always(cls))(Float32Array.from(row), 1),
];

describe('newClassTeacher()', () => {
  it('says the new class near its windows, the old ones near theirs, in shares of 1', () => {
    const near = ask([...old, ...five], 0, [5, 5.2]);
    expect(near[2]).toBeGreaterThan(0.99);
    expect(ask([...old, ...five], 0, [0.2, 0])[2]).toBeLessThan(0.01);
    for (const row of [
      [5, 4],
      [4, 3],
      [0, 0],
      [100, -100],
    ]) {
      expect(ask([...old, ...five], 0, row).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    }
  });

  it('hears the champion for half of what is old, and for nothing of what is new', () => {
    const [zero, one] = [0, 1].map((cls) => ask([...old, ...five], cls, [0.2, 0]));
    expect(zero![0]).toBeCloseTo(1, 2);
    expect(one![0]).toBeCloseTo(0.5, 2);
    expect(one![1]).toBeCloseTo(0.5, 2);
    expect(one![2]).toBe(zero![2]);
  });

  it('takes less where a window of the old ones lies nearer to the new than to its own', () => {
    const between = [3, 2.5]; // as far from the nearest of either
    const astray = { row: [5, 12], cls: 0 };
    expect(ask([...old, ...five], 0, between)[2]).toBeGreaterThan(0.9);
    expect(ask([...old, astray, ...five], 0, between)[2]).toBeLessThan(0.1);
  });

  it('refuses a new class without windows, and old ones without any', () => {
    expect(() => ask(old, 0, [0, 0])).toThrow(RangeError);
    expect(() => ask(five, 0, [0, 0])).toThrow('a new class needs windows, and others too');
  });
});
