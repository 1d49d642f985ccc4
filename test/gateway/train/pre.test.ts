import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadModel, normalise } from '../../../device/core/model.ts';
import { encodeLayers } from '../../../gateway/train/layer-codec.ts';
import { decodePre, encodePre, fitPre } from '../../../gateway/train/pre.ts';
import { dot } from '../../support/kernel-cases.ts';

describe('fitPre()', () => {
  const rows = Array.from({ length: 200 }, (_, i) => [
    1000 + ((i * 75) % 401) - 200,
    ((i * 31) % 11) * 3 - 20,
    -7,
    i % 2,
  ]);

  it('fitPre() puts the mean at 0 and sigmas deviations at 127', () => {
    const pre = fitPre(rows, { sigmas: 3, set: 1 });
    const mean = rows.reduce((s, r) => s + r[0], 0) / 200;
    const deviation = Math.sqrt(rows.reduce((s, r) => s + (r[0] - mean) ** 2, 0) / 200);
    expect(pre.offset[0]).toBe(Math.round(mean));
    expect(pre.multiplier[0] / 2 ** pre.shift[0]).toBeCloseTo(127 / (3 * deviation), 4);
    expect([pre.set, pre.zero]).toEqual([1, 0]);
  });

  it('fitPre() silences a constant feature and does not blow up one that hardly moves', () => {
    const pre = fitPre(rows, { sigmas: 4 });
    expect([pre.multiplier[2], pre.shift[2]]).toEqual([0, 0]);
    expect(pre.multiplier[3] / 2 ** pre.shift[3]).toBeCloseTo(127 / (4 * 4), 3);
    const raw = fitPre(rows, { sigmas: 4, set: 0 });
    expect(raw.multiplier[3] / 2 ** raw.shift[3]).toBeCloseTo(127 / 4, 2);
    expect(raw.set).toBe(0);
  });

  it('fitPre() normalises what it was fitted on without saturating within its sigmas', () => {
    const axes = rows.map((r) => [r[1], r[1] - 3, -r[1]]);
    const pre = fitPre(axes, { sigmas: 3, set: 0 });
    const empty = encodeLayers([], 0);
    const q = normalise(
      loadModel(encodePre(pre), empty, empty),
      Int8Array.from(axes.flat()),
      200,
      dot,
    );
    for (let axis = 0; axis < 3; axis++) {
      const values = Array.from(q).filter((_, i) => i % 3 === axis);
      const mean = values.reduce((a, b) => a + b, 0) / 200;
      const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / 200);
      expect(Math.abs(mean)).toBeLessThan(3);
      expect(deviation).toBeCloseTo(127 / 3, 0);
    }
  });

  it('fitPre() throws RangeError when there is nothing to fit', () => {
    expect(() => fitPre([], { sigmas: 3 })).toThrow(RangeError);
    expect(() => fitPre([[1], [1, 2]], { sigmas: 3 })).toThrow(RangeError);
    expect(() => fitPre([[1], [2]], { sigmas: 0 })).toThrow(RangeError);
  });
});

describe('encodePre()', () => {
  it('encodePre() comes back from decodePre(), at any alignment', () => {
    const pres = fc.integer({ min: 1, max: 9 }).chain((n) =>
      fc.record({
        set: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
        zero: fc.integer({ min: -128, max: 127 }),
        offset: fc
          .array(fc.integer(), { minLength: n, maxLength: n })
          .map((v) => Int32Array.from(v)),
        multiplier: fc
          .array(fc.integer({ min: 2 ** 15, max: 2 ** 16 - 1 }), { minLength: n, maxLength: n })
          .map((v) => Uint16Array.from(v)),
        shift: fc
          .array(fc.integer({ min: 0, max: 31 }), { minLength: n, maxLength: n })
          .map((v) => Uint8Array.from(v)),
      }),
    );
    fc.assert(
      fc.property(pres, (pre) => {
        const part = encodePre(pre);
        const shifted = new Uint8Array(part.length + 1);
        shifted.set(part, 1);
        expect(decodePre(shifted.subarray(1))).toEqual(pre);
      }),
    );
  });

  it('encodePre() and decodePre() throw RangeError when the part is impossible', () => {
    const pre = fitPre([[1], [60]], { sigmas: 3 });
    expect(() => encodePre({ ...pre, shift: new Uint8Array(2) })).toThrow(RangeError);
    expect(() => encodePre({ ...pre, multiplier: Uint16Array.from([5]) })).toThrow(RangeError);
    const part = encodePre(pre);
    expect(() => decodePre(part.subarray(0, 8))).toThrow(RangeError);
    for (const zero of [-129, 128, 0.5]) {
      expect(() => encodePre({ ...pre, zero })).toThrow(/zero must be an int8/);
    }
    for (const set of [0, 4, 255]) {
      part[0] = set;
      expect(() => decodePre(part)).toThrow(RangeError);
    }
  });
});
