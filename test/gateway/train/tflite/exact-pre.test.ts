import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPredictor, encodeModel } from '../../../../gateway/train/model.ts';
import {
  fitNormalisation,
  normalised,
  quantised,
} from '../../../../gateway/train/tflite/exact-pre.ts';
import { quantiseInput } from '../../../../gateway/train/tflite/run-tflite.ts';

const counts = Array.from({ length: 256 }, (_, i) => i - 128);
const zero = fc.integer({ min: -128, max: 127 });

describe('fitNormalisation()', () => {
  it('gives what QUANTIZE gives for each of the 256 counts, whatever the scale', () => {
    const scale = fc.double({ min: -6, max: 3, noNaN: true }).map((e) => Math.fround(2 ** e));
    fc.assert(
      fc.property(scale, zero, (scale, zero) => {
        const quantisation = { scale, zero };
        const { normalisation, off } = fitNormalisation(quantisation, -128, 127);
        const wanted = [...quantiseInput(Float32Array.from(counts), quantisation)];
        const is = counts.map((count) => normalised(count, normalisation));
        expect(is.filter((q, i) => q !== wanted[i])).toHaveLength(off);
        expect(off).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it.each([2, 4, 8, 1, 0.5, 3])('moves the ties of a scale of %d away from zero', (scale) => {
    const { normalisation, off } = fitNormalisation({ scale, zero: 0 }, -128, 127);
    expect(off).toBe(0);
    expect(normalised(-Math.ceil(scale / 2), normalisation)).toBe(
      quantised(-Math.ceil(scale / 2), { scale, zero: 0 }),
    );
  });

  it('counts what no multiplier meets: ties that float32 rounds now so, now so', () => {
    const quantisation = { scale: Math.fround(10 / 17), zero: 5 };
    const { normalisation, off } = fitNormalisation(quantisation, -128, 127);
    expect(off).toBeGreaterThan(0);
    for (const count of counts) {
      const apart = normalised(count, normalisation) - quantised(count, quantisation);
      expect(Math.abs(apart)).toBeLessThanOrEqual(1);
    }
  });

  it('throws RangeError when a scale has no multiplier of 16 bits', () => {
    expect(() => fitNormalisation({ scale: 1e-9, zero: 0 }, -128, 127)).toThrow(RangeError);
    expect(() => fitNormalisation({ scale: 1e9, zero: 0 }, -128, 127)).toThrow(RangeError);
  });
});

describe('normalised()', () => {
  it('is what a device computes', () => {
    const normalisation = fitNormalisation({ scale: 0.75, zero: -20 }, -128, 127).normalisation;
    const { offset, multiplier, shift } = normalisation;
    const pre = {
      ...{ set: 0 as const, zero: normalisation.zero, offset: Int32Array.of(offset) },
      ...{ multiplier: Uint16Array.of(multiplier), shift: Uint8Array.of(shift) },
    };
    const step = { scale: 1, zero: 0 };
    const same = { type: 'quantise', size: 256, input: step, output: step } as const;
    const predict = createPredictor(encodeModel({ pre, layers: [same], cut: 0 }));
    const { logits } = predict(Int8Array.from(counts), 256);
    expect([...logits]).toEqual(counts.map((count) => normalised(count, normalisation)));
  });
});
