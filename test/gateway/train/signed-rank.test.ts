import { describe, expect, it } from 'vitest';
import { normalTail, signedRank } from '../../../gateway/train/signed-rank.ts';

/** Differences that anyone can make again: sin(12.9898 i) + 0.1. */
const wave = (n: number) => Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898) + 0.1);

describe('signedRank()', () => {
  it('agrees with SciPy where the mid of its exact p-value lies', () => {
    // scipy 1.17 wilcoxon(mode='exact'): 0.4375 for rank sum 6 of 21; half of that sum's own
    // probability, 4 of 64 sign patterns a side, less
    expect(signedRank([1, 2, 3, 4, 5, -6]).midP).toBe(0.4375 - 4 / 64);
    // exact 0.040977, with a point probability that is small by then
    expect(signedRank(wave(150)).midP).toBeCloseTo(0.040977, 3);
    expect(signedRank(wave(150)).midP).toBeLessThan(0.040977);
  });

  it('agrees with SciPy in the normal limit for many pairs', () => {
    // scipy wilcoxon(mode='approx'): 0.006590049983803968
    expect(signedRank(wave(250)).midP).toBeCloseTo(0.00659005, 7);
  });

  it('counts every sign when few tie', () => {
    // ranks 1.5, 1.5, 3: all positive has 1 of 8 patterns on either side, half of it counts
    expect(signedRank([2, 2, 5])).toEqual({ midP: 0.125, positive: 1 });
    expect(signedRank([-2, -2, -5])).toEqual({ midP: 0.125, positive: 0 });
    expect(signedRank([4, 0, 0, 0]).midP).toBe(0.5);
    expect(signedRank([3, -3]).midP).toBe(1);
  });
});

describe('normalTail()', () => {
  it('is the tail of the normal distribution', () => {
    expect(normalTail(0)).toBeCloseTo(0.5, 9);
    // scipy.stats.norm.sf(5) 2.866515718791933e-07
    expect(normalTail(5) / 2.866515718791933e-7).toBeCloseTo(1, 5);
    expect(normalTail(-1) + normalTail(1)).toBeCloseTo(1, 12);
    expect(normalTail(40)).toBe(0);
  });
});
