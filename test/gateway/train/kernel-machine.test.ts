import { describe, expect, it } from 'vitest';
import { fitKernelMachine } from '../../../gateway/train/kernel-machine.ts';
import { asked, curves, machines } from '../../support/curves.ts';

describe('fitKernelMachine()', () => {
  for (const cost of [100, 1] as const) {
    it(`gives scikit-learn's distances to the margin at a cost of ${cost}`, () => {
      // its gamma, 0.25, is the scale over two features
      const score = fitKernelMachine(curves, curves.labels, 3, { scale: 0.5, cost });
      const scores = score(asked);
      machines[cost].flat().forEach((value, i) => {
        expect(Math.abs(scores[i]! - value)).toBeLessThan(0.005);
      });
    });
  }

  it('parts what no line parts, all but the one point that scikit-learn leaves as well', () => {
    const scores = fitKernelMachine(curves, curves.labels, 3, { scale: 0.5, cost: 100 })(curves);
    const said = [...curves.labels].map((_, s) => {
      const row = scores.subarray(s * 3, s * 3 + 3);
      return row.indexOf(Math.max(...row));
    });
    expect(said.filter((cls, s) => cls === curves.labels[s])).toHaveLength(23);
  });

  it('never lets a class win that has no sample', () => {
    const two = { ...curves, x: curves.x.slice(0, 32), n: 16 };
    const scores = fitKernelMachine(two, curves.labels.slice(0, 16), 3, { scale: 0.5, cost: 10 })(
      asked,
    );
    for (let s = 0; s < asked.n; s++) {
      const row = scores.subarray(s * 3, s * 3 + 3);
      expect(row[2]).toBe(-1);
      expect(Math.max(row[0]!, row[1]!)).toBeGreaterThan(-1);
    }
  });

  it('refuses labels that do not fit the samples', () => {
    const options = { scale: 1, cost: 1 };
    expect(() => fitKernelMachine(curves, curves.labels.slice(1), 3, options)).toThrow(RangeError);
  });
});
