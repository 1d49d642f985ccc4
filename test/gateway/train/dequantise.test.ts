import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../gateway/random.ts';
import { canTrain, dequantiseLayer } from '../../../gateway/train/dequantise.ts';
import { createNet } from '../../../gateway/train/net.ts';
import type { QuantLayer } from '../../../gateway/train/quant-layer.ts';
import { quantise } from '../../../gateway/train/quantise.ts';
import { kernelCases, OPERATORS } from '../../support/kernel-cases.ts';

const unit = { scale: 1, zero: 0 };
const upright = { height: 1, kernelHeight: 1, strideHeight: 1 };

describe('canTrain()', () => {
  const dense: QuantLayer = {
    ...{ type: 'dense', inputs: 1, outputs: 1, activation: 'relu', input: unit, output: unit },
    ...{ weights: Int8Array.of(1), bias: Int32Array.of(0), weightScale: Float32Array.of(1) },
  };

  it('takes what the tasks have, and nothing that only an imported model has', () => {
    expect(canTrain(dense)).toBe(true);
    expect(canTrain({ ...dense, activation: 'relu6' })).toBe(false);
    expect(canTrain({ ...dense, from: -1 })).toBe(false);
    for (const operator of OPERATORS) {
      for (const { layer } of kernelCases(operator)) {
        const flat = 'kernelHeight' in layer && layer.height === 1;
        const own = layer.type === 'dense' || (flat && layer.type !== 'depthwise2d');
        if (canTrain(layer)) expect(own).toBe(true);
      }
    }
  });
});

describe('dequantiseLayer()', () => {
  it('gives weights by one scale, and biases by input times weight', () => {
    const layer: QuantLayer = {
      ...{ type: 'dense', inputs: 2, outputs: 2, activation: 'relu' },
      ...{ input: { scale: 0.5, zero: 3 }, output: { scale: 0.25, zero: -7 } },
      weights: Int8Array.of(1, -2, 127, -127),
      bias: Int32Array.of(10, -4),
      weightScale: Float32Array.of(0.25),
    };
    expect(dequantiseLayer(layer)).toEqual({
      ...{ type: 'dense', inputs: 2, outputs: 2, relu: true },
      weights: Float32Array.of(0.25, -0.5, 31.75, -31.75),
      bias: Float32Array.of(1.25, -0.5),
    });
  });

  it('gives each channel of a convolution its own scale', () => {
    const layer: QuantLayer = {
      ...{ type: 'conv2d', ...upright, width: 4, channels: 1, filters: 2, kernelWidth: 2 },
      ...{ strideWidth: 1, padding: 'valid', activation: 'relu' },
      ...{ input: { scale: 2, zero: 0 }, output: unit },
      weights: Int8Array.of(2, 4, 2, 4),
      bias: Int32Array.of(3, 3),
      weightScale: Float32Array.of(0.5, 0.125),
    };
    const float = dequantiseLayer(layer);
    expect(float).toMatchObject({
      ...{ type: 'conv1d', length: 4, channels: 1, filters: 2, kernel: 2, stride: 1, relu: true },
      weights: Float32Array.of(1, 2, 0.25, 0.5),
      bias: Float32Array.of(3, 0.75),
    });
  });

  it('gives a pool of one dimension its float form', () => {
    const pool: QuantLayer = {
      ...{ type: 'maxpool2d', ...upright, width: 4, channels: 2, kernelWidth: 2, strideWidth: 1 },
      ...{ padding: 'valid', activation: 'none', input: unit },
    };
    const float = { type: 'maxpool1d', length: 4, channels: 2, pool: 2, stride: 1 };
    expect(dequantiseLayer(pool)).toEqual(float);
    expect(dequantiseLayer({ ...pool, type: 'avgpool2d' })).toEqual({
      ...float,
      type: 'avgpool1d',
    });
  });

  it('throws RangeError for every layer that the trainer has no form for', () => {
    let known = 0;
    for (const operator of OPERATORS) {
      for (const { layer } of kernelCases(operator)) {
        if (canTrain(layer)) {
          known++;
          expect(() => dequantiseLayer(layer)).not.toThrow();
        } else expect(() => dequantiseLayer(layer)).toThrow(RangeError);
      }
    }
    expect(known).toBeGreaterThan(20);
  });

  it('is within half a step of the float net that was quantised', () => {
    const shape = { length: 10, channels: 3 };
    const net = createNet(shape, [{ type: 'dense', units: 4, activation: 'none' }], 5);
    const random = createRandom(9);
    const calibration = Int8Array.from({ length: 30 * 20 }, () => random.integer(200) - 100);
    const [int8] = quantise(net, calibration, { scale: 1 / 32, zero: 0 });
    const [layer] = net.layers;
    if (int8?.type !== 'dense' || layer?.type !== 'dense') throw new Error('a dense layer');
    const again = dequantiseLayer(int8);
    if (again.type !== 'dense') throw new Error('a dense layer');
    const half = int8.weightScale[0]! / 2 + 1e-7;
    layer.weights.forEach((w, i) => {
      expect(Math.abs(again.weights[i]! - w)).toBeLessThanOrEqual(half);
    });
  });
});
