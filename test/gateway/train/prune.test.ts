import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../gateway/random.ts';
import type { LayerSpec } from '../../../gateway/task.ts';
import { builtin } from '../../../gateway/train/builtin.ts';
import { createEmbedder } from '../../../gateway/train/model.ts';
import { createNet, type FloatNet } from '../../../gateway/train/net.ts';
import { importance, prune, pruning, removeUnits } from '../../../gateway/train/prune.ts';
import { quantise } from '../../../gateway/train/quantise.ts';
import { type TrainData, train } from '../../../gateway/train/trainer.ts';

const CLASSES = 3;
const input = { length: 14, channels: 2 };
const conv = { kernel: 3, stride: 2, padding: 'same', activation: 'relu' } as const;
const SPECS: LayerSpec[] = [
  { type: 'conv1d', filters: 6, ...conv },
  { type: 'maxpool1d', pool: 2, stride: 1 },
  { type: 'conv1d', filters: 5, ...conv, padding: 'valid' },
  { type: 'avgpool1d', pool: 2, stride: 1 },
  { type: 'dense', units: 7, activation: 'relu' },
  { type: 'dense', units: CLASSES, activation: 'none' },
];

/** Classes that differ in where the second channel is high. */
function data(n = 240, seed = 4): TrainData {
  const random = createRandom(seed);
  const y = Int32Array.from({ length: n }, (_, i) => Math.floor((i * CLASSES) / n));
  const x = new Float32Array(n * 28);
  for (let s = 0; s < n; s++) {
    for (let t = 0; t < 14; t++) {
      const high = Math.floor(t / 5) === y[s] ? 1.5 : 0;
      x[s * 28 + 2 * t] = 0.5 * random.gaussian();
      x[s * 28 + 2 * t + 1] = high + 0.5 * random.gaussian();
    }
  }
  return { x, y, n };
}

const options = {
  ...{ epochs: 12, batch: 32, learningRate: 0.01, l2: 0, labelSmoothing: 0, seed: 1, frozen: 0 },
};

function right(net: FloatNet, { x, y, n }: TrainData): number {
  const logits = builtin.predict(net, x, n);
  const said = (s: number) => {
    const row = logits.subarray(s * CLASSES, (s + 1) * CLASSES);
    return row.indexOf(Math.max(...row));
  };
  return Array.from({ length: n }, (_, s) => said(s) === y[s]).filter(Boolean).length / n;
}

/** Makes units give nothing: no weights, and a bias of 0. */
function silence(net: FloatNet, at: number, units: readonly number[]): void {
  const layer = net.layers[at]!;
  if (!('weights' in layer)) throw new Error('a pool');
  const size = layer.weights.length / layer.bias.length;
  for (const unit of units) {
    layer.weights.fill(0, unit * size, (unit + 1) * size);
    layer.bias[unit] = 0;
  }
}

describe('removeUnits()', () => {
  it.each([
    ['filters before a pool and a convolution', 0, [1, 4], [0, 2, 3, 5]],
    ['filters before a pool and a dense layer', 2, [0], [1, 2, 3, 4]],
    ['units of a dense layer', 4, [2, 3, 6], [0, 1, 4, 5]],
  ])('gives the same as the whole net when %s were zero', (_, at, gone, keep) => {
    const net = createNet(input, SPECS, 3);
    for (const layer of net.layers) {
      if ('weights' in layer) layer.bias.set(layer.bias.map((_b, i) => 0.1 * (i - 2)));
    }
    silence(net, at, gone);
    const smaller = removeUnits(net, at, keep);
    const { x, n } = data(40);
    const [before, after] = [builtin.predict(net, x, n), builtin.predict(smaller, x, n)];
    expect(after).toEqual(before);
    expect(new Set(before).size).toBeGreaterThan(n);
  });

  it('gives the same int8 when the units were zero and held no weight of their own scale', () => {
    const net = createNet(input, SPECS, 5);
    silence(net, 4, [1, 5]);
    // a dense layer has one scale: its largest weight must not be among those that go
    const last = net.layers[5]!;
    if (last.type === 'dense') {
      for (let o = 0; o < CLASSES; o++) for (const u of [1, 5]) last.weights[o * 7 + u]! /= 50;
    }
    const random = createRandom(8);
    const windows = Array.from({ length: 60 }, () =>
      Int8Array.from({ length: 28 }, () => random.integer(200) - 100),
    );
    const calibration = Int8Array.from(windows.flatMap((window) => [...window]));
    const pre = {
      set: 0 as const,
      zero: 0,
      offset: new Int32Array(2),
      multiplier: new Uint16Array(2).fill(2 ** 15),
      shift: new Uint8Array(2).fill(15),
    };
    const run = (of: FloatNet) => {
      const layers = quantise(of, calibration);
      const embed = createEmbedder({ pre, layers }, layers.length);
      return windows.map((window) => [...embed(window, 14)]);
    };
    const [before, after] = [run(net), run(removeUnits(net, 4, [0, 2, 3, 4, 6]))];
    expect(after).toEqual(before);
    expect(new Set(before.map(String)).size).toBeGreaterThan(30);
  });

  it('leaves the net it was given alone', () => {
    const net = createNet(input, SPECS, 3);
    const copy = structuredClone(net);
    const smaller = removeUnits(net, 0, [0, 5]);
    for (const layer of smaller.layers) if ('weights' in layer) layer.weights.fill(9);
    expect(net).toEqual(copy);
  });

  it('refuses what cannot be removed', () => {
    const net = createNet(input, SPECS, 3);
    expect(() => removeUnits(net, 5, [0])).toThrow(/layer 5 has no units that a later layer reads/);
    expect(() => removeUnits(net, 1, [0])).toThrow(RangeError);
    expect(() => removeUnits(net, 9, [0])).toThrow(RangeError);
    expect(() => removeUnits(net, 0, [])).toThrow(/cannot be kept/);
    expect(() => removeUnits(net, 0, [2, 2])).toThrow(/\[2,2\] cannot be kept/);
    expect(() => removeUnits(net, 0, [3, 6])).toThrow(RangeError);
  });
});

describe('importance()', () => {
  it('is 0 of a unit that nothing reads, and large of one that classes hang on', async () => {
    const specs: LayerSpec[] = [
      { type: 'dense', units: 5, activation: 'relu' },
      { type: 'dense', units: CLASSES, activation: 'none' },
    ];
    const all = data();
    const net = await train(builtin, createNet(input, specs, 2), all, options);
    const last = net.layers[1]!;
    if (last.type === 'dense') for (let o = 0; o < CLASSES; o++) last.weights[o * 5 + 3] = 0;
    const cost = importance(builtin, net, 0, all);
    expect(cost).toHaveLength(5);
    expect(cost[3]).toBe(0);
    const others = (unit: number) => [0, 1, 2, 3, 4].filter((other) => other !== unit);
    const without = (unit: number) => right(removeUnits(net, 0, others(unit)), all);
    expect(Math.max(...cost)).toBeGreaterThan(0.02);
    expect(without(3)).toBe(right(net, all));
  });

  it('weighs samples, and measures targets by their squared error', () => {
    const specs: LayerSpec[] = [
      { type: 'dense', units: 2, activation: 'none' },
      { type: 'dense', units: 1, activation: 'none' },
    ];
    const net = createNet({ length: 1, channels: 2 }, specs, 1);
    const [first, last] = net.layers;
    if (first?.type !== 'dense' || last?.type !== 'dense') throw new Error('two dense layers');
    first.weights.set([1, 0, 0, 1]);
    last.weights.set([2, 3]);
    // the net is exact: 2a + 3b; without a unit the error is (2a)² or (3b)²
    const samples = { x: Float32Array.of(1, 0.5, 3, 1), y: Float32Array.of(3.5, 9), n: 2 };
    expect(importance(builtin, net, 0, samples)).toEqual([(4 + 36) / 2, (2.25 + 9) / 2]);
    const weight = Float32Array.of(3, 0.5);
    expect(importance(builtin, net, 0, { ...samples, weight })).toEqual([
      (3 * 4 + 0.5 * 36) / 2,
      (3 * 2.25 + 0.5 * 9) / 2,
    ]);
  });

  it('refuses a layer whose only unit it would remove, and the last one', () => {
    const net = createNet(input, SPECS, 3);
    expect(() => importance(builtin, removeUnits(net, 0, [2]), 0, data())).toThrow(RangeError);
    for (const at of [1, 5, 6]) {
      expect(() => importance(builtin, net, at, data())).toThrow(/has no unit to spare/);
    }
  });
});

describe('pruning()', () => {
  it('is null of layers that are trained as they are', () => {
    expect(pruning(SPECS)).toBeNull();
  });

  it('says how wide to train and how narrow to end', () => {
    const specs: LayerSpec[] = [
      { type: 'conv1d', filters: 3, ...conv, prunedFrom: 8 },
      { type: 'maxpool1d', pool: 2, stride: 2 },
      { type: 'dense', units: 2, activation: 'none' },
    ];
    expect(pruning(specs)).toMatchObject({
      wide: [{ filters: 8 }, {}, { units: 2 }],
      widths: [3, 0, 2],
    });
  });
});

describe('prune()', () => {
  const widths = [4, 0, 3, 0, 4, CLASSES];

  it('narrows every layer and keeps what was learnt', async () => {
    const all = data();
    const wide = await train(builtin, createNet(input, SPECS, 6), all, options);
    const small = await prune(builtin, wide, widths, all, options);
    expect(small.layers.map((layer) => ('weights' in layer ? layer.bias.length : 0))).toEqual(
      widths,
    );
    const later = data(240, 9);
    expect(right(small, later)).toBeGreaterThan(0.9);
    // the same seed, the same weights
    const again = await prune(builtin, wide, widths, all, options);
    expect(again).toEqual(small);
    const other = await prune(builtin, wide, widths, all, { ...options, seed: 2 });
    expect(other).not.toEqual(small);
  });

  it('gives the net back when nothing is to be removed', async () => {
    const net = createNet(input, SPECS, 6);
    expect(await prune(builtin, net, [6, 0, 5, 0, 7, CLASSES], data(), options)).toBe(net);
  });

  it('refuses widths that the net does not have', async () => {
    const net = createNet(input, SPECS, 6);
    await expect(prune(builtin, net, [7, 0, 5, 0, 7, 3], data(), options)).rejects.toThrow(
      /layer 0 has 6 units and cannot be pruned to 7/,
    );
    await expect(prune(builtin, net, [6, 0, 0, 0, 7, 3], data(), options)).rejects.toThrow(
      RangeError,
    );
    await expect(prune(builtin, net, [6, 0, 5], data(), options)).rejects.toThrow(RangeError);
  });

  it('stops when it is cancelled', async () => {
    const net = createNet(input, SPECS, 6);
    const signal = AbortSignal.abort();
    await expect(prune(builtin, net, widths, data(), { ...options, signal })).rejects.toMatchObject(
      {
        code: 'cancelled',
      },
    );
  });
});
