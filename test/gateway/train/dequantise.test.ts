import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../gateway/random.ts';
import { dequantiseLayer } from '../../../gateway/train/dequantise.ts';
import { createNet } from '../../../gateway/train/net.ts';
import type { QuantLayer } from '../../../gateway/train/quant-layer.ts';
import { quantise } from '../../../gateway/train/quantise.ts';

const common = { multiplier: Int32Array.of(1 << 30), shift: Int32Array.of(0), relu: true };

describe('dequantiseLayer()', () => {
  it('gives weights by one scale, and biases by input times weight', () => {
    const layer: QuantLayer = {
      ...{ type: 'dense', inputs: 2, outputs: 2, ...common },
      ...{ inputZero: 3, outputZero: -7, inputScale: 0.5, outputScale: 0.3 },
      weights: Int8Array.of(1, -2, 127, -127),
      bias: Int32Array.of(10, -4),
      weightScale: Float64Array.of(0.25),
    };
    expect(dequantiseLayer(layer)).toEqual({
      ...{ type: 'dense', inputs: 2, outputs: 2, relu: true },
      weights: Float32Array.of(0.25, -0.5, 31.75, -31.75),
      bias: Float32Array.of(1.25, -0.5),
    });
  });

  it('gives each channel of a convolution its own scale', () => {
    const layer: QuantLayer = {
      ...{ type: 'conv1d', length: 4, channels: 1, filters: 2, kernel: 2, stride: 1, ...common },
      ...{ padding: 'valid', inputZero: 0, outputZero: 0, inputScale: 2, outputScale: 1 },
      weights: Int8Array.of(2, 4, 2, 4),
      bias: Int32Array.of(3, 3),
      weightScale: Float64Array.of(0.5, 0.125),
    };
    const float = dequantiseLayer(layer);
    expect(float).toMatchObject({
      weights: Float32Array.of(1, 2, 0.25, 0.5),
      bias: Float32Array.of(3, 0.75),
    });
  });

  it('leaves a pool as it is, a copy', () => {
    const pool: QuantLayer = { type: 'maxpool1d', length: 4, channels: 2, pool: 2, stride: 2 };
    expect(dequantiseLayer(pool)).toEqual(pool);
    expect(dequantiseLayer(pool)).not.toBe(pool);
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
