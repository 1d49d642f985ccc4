import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrayWindow } from '../../../device/core/sensor-array.ts';

const kinds = [
  { floor: 500, full: 1e6 },
  { floor: 0.5, full: -200 },
];

describe('arrayWindow()', () => {
  it('gives the levels of all values, then their ratios to the mean over the array', () => {
    // two sensors; the level by hand: 223 / ln(2001) = 29.3373…, 223 / ln(401) = 37.2043…
    const window = arrayWindow([10_000, -3, 30_000, -1], kinds);
    expect([...window]).toEqual([
      Math.round(-96 + 29.3389 * Math.log(21)),
      Math.round(-96 + 37.2046 * Math.log(7)),
      Math.round(-96 + 29.3389 * Math.log(61)),
      Math.round(-96 + 37.2046 * Math.log(3)),
      16,
      48,
      48,
      16,
    ]);
  });

  it('gives noise about the level of no response, and what is beyond the range its end', () => {
    expect([...arrayWindow([0, 0], kinds)]).toEqual([-96, -96, 0, 0]);
    const [below, falls] = arrayWindow([-100, 0.1], kinds);
    expect(below).toBe(-101);
    expect(falls).toBe(-103);
    expect([...arrayWindow([5e6, -9e9, 1, -1], kinds)]).toEqual([127, 127, -96, -55, 64, 64, 0, 0]);
  });

  it('moves every level alike, and no ratio, when a gain of the whole array changes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 5e4, max: 4e5, noNaN: true }), { minLength: 2, maxLength: 16 }),
        fc.double({ min: 0.6, max: 2.4, noNaN: true }),
        (values, gain) => {
          const one = [{ floor: 1, full: 1e6 }];
          const n = values.length;
          const before = arrayWindow(values, one);
          const after = arrayWindow(
            values.map((value) => value * gain),
            one,
          );
          const move = (223 / Math.log(1e6 + 1)) * Math.log(gain);
          for (let i = 0; i < n; i++) {
            expect(Math.abs(after[i]! - before[i]! - move)).toBeLessThanOrEqual(1.01);
            expect(Math.abs(after[n + i]! - before[n + i]!)).toBeLessThanOrEqual(1);
          }
        },
      ),
    );
  });
});
