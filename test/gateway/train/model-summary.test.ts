import { describe, expect, it } from 'vitest';
import { needsOf } from '../../../gateway/train/model-summary.ts';
import type { QuantLayer } from '../../../gateway/train/quant-layer.ts';

const pool = (padding: 'same' | 'valid', width: number): QuantLayer => ({
  ...{ type: 'maxpool2d', height: 1, width, channels: 3, padding, activation: 'none' },
  ...{ kernelHeight: 1, kernelWidth: 2, strideHeight: 1, strideWidth: 2 },
  input: { scale: 0.5, zero: 3 },
});

describe('needsOf()', () => {
  it('needsOf() asks for two dimensions when SAME pads a pool, and not when it adds nothing', () => {
    expect(needsOf([pool('valid', 6)])).toEqual(['POOL']);
    expect(needsOf([pool('same', 6)])).toEqual(['POOL']);
    expect(needsOf([pool('same', 7)])).toEqual(['PLANE']);
  });

  it('needsOf() asks for other sources when a layer reads one before the last', () => {
    expect(needsOf([pool('valid', 6), { ...pool('valid', 6), from: -1 }])).toEqual([
      'POINT',
      'POOL',
    ]);
  });
});
