import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { featureAxes, featureCount, features } from '../../../device/core/features.ts';
import { featureCases, featureWindow } from '../../support/feature-cases.ts';
import { dot } from '../../support/kernel-cases.ts';

const SAMPLES = 50;

/** The features of one axis, from their words rather than from the code. */
function statistics(values: number[]): number[] {
  const n = values.length;
  const sum = values.reduce((a, b) => a + b, 0);
  const mean = Math.floor(sum / n);
  const points = [0, 1, 2, 3, 4].map((j) => {
    const place = (j * (n - 1)) / 4;
    const before = values[Math.floor(place)];
    const after = values[Math.min(Math.floor(place) + 1, n - 1)];
    return 16 * (before + (after - before) * (place - Math.floor(place)));
  });
  const square = values.reduce((a, b) => a + (b - mean) ** 2, 0);
  const steps = values.slice(1).map((v, i) => [values[i], v]);
  const change = steps.reduce((a, [u, v]) => a + Math.abs(v - u), 0);
  const crossed = steps.filter(([u, v]) => u > mean !== v > mean).length;
  return [
    ...points,
    Math.floor((16 * sum) / n),
    Math.floor(Math.sqrt((256 * square) / n)),
    Math.floor((16 * change) / (n - 1)),
    16 * crossed,
  ];
}

describe('features()', () => {
  for (const c of featureCases()) {
    it(`features() equals the reference in Python when given ${c.kind} ${c.seed}, n ${c.n}`, () => {
      const window = featureWindow(c);
      expect(features(2, window, c.n, SAMPLES, 3, dot)).toEqual(c.features);
      expect(features(1, window, c.n, SAMPLES, 3, dot)).toEqual(c.features.slice(0, 27));
    });
  }

  it('features() describes each axis when the set is statistics and axes are one to four', () => {
    const window = fc.integer({ min: 1, max: 4 }).chain((axes) =>
      fc.record({
        axes: fc.constant(axes),
        n: fc.integer({ min: 4, max: 12 }),
        values: fc.array(fc.integer({ min: -128, max: 127 }), {
          minLength: 12 * axes,
          maxLength: 12 * axes,
        }),
      }),
    );
    fc.assert(
      fc.property(window, ({ axes, n, values }) => {
        const all = values.map((v, i) => (i < n * axes ? v : 0));
        const expected = Array.from({ length: axes }, (_, a) =>
          statistics(all.slice(0, n * axes).filter((_, i) => i % axes === a)),
        );
        expect(features(1, Int8Array.from(all), n, 12, axes, dot)).toEqual(expected.flat());
      }),
    );
  });

  it('features() counts fewer than four samples as four, and no more than the window has', () => {
    const window = featureWindow({ kind: 'walk', seed: 5, n: 2 });
    expect(features(2, window, 2, SAMPLES, 3, dot)).toEqual(
      features(2, window, 4, SAMPLES, 3, dot),
    );
    expect(features(2, window, 99, SAMPLES, 3, dot)).toEqual(
      features(2, window, 50, SAMPLES, 3, dot),
    );
  });

  it('features() turns the sign of the swept area when the movement runs backwards', () => {
    const forth = featureWindow({ kind: 'walk', seed: 77, n: 50 });
    const back = new Int8Array(150);
    for (let i = 0; i < 50; i++) back.set(forth.subarray(3 * i, 3 * i + 3), 3 * (49 - i));
    const [f, b] = [forth, back].map((w) => features(2, w, 50, SAMPLES, 3, dot));
    for (const at of [34, 42, 47]) {
      expect(f[at]).not.toBe(0);
      expect(b[at]).toBe(-f[at]);
      expect(b[at + 1]).toBe(f[at + 1]);
    }
  });

  it('features() measures the swept area about a mean vector as short as 1', () => {
    const circle = [10, 0, 0, 0, 10, 0, -10, 0, 0, 0, -10, 0];
    const window = Int8Array.from(Array(5).fill(circle).flat());
    window[2] = 1;
    const all = features(2, window, 20, 20, 3, dot);
    // 19 steps sweep 100 each: 256 · 1900 / 20 = 24320 about z, times the mean vector (0, 0, 1)
    expect(all[34]).toBe(155);
    expect(all[38]).toBe(155);
  });
});

describe('featureCount()', () => {
  it('featureCount() is how many there are, and featureAxes() its inverse', () => {
    expect([featureCount(1, 3), featureCount(2, 3), featureCount(1, 2)]).toEqual([27, 50, 18]);
    expect([featureAxes(1, 27), featureAxes(2, 50), featureAxes(1, 18)]).toEqual([3, 3, 2]);
    const window = featureWindow({ kind: 'walk', seed: 5, n: 50 });
    expect(features(2, window, 50, SAMPLES, 3, dot)).toHaveLength(featureCount(2, 3));
  });
});
