import { describe, expect, it } from 'vitest';
import { fitDiscriminant } from '../../../gateway/train/discriminant.ts';
import { asked, curves, discriminants } from '../../support/curves.ts';

describe('fitDiscriminant()', () => {
  it("gives scikit-learn's discriminants, spread by 1 over the samples", () => {
    const { weights, bias } = fitDiscriminant(curves, curves.labels, 3, 0.1);
    const score = (s: number, c: number): number =>
      bias[c]! + weights[2 * c]! * asked.x[2 * s]! + weights[2 * c + 1]! * asked.x[2 * s + 1]!;
    discriminants.forEach((row, s) => {
      row.forEach((value, c) => {
        expect(score(s, c) - score(s, 0)).toBeCloseTo(value, 3);
      });
    });
  });

  it('weighs every class alike, however many samples it has', () => {
    const twice = [...curves.labels.keys()].flatMap((s) => (curves.labels[s] === 1 ? [s, s] : [s]));
    const x = Float32Array.from(twice.flatMap((s) => [curves.x[2 * s]!, curves.x[2 * s + 1]!]));
    const labels = Int32Array.from(twice, (s) => curves.labels[s]!);
    const more = fitDiscriminant({ x, n: twice.length, features: 2 }, labels, 3, 0.1);
    const once = fitDiscriminant(curves, curves.labels, 3, 0.1);
    // only the unit of the scores depends on who is there
    const unit = more.weights[0]! / once.weights[0]!;
    once.weights.forEach((w, i) => {
      expect(more.weights[i]).toBeCloseTo(w * unit, 4);
    });
  });

  it('puts a class without samples below all others', () => {
    const { weights, bias } = fitDiscriminant(curves, curves.labels, 4, 0.1);
    expect([...weights.slice(6)]).toEqual([0, 0]);
    expect(bias[3]).toBeLessThan(-1);
  });

  it('refuses a single class, and a shrinkage that leaves nothing or everything', () => {
    const one = new Int32Array(24);
    expect(() => fitDiscriminant(curves, one, 3, 0.1)).toThrow('1 classes have samples');
    for (const shrinkage of [0, 1, Number.NaN]) {
      expect(() => fitDiscriminant(curves, curves.labels, 3, shrinkage)).toThrow(RangeError);
    }
  });
});
