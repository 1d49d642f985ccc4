import { describe, expect, it } from 'vitest';
import { builtin } from '../../../gateway/train/builtin.ts';
import * as module from '../../../gateway/train/net.ts';
import { SPECS, toyData, toyNet } from './backend-contract.ts';

const { cloneNet, createNet, outputShape, outputSize, splitNet } = module;
const input = { length: 12, channels: 2 };

describe('net', () => {
  it('createNet() hands shapes from layer to layer', () => {
    expect(toyNet().layers.map(outputShape)).toEqual([
      { length: 12, channels: 4 },
      { length: 6, channels: 4 },
      { length: 5, channels: 3 },
      { length: 4, channels: 3 },
      { length: 1, channels: 7 },
      { length: 1, channels: 3 },
    ]);
    expect(outputSize(toyNet())).toBe(3);
    expect(outputSize({ input, layers: [] })).toBe(24);
  });

  it('createNet() draws within He bounds before a ReLU and Glorot bounds otherwise', () => {
    const net = createNet(
      { length: 1, channels: 50 },
      [
        { type: 'dense', units: 400, activation: 'relu' },
        { type: 'dense', units: 200, activation: 'none' },
      ],
      3,
    );
    const widest = net.layers.map((layer) =>
      'weights' in layer ? layer.weights.reduce((top, w) => Math.max(top, Math.abs(w)), 0) : 0,
    );
    expect(widest[0]).toBeCloseTo(Math.sqrt(6 / 50), 2);
    expect(widest[1]).toBeCloseTo(Math.sqrt(6 / 600), 2);
    for (const layer of net.layers) {
      if ('bias' in layer) expect(layer.bias.every((value) => value === 0)).toBe(true);
    }
  });

  it('createNet() repeats itself when seeded alike', () => {
    expect(createNet(input, SPECS, 5)).toEqual(toyNet());
    expect(createNet(input, SPECS, 6)).not.toEqual(toyNet());
  });

  it('cloneNet() shares no weights', () => {
    const net = toyNet();
    const copy = cloneNet(net);
    expect(copy).toEqual(net);
    for (const layer of copy.layers) if ('weights' in layer) layer.weights.fill(0);
    expect(net).toEqual(toyNet());
  });

  it.each([0, 1, 3, 6])('splitNet() at %i runs as the whole does', (cut) => {
    const { x, n } = toyData(5, 2);
    const { backbone, head } = splitNet(toyNet(), cut);
    const embeddings = builtin.predict(backbone, x, n);
    expect(embeddings).toHaveLength(n * outputSize(backbone));
    const whole = builtin.predict(toyNet(), x, n);
    builtin.predict(head, embeddings, n).forEach((value, i) => {
      expect(value).toBeCloseTo(whole[i], 5);
    });
  });

  it('net refuses sizes that cannot be', () => {
    const conv = {
      type: 'conv1d',
      kernel: 13,
      stride: 1,
      padding: 'valid',
      activation: 'none',
    } as const;
    const pool = { type: 'maxpool1d', pool: 2, stride: 0.5 } as const;
    const dense = { type: 'dense', units: 0, activation: 'none' } as const;
    expect(() => createNet(input, [{ ...conv, filters: 1 }], 1)).toThrow(RangeError);
    expect(() => createNet(input, [pool], 1)).toThrow(RangeError);
    expect(() => createNet(input, [dense], 1)).toThrow(RangeError);
    expect(() => createNet({ length: 0, channels: 1 }, [], 1)).toThrow(RangeError);
    expect(() => splitNet(toyNet(), 7)).toThrow(RangeError);
  });
});
