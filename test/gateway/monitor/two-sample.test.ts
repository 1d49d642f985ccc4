import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adjust, type Correction } from '../../../gateway/monitor/correction.ts';
import { features } from '../../../gateway/monitor/features.ts';
import { kolmogorovSmirnov } from '../../../gateway/monitor/kolmogorov-smirnov.ts';
import { ksCritical, ksTail } from '../../../gateway/monitor/ks-tail.ts';
import { kswin } from '../../../gateway/monitor/kswin.ts';
import { mmd } from '../../../gateway/monitor/mmd.ts';
import { createPrefixTree } from '../../../gateway/monitor/prefix-tree.ts';
import { psi } from '../../../gateway/monitor/psi.ts';
import { createRandom } from '../../../gateway/random.ts';

/** Largest difference of two distribution functions, by looking at every value. */
function distance(a: number[], b: number[]): number {
  const below = (all: number[], at: number) => all.filter((x) => x <= at).length / all.length;
  return Math.max(...[...a, ...b].map((at) => Math.abs(below(a, at) - below(b, at))));
}

describe('createPrefixTree()', () => {
  test('keeps the extremes of the running sum, whatever is added', () => {
    const steps = fc.array(fc.tuple(fc.nat(12), fc.integer({ min: -9, max: 9 })), { minLength: 1 });
    fc.assert(
      fc.property(steps, (all) => {
        const tree = createPrefixTree(13);
        const row = new Array<number>(13).fill(0);
        for (const [index, by] of all) {
          tree.add(index, by);
          row[index] += by;
          const sums = row.map((_, i) => row.slice(0, i + 1).reduce((x, y) => x + y));
          expect([tree.highest, tree.lowest]).toEqual([Math.max(...sums), Math.min(...sums)]);
        }
      }),
      { seed: 1 },
    );
  });

  test('refuses a row of no length', () => {
    expect(() => createPrefixTree(0)).toThrow(RangeError);
  });
});

describe('kolmogorovSmirnov()', () => {
  test('says the distance of any two samples, with as many equal values as there are', () => {
    const values = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 40, maxLength: 60 });
    fc.assert(
      fc.property(values, (all) => {
        const detector = kolmogorovSmirnov({ reference: 20, window: 12, alpha: 0 });
        for (const x of all) detector.update(x);
        const expected = distance(all.slice(0, 20), all.slice(-12));
        expect(detector.comparison?.statistic).toBeCloseTo(expected, 12);
      }),
      { seed: 1 },
    );
  });

  test('finds two samples of equal values alike, where River finds them 1 apart', () => {
    const detector = kolmogorovSmirnov({ reference: 4, window: 4, alpha: 0 });
    for (let i = 0; i < 8; i++) detector.update(1);
    expect(detector.comparison).toEqual({ statistic: 0, pValue: 1 });
  });

  test('refuses sizes that are none, or too many to count', () => {
    expect(() => kolmogorovSmirnov({ window: 0 })).toThrow(RangeError);
    expect(() => kolmogorovSmirnov({ reference: 4000, window: 4000 })).toThrow(RangeError);
  });
});

describe('ksCritical()', () => {
  test('is the least statistic that is as rare as asked', () => {
    for (const [alpha, n, m] of [
      [0.05, 30, 30],
      [1e-4, 40, 60],
      [0.01, 37, 53],
    ]) {
      const h = ksCritical(alpha, n, m);
      expect(ksTail(h, n, m)).toBeLessThanOrEqual(alpha);
      const step = n === 40 ? 20 : n === m ? n : 1;
      expect(ksTail(h - step, n, m)).toBeGreaterThan(alpha);
    }
    expect(ksCritical(1e-9, 4, 4)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('kswin()', () => {
  const wave = Array.from(
    { length: 900 },
    (_, i) => ((i * 7919) % 101) / 101 + (i % 300 > 150 ? 0.4 : 0),
  );
  const alarms = (options: object) => {
    const detector = kswin(options);
    return wave.flatMap((x, i) => (detector.update(x) ? [i] : []));
  };

  test('gives the same alarms for the same seed, others for another', () => {
    expect(alarms({ seed: 3 })).toEqual(alarms({ seed: 3 }));
    expect(alarms({ seed: 3 })).not.toEqual(alarms({ seed: 4 }));
  });

  test('draws as many different values as it compares, all older than the newest', () => {
    const drawn: number[][] = [];
    // a source of draws that records them: the first, in turn
    const draw = (_: number, from: number, count: number) => {
      drawn.push([from, count]);
      return Array.from({ length: count }, (_, i) => i);
    };
    const detector = kswin({ windowSize: 50, statSize: 20, draw });
    for (let i = 0; i < 50; i++) detector.update(i % 3);
    expect(drawn).toEqual([[30, 20]]);
  });

  test('refuses a window that does not hold both samples', () => {
    expect(() => kswin({ windowSize: 50, statSize: 30 })).toThrow(RangeError);
  });
});

describe('psi()', () => {
  test('is the index of the shares, with half a value more in each bin', () => {
    const detector = psi({ reference: 40, window: 20, bins: 2, alpha: 0 });
    for (let i = 0; i < 40; i++) detector.update(i);
    for (let i = 0; i < 20; i++) detector.update(i < 5 ? 0 : 39);
    const [before, now] = [20.5 / 41, 5.5 / 21];
    const part = (p: number, q: number) => (q - p) * Math.log(q / p);
    const expected = part(before, now) + part(1 - before, 1 - now);
    expect(detector.comparison?.statistic).toBeCloseTo(expected, 12);
  });

  test('alarms at the threshold that custom sets, or at the one of chi-square', () => {
    const alarm = (options: object) => {
      const detector = psi({ reference: 1000, window: 500, ...options });
      const random = createRandom(2);
      for (let i = 0; i < 1500; i++) detector.update(random.gaussian());
      for (let i = 0; ; i++) if (detector.update(random.gaussian() + 0.5)) return i;
    };
    const critical = 33.71994843896462; // chi-square of 9 degrees exceeds it with 1e-4
    const byChiSquare = critical * (1 / 1000 + 1 / 500);
    expect(alarm({ alpha: 1e-4 })).toBe(alarm({ threshold: byChiSquare }));
    expect(alarm({ threshold: 0.25 })).toBeGreaterThan(alarm({ threshold: 0.1 }));
  });

  test('sees a constant or clipped stream leave its value, up or down', () => {
    for (const away of [-0.1, 0.1]) {
      const detector = psi({ reference: 100, window: 50 });
      for (let i = 0; i < 300; i++) detector.update(0.3);
      let alarmed = false;
      for (let i = 0; i < 50; i++) alarmed ||= detector.update(0.3 + away);
      expect(alarmed).toBe(true);
    }
  });

  test('keeps equal values in one bin: a heap that stays is no change', () => {
    const random = createRandom(3);
    const clipped = () => Math.min(1, Math.max(0, 1.5 * random.gaussian()));
    const detector = psi({ reference: 200, window: 100 });
    for (let i = 0; i < 5000; i++) expect(detector.update(clipped())).toBe(false);
  });

  test('refuses fewer than two values a bin', () => {
    expect(() => psi({ reference: 19 })).toThrow(RangeError);
  });
});

describe('mmd()', () => {
  /** Biased estimate by all pairs, of scaled values, with a Gaussian kernel. */
  function exact(a: number[], b: number[], width: number): number {
    const mean = (p: number[], q: number[]) =>
      p.reduce(
        (t, x) => t + q.reduce((u, y) => u + Math.exp(-((x - y) ** 2) / (2 * width ** 2)), 0),
        0,
      ) /
      (p.length * q.length);
    return Math.sqrt(mean(a, a) + mean(b, b) - 2 * mean(a, b));
  }

  test('is about the discrepancy by all pairs, and forgets what left the window', () => {
    const random = createRandom(8);
    const values = Array.from({ length: 430 }, (_, i) => random.gaussian() + (i < 200 ? 0 : 1.5));
    const detector = mmd({ reference: 200, window: 100, frequencies: 250, alpha: 1e-300 });
    for (const x of values) detector.update([x]);
    const { normal } = detector.state();
    if (normal === null) throw new Error('no reference');
    const scaled = values.map((x) => (x - normal.means[0]) / normal.scales[0]);
    const expected = exact(scaled.slice(0, 200), scaled.slice(-100), normal.width);
    expect(detector.comparison?.statistic).toBeCloseTo(expected, 1);
    expect(expected).toBeGreaterThan(0.4);
  });

  test('sees two features come to hang together, which no single one shows', () => {
    const random = createRandom(4);
    const both = (correlation: number) => {
      const x = random.gaussian();
      return [x, correlation * x + Math.sqrt(1 - correlation ** 2) * random.gaussian()];
    };
    const together = mmd({ dimensions: 2 });
    const apart = features({ count: 2 });
    const seen = [false, false];
    for (let i = 0; i < 1200; i++) {
      const x = both(i < 800 ? 0 : 0.95);
      seen[0] ||= together.update(x);
      seen[1] ||= apart.update(x);
    }
    expect(seen).toEqual([true, false]);
  });

  test('refuses a vector of another length', () => {
    expect(() => mmd({ dimensions: 3 }).update([1, 2])).toThrow(RangeError);
  });
});

describe('adjust()', () => {
  const methods: Correction[] = ['bonferroni', 'holm', 'benjamini-hochberg'];
  const pValues = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 });

  test('never lowers a p-value, keeps their order, and is stricter from method to method', () => {
    fc.assert(
      fc.property(pValues, (all) => {
        const [bonferroni, holm, hochberg] = methods.map((method) => adjust(all, method));
        all.forEach((p, i) => {
          // p n / n may round
          const atLeast = 1 - 1e-12;
          expect(hochberg[i]).toBeGreaterThanOrEqual(p * atLeast);
          expect(holm[i]).toBeGreaterThanOrEqual(hochberg[i] * atLeast);
          expect(bonferroni[i]).toBeGreaterThanOrEqual(holm[i] * atLeast);
          for (const adjusted of [bonferroni, holm, hochberg]) {
            all.forEach((other, k) => {
              if (p < other) expect(adjusted[i] * atLeast).toBeLessThanOrEqual(adjusted[k]);
            });
          }
        });
      }),
      { seed: 1 },
    );
  });

  test('rejects as Holm and as Benjamini and Hochberg step by step do', () => {
    const alpha = 0.05;
    fc.assert(
      fc.property(pValues, (all) => {
        const sorted = all.toSorted((a, b) => a - b);
        const stop = sorted.findIndex((p, i) => p * (all.length - i) > alpha);
        const byHolm = stop < 0 ? all.length : stop;
        const steps = sorted.map((p, i) => (p * all.length) / (i + 1) <= alpha);
        const byHochberg = steps.lastIndexOf(true) + 1;
        const rejected = (method: Correction) =>
          adjust(all, method).filter((p) => p <= alpha).length;
        expect([rejected('holm'), rejected('benjamini-hochberg')]).toEqual([byHolm, byHochberg]);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test('refuses what is no probability', () => {
    expect(() => adjust([0.5, Number.NaN], 'holm')).toThrow(RangeError);
  });
});

describe('features()', () => {
  const moving = [3, 11, 17];

  test.each(['kolmogorov-smirnov', 'psi'] as const)('names what moved of twenty, by %s', (test) => {
    const random = createRandom(6);
    const detector = features({ count: 20, test, correction: 'benjamini-hochberg' });
    const vector = (shift: number) =>
      Array.from({ length: 20 }, (_, i) => random.gaussian() + (moving.includes(i) ? shift : 0));
    for (let i = 0; i < 800; i++) expect(detector.update(vector(0))).toBe(false);
    let after = 0;
    while (!detector.update(vector(2))) expect(++after).toBeLessThan(100);
    const named = detector.moved.map(({ feature }) => feature);
    expect(named.length).toBeGreaterThan(0);
    for (const feature of named) expect(moving).toContain(feature);
    for (const { pValue } of detector.moved) expect(pValue).toBeLessThanOrEqual(1 / 20_000);
  });

  test('keeps the run length of all features together, however many there are', () => {
    // uncorrected, one hundred features would alarm about a hundred times as often
    let alarms = 0;
    for (let seed = 1; seed <= 4; seed++) {
      const random = createRandom(seed);
      const sizes = { reference: 100, window: 50, runLength: 500 };
      const detector = features({ count: 100, ...sizes });
      for (let i = 0; i < 1500; i++) {
        alarms += Number(
          detector.update(Float64Array.from({ length: 100 }, () => random.gaussian())),
        );
      }
    }
    expect(alarms).toBeLessThanOrEqual(12);
  });

  test('refuses a vector of another length, and one with a hole in it', () => {
    const detector = features({ count: 2 });
    expect(() => detector.update([1])).toThrow(RangeError);
    const before = detector.state();
    expect(() => detector.update([1, Number.NaN])).toThrow(RangeError);
    expect(detector.state()).toEqual(before);
  });
});
