import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLayers, encodeLayers } from '../../../gateway/train/layer-codec.ts';
import {
  activationBounds,
  layerGeometry,
  layerSizes,
  moved,
  outputOf,
  type QuantConv,
  type QuantLayer,
  quantiseMultiplier,
  roundAway,
} from '../../../gateway/train/quant-layer.ts';
import { multiplierOf } from '../../support/bigint-arithmetic.ts';
import { kernelCases, OPERATORS } from '../../support/kernel-cases.ts';

const unit = { scale: 1, zero: 0 };

function conv(changes: Partial<QuantConv> = {}): QuantConv {
  return {
    ...{ type: 'conv2d', height: 7, width: 10, channels: 3, filters: 2, padding: 'same' },
    ...{ kernelHeight: 3, kernelWidth: 4, strideHeight: 2, strideWidth: 3 },
    ...{ weights: new Int8Array(72), bias: new Int32Array(2), weightScale: Float32Array.of(1) },
    ...{ input: unit, output: unit, activation: 'none' },
    ...changes,
  };
}

describe('layerGeometry()', () => {
  it('layerGeometry() puts the odd zero of SAME behind, and none for VALID', () => {
    // rows 0-2, 2-4, 4-6, 6-8 of 7 + 2 zeros; columns -1-2, 2-5, 5-8, 8-11 of 10 + 3
    expect(layerGeometry(conv())).toMatchObject({
      ...{ heightOut: 4, widthOut: 4, padTop: 1, padLeft: 1, channelsOut: 2 },
    });
    expect(layerGeometry(conv({ padding: 'valid' }))).toMatchObject({
      ...{ heightOut: 3, widthOut: 3, padTop: 0, padLeft: 0 },
    });
  });

  it('layerGeometry() throws RangeError when a kernel is longer than an unpadded input', () => {
    expect(() => layerGeometry(conv({ padding: 'valid', kernelHeight: 8 }))).toThrow(/heightOut/);
  });

  it('layerGeometry() throws RangeError when a size leaves its field', () => {
    for (const change of [
      { kernelWidth: 256 },
      { strideHeight: 0 },
      { strideWidth: 256 },
      { width: 65536 },
      { channels: 0 },
      { filters: 1.5 },
    ]) {
      expect(() => layerGeometry(conv(change)), JSON.stringify(change)).toThrow(RangeError);
    }
  });

  it('layerSizes() counts what TensorFlow Lite Micro read and gave in every vector', () => {
    for (const operator of OPERATORS) {
      for (const { name, layer, inputs, outputs } of kernelCases(operator)) {
        const sizes = { input: inputs[0].length, output: outputs[0].length };
        expect(layerSizes(layer), `${operator}: ${name}`).toEqual(sizes);
      }
    }
  });
});

describe('activationBounds()', () => {
  it('activationBounds() saturates when 0 or 6 is beyond int8', () => {
    expect(activationBounds('none', { scale: 1, zero: 5 })).toEqual([-128, 127]);
    expect(activationBounds('relu', { scale: 1, zero: 5 })).toEqual([5, 127]);
    expect(activationBounds('relu6', { scale: 1, zero: 5 })).toEqual([5, 11]);
    expect(activationBounds('relu6', { scale: 0.01, zero: 5 })).toEqual([5, 127]);
  });

  it('activationBounds() divides in float32, half away from zero', () => {
    // 16.5 in float32, a little less in double
    const scale = Math.fround(4 / 11);
    expect(6 / scale).toBeLessThan(16.5);
    expect(activationBounds('relu6', { scale, zero: -100 })).toEqual([-100, -83]);
  });
});

describe('roundAway()', () => {
  it('roundAway() takes halves away from zero', () => {
    expect([2.5, -2.5, 2.4, -2.4, 0].map(roundAway)).toEqual([3, -3, 2, -2, 0]);
  });
});

describe('outputOf() and moved()', () => {
  it('outputOf() is that of the layer, of its input past a pool, and a share after softmax', () => {
    const input = { scale: 0.5, zero: 3 };
    expect(outputOf(conv({ output: input }))).toEqual(input);
    const pool = kernelCases('maxpool2d')[0].layer;
    expect(outputOf({ ...pool, input } as QuantLayer)).toEqual(input);
    expect(outputOf({ type: 'softmax', size: 2, input, beta: 1 })).toEqual({
      ...{ scale: 1 / 256, zero: -128 },
    });
  });

  it('moved() moves what a layer reads, where it says so', () => {
    const add = { ...kernelCases('add')[0].layer, from: 2, from2: 4 } as QuantLayer;
    expect(moved(add, 3)).toEqual({ ...add, from: 5, from2: 7 });
    expect(moved(conv(), 3)).toEqual(conv());
    expect(add).toMatchObject({ from: 2, from2: 4 });
  });
});

describe('quantiseMultiplier()', () => {
  it('quantiseMultiplier() equals frexp on the bits of a double', () => {
    fc.assert(
      fc.property(fc.double({ min: 2 ** -40, max: 2 ** 29, noNaN: true }), (real) => {
        const { m, s } = multiplierOf(real);
        expect(quantiseMultiplier(real)).toEqual({ multiplier: Number(m), shift: Number(s) });
      }),
      { numRuns: 5000 },
    );
  });

  it('quantiseMultiplier() is within half a unit of the real scale', () => {
    fc.assert(
      fc.property(fc.double({ min: 2 ** -31, max: 2 ** 29, noNaN: true }), (real) => {
        const { multiplier, shift } = quantiseMultiplier(real);
        expect(multiplier).toBeGreaterThanOrEqual(2 ** 30);
        expect(multiplier).toBeLessThan(2 ** 31);
        const step = 2 ** (shift - 31);
        expect(Math.abs(multiplier * step - real)).toBeLessThanOrEqual(step / 2);
      }),
    );
  });

  it('quantiseMultiplier() gives the example of its docstring', () => {
    expect(quantiseMultiplier(0.046875)).toEqual({ multiplier: 1610612736, shift: -4 });
  });

  it('quantiseMultiplier() flushes to 0 below 2^-32, carries at the top, and refuses the rest', () => {
    expect(quantiseMultiplier(0)).toEqual({ multiplier: 0, shift: 0 });
    expect(quantiseMultiplier(2 ** -33)).toEqual({ multiplier: 0, shift: 0 });
    expect(quantiseMultiplier(2 ** -32)).toEqual({ multiplier: 2 ** 30, shift: -31 });
    expect(quantiseMultiplier(1 - 2 ** -40)).toEqual({ multiplier: 2 ** 30, shift: 1 });
    for (const real of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => quantiseMultiplier(real)).toThrow(RangeError);
    }
  });

  it('encodeLayers() throws RangeError when a factor needs a left shift beyond 31', () => {
    const layer = (factor: number): QuantLayer => ({
      ...{ type: 'dense', inputs: 1, outputs: 1, weights: Int8Array.of(1), bias: Int32Array.of(0) },
      ...{ weightScale: Float32Array.of(factor), input: unit, output: unit, activation: 'none' },
    });
    expect(decodeLayers(encodeLayers([layer(2 ** 30)], 0))).toEqual([layer(2 ** 30)]);
    expect(() => encodeLayers([layer(2 ** 31)], 0)).toThrow(/shift/);
  });
});
