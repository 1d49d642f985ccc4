import { describe, expect, it } from 'vitest';
import * as module from '../../../gateway/train/rehearsal.ts';

const { rehearsalWeights, reservoir } = module;

describe('rehearsal', () => {
  it('reservoir() keeps every item with the same chance when more come than fit', () => {
    const counts = new Array<number>(10).fill(0);
    const items = counts.map((_, i) => i);
    for (let seed = 0; seed < 5000; seed++) {
      for (const item of reservoir(items, () => 'one', 3, seed)) counts[item]++;
    }
    for (const count of counts) expect(Math.abs(count - 1500)).toBeLessThan(150);
  });

  it('reservoir() bounds each group by itself and repeats itself when seeded alike', () => {
    const items = Array.from({ length: 300 }, (_, i) => ({ group: i % 3 === 0 ? 'a' : 'b', i }));
    const kept = reservoir(items, ({ group }) => group, 20, 9);
    expect(kept.filter(({ group }) => group === 'a')).toHaveLength(20);
    expect(kept.filter(({ group }) => group === 'b')).toHaveLength(20);
    expect(reservoir(items, ({ group }) => group, 20, 9)).toEqual(kept);
    expect(reservoir(items, ({ group }) => group, 20, 10)).not.toEqual(kept);
  });

  it('rehearsalWeights() makes classes equal and old samples a share of each', () => {
    const fresh = [0, 0, 0, 1, 2];
    const old = [0, 1, 1, 1, 1, 3];
    const weights = rehearsalWeights(fresh, old, 0.25);
    const classes = [...fresh, ...old];
    const total = (keep: (i: number) => boolean): number =>
      weights.reduce((sum, weight, i) => sum + (keep(i) ? weight : 0), 0);
    for (const cls of [0, 1, 2, 3]) expect(total((i) => classes[i] === cls)).toBeCloseTo(2.75, 5);
    expect(total((i) => i >= 5 && classes[i] === 1)).toBeCloseTo(0.25 * 2.75, 5);
    expect(total((i) => i >= 5 && classes[i] === 3)).toBeCloseTo(2.75, 5);
    expect(total(() => true)).toBeCloseTo(11, 5);
  });

  it('rehearsalWeights() balances the new samples when there is nothing to rehearse', () => {
    expect([...rehearsalWeights([0, 0, 0, 1], [], 0.5)]).toEqual(
      [2 / 3, 2 / 3, 2 / 3, 2].map(Math.fround),
    );
  });

  it('rehearsal refuses a share or a capacity that is none', () => {
    expect(() => rehearsalWeights([0], [0], 1.5)).toThrow(RangeError);
    expect(() => reservoir([1], () => '', 0, 1)).toThrow(RangeError);
  });
});
