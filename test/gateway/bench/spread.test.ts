import { describe, expect, it } from 'vitest';
import { meanOf, medianOf } from '../../../gateway/bench/spread.ts';

describe('meanOf()', () => {
  it("gives Student's interval, wide for few figures", () => {
    // t for 4, 9 and 19 degrees of freedom: 2.776, 2.262, 2.093
    expect(meanOf([1, 2, 3, 4, 5], 2)).toEqual({ value: 3, interval: [1.04, 4.96] });
    const spread = (n: number) => {
      const { value, interval } = meanOf(
        Array.from({ length: n }, (_, i) => i),
        6,
      );
      const deviation = Math.sqrt((n * (n + 1)) / 12);
      return ((interval![1] - value) / deviation) * Math.sqrt(n);
    };
    expect(spread(10)).toBeCloseTo(2.262, 2);
    expect(spread(20)).toBeCloseTo(2.093, 2);
  });

  it('has no interval of one figure, and throws RangeError of none', () => {
    expect(meanOf([0.25], 2)).toEqual({ value: 0.25 });
    expect(() => meanOf([], 2)).toThrow(RangeError);
  });
});

describe('medianOf()', () => {
  it('gives the order statistics that hold the median in 95 % of cases', () => {
    // of 20 figures the 6th and the 15th, with 95.9 %: tables of the sign test
    const values = Array.from({ length: 20 }, (_, i) => 20 - i);
    expect(medianOf(values)).toEqual({ value: 11, interval: [6, 15] });
    expect(medianOf([5, 1, 2, 4, 3, 6, 8, 7])).toEqual({ value: 5, interval: [1, 8] });
  });

  it('counts what was not reached as more than everything', () => {
    expect(medianOf([3, Infinity, 2]).value).toBe(3);
    expect(medianOf([3, Infinity, Infinity]).value).toBe(Infinity);
  });

  it('throws RangeError of no figure', () => {
    expect(() => medianOf([])).toThrow(RangeError);
  });
});
