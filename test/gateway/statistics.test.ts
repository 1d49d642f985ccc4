import { describe, expect, it } from 'vitest';
import { binomialLowerTail, fisherWorse, mcnemarMidP, wilson } from '../../gateway/statistics.ts';

describe('statistics', () => {
  it('mcnemarMidP() gives the published value on the airway data', () => {
    // Fagerland et al. 2013, table 1 (Bentur et al.): 1 and 7 discordant pairs, mid-p 0.039
    expect(mcnemarMidP(1, 7)).toBeCloseTo(0.0390625, 10);
    expect(mcnemarMidP(7, 1)).toBe(mcnemarMidP(1, 7));
  });

  it('mcnemarMidP() is 1 when no pair is discordant', () => {
    expect(mcnemarMidP(0, 0)).toBe(1);
  });

  it('wilson() stays within 0 and 1 at the ends', () => {
    expect(wilson(0, 20)[0]).toBe(0);
    // Newcombe 1998, table I
    expect(wilson(0, 20)[1]).toBeCloseTo(0.1611, 4);
    expect(wilson(29, 29)[1]).toBe(1);
    expect(wilson(29, 29)[0]).toBeCloseTo(0.883, 3);
  });

  it('binomialLowerTail() agrees with exact sums beyond the small cases', () => {
    // sum of C(100, i) 0.5^100 for i <= 40, exactly
    let ways = 1n;
    let sum = 0n;
    for (let i = 0n; i <= 40n; i++) {
      sum += ways;
      ways = (ways * (100n - i)) / (i + 1n);
    }
    const exact = Number((sum * 10n ** 18n) / 2n ** 100n) / 1e18;
    expect(binomialLowerTail(40, 100, 0.5)).toBeCloseTo(exact, 12);
    expect(binomialLowerTail(2, 3, 1)).toBe(0);
    expect(binomialLowerTail(0, 3, 0)).toBe(1);
  });

  it('binomialLowerTail() and its mirror leave nothing out', () => {
    for (const [n, p] of [
      [9, 0.3],
      [50, 0.77],
      [51, 0.77],
      [4000, 0.02],
    ] as const) {
      for (const k of [0, 1, Math.floor(n * p), n]) {
        const above = binomialLowerTail(n - k, n, 1 - p);
        expect(binomialLowerTail(k - 1, n, p) + above).toBeCloseTo(1, 9);
      }
    }
    expect(binomialLowerTail(2, 7, 0.9)).toBeCloseTo(0.0001765, 7);
  });

  it('fisherWorse() is the lower tail of the hypergeometric distribution', () => {
    expect(fisherWorse(1, 4, 3, 4)).toBeCloseTo(17 / 70, 12);
    expect(fisherWorse(10, 10, 0, 10)).toBeCloseTo(1, 12);
    expect(fisherWorse(0, 10, 10, 10)).toBeCloseTo(1 / 184756, 12);
  });

  it('statistics refuse what cannot be counted', () => {
    expect(() => mcnemarMidP(-1, 3)).toThrow(RangeError);
    expect(() => wilson(3, 2)).toThrow(RangeError);
    expect(() => binomialLowerTail(1, 2, 1.5)).toThrow(RangeError);
  });
});
