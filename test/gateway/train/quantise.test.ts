import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argmax } from '../../../device/core/kernel.ts';
import { loadLayers } from '../../../device/core/model.ts';
import { createRandom } from '../../../gateway/random.ts';
import { builtin } from '../../../gateway/train/builtin.ts';
import { tier } from '../../../gateway/train/gateway-tier.ts';
import { encodeLayers } from '../../../gateway/train/layer-codec.ts';
import { createNet, type FloatNet, splitNet } from '../../../gateway/train/net.ts';
import {
  effectiveScales,
  outputOf,
  type QuantLayer,
  quantiseMultiplier,
  type Weighted,
} from '../../../gateway/train/quant-layer.ts';
import { dequantise, PRE_OUTPUT, quantise, roundScale } from '../../../gateway/train/quantise.ts';
import { train } from '../../../gateway/train/trainer.ts';
import { OPTIONS, SPECS, toyData, toyNet } from './backend-contract.ts';

const isWeighted = (layer: QuantLayer): layer is Weighted => 'weightScale' in layer;

function runInt8(layers: QuantLayer[], input: Int8Array): Int8Array {
  return tier.run(loadLayers(encodeLayers(layers, 0)), input);
}

function toInt8(x: Float32Array): Int8Array {
  return Int8Array.from(x, (v) => Math.max(-128, Math.min(127, Math.round(v * 32))));
}

/** Share of equal classes, and the largest difference in steps of the output. */
function compare(net: FloatNet, layers: QuantLayer[], inputs: Int8Array, size: number) {
  const n = inputs.length / size;
  const float = builtin.predict(net, dequantise(inputs, PRE_OUTPUT), n);
  const { scale, zero } = outputOf(layers.at(-1)!);
  const outputs = float.length / n;
  let equal = 0;
  let steps = 0;
  for (let s = 0; s < n; s++) {
    const logits = float.subarray(s * outputs, (s + 1) * outputs);
    const q = runInt8(layers, inputs.subarray(s * size, (s + 1) * size));
    if (argmax(q) === logits.indexOf(Math.max(...logits))) equal++;
    q.forEach((value, c) => {
      steps = Math.max(steps, Math.abs(value - zero - logits[c] / scale));
    });
  }
  return { equal: equal / n, steps };
}

/** A net of one dense layer without hidden ones. */
function denseNet(weights: number[][], bias: number[], relu = false): FloatNet {
  const inputs = weights[0].length;
  return {
    input: { length: 1, channels: inputs },
    layers: [
      {
        type: 'dense',
        inputs,
        outputs: bias.length,
        weights: Float32Array.from(weights.flat()),
        bias: Float32Array.from(bias),
        relu,
      },
    ],
  };
}

/** Whether a number has at most 12 significant bits. */
function hasFewBits(scale: number): boolean {
  const significand = scale / 2 ** Math.floor(Math.log2(scale)); // in [1, 2)
  return Number.isInteger(significand * 2 ** 11);
}

describe('roundScale()', () => {
  it('roundScale() gives the next scale of 12 significant bits, and no other', () => {
    const scales = fc.double({ min: 2 ** -100, max: 2 ** 100, noNaN: true });
    fc.assert(
      fc.property(scales, (scale) => {
        const rounded = roundScale(scale);
        expect(hasFewBits(rounded)).toBe(true);
        expect(rounded).toBeGreaterThanOrEqual(scale);
        expect(rounded).toBeLessThanOrEqual(scale * (1 + 2 ** -11));
        expect(roundScale(rounded)).toBe(rounded);
        expect(Math.fround(rounded)).toBe(rounded);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('quantise', () => {
  it('quantise() keeps the classes and the logits of a trained net of every layer type', async () => {
    const net = await train(builtin, toyNet(), toyData(120, 1), OPTIONS);
    const seen = toInt8(toyData(120, 1).x);
    const layers = quantise(net, seen);
    expect(compare(net, layers, toInt8(toyData(300, 2).x), 24).equal).toBeGreaterThanOrEqual(0.98);
    // logits of unseen windows may leave the calibrated range; these cannot
    expect(compare(net, layers, seen, 24).steps).toBeLessThan(8);
  });

  it('quantise() has one multiplier a dense layer and one a filter', () => {
    const layers = quantise(toyNet(), toInt8(toyData(30, 1).x));
    const counts = layers.map((layer) => (isWeighted(layer) ? layer.weightScale.length : 0));
    expect(counts).toEqual([4, 0, 3, 0, 1, 1]);
    for (const layer of layers) {
      if (!isWeighted(layer)) continue;
      // a scale is rounded up to few bits
      expect(Math.max(...layer.weights.map(Math.abs))).toBe(127);
      for (const { shift } of effectiveScales(layer).map(quantiseMultiplier)) {
        expect(shift).toBeLessThanOrEqual(0);
      }
    }
  });

  it('quantise() makes scales whose products are the same in float32 and in double', () => {
    const random = createRandom(8);
    for (let seed = 0; seed < 40; seed++) {
      const net = createNet({ length: 12, channels: 2 }, SPECS, seed);
      for (const layer of net.layers) {
        // of every size, and biased
        const size = 2 ** (12 * random.gaussian());
        if ('weights' in layer) layer.weights.set(layer.weights.map((w) => w * size));
        if ('bias' in layer) layer.bias.fill(random.gaussian() * size);
      }
      for (const layer of quantise(net, toInt8(toyData(10, seed).x))) {
        expect(hasFewBits(layer.input.scale) && hasFewBits(outputOf(layer).scale)).toBe(true);
        if (!isWeighted(layer)) continue;
        const double = effectiveScales(layer).map(quantiseMultiplier);
        layer.weightScale.forEach((scale, unit) => {
          expect(hasFewBits(scale)).toBe(true);
          const product = Math.fround(layer.input.scale * scale);
          expect(product).toBe(layer.input.scale * scale);
          expect(quantiseMultiplier(product / layer.output.scale)).toEqual(double[unit]);
        });
      }
    }
  });

  it('quantise() hands the scale of each layer on to the next, past pools', () => {
    const layers = quantise(toyNet(), toInt8(toyData(30, 1).x));
    let before = PRE_OUTPUT;
    for (const layer of layers) {
      expect(layer.input).toEqual(before);
      before = outputOf(layer);
    }
    expect(outputOf(layers.at(-1)!)).toEqual(before);
  });

  it('quantise() quantises a head on embeddings to the same logits as within the whole net', () => {
    const net = toyNet();
    const inputs = toInt8(toyData(60, 1).x);
    const { backbone, head } = splitNet(net, 4);
    const below = quantise(backbone, inputs);
    const cut = outputOf(below.at(-1)!);
    const size = 4 * 3;
    const embeddings = new Int8Array(60 * size);
    for (let s = 0; s < 60; s++) {
      embeddings.set(runInt8(below, inputs.subarray(s * 24, (s + 1) * 24)), s * size);
    }
    const above = quantise(head, embeddings, cut);
    expect(above[0]).toMatchObject({ input: cut });
    const { steps } = compare(net, [...below, ...above], inputs, 24);
    expect(steps).toBeLessThan(8);
  });

  it('quantise() keeps the biases when all weights are zero', () => {
    const net = denseNet(
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
      [0.5, -1, 0.51],
    );
    const inputs = Int8Array.of(1, 2, -100, 127);
    const layers = quantise(net, inputs);
    const { equal, steps } = compare(net, layers, inputs, 2);
    expect(equal).toBe(1);
    expect(steps).toBeLessThan(1);
  });

  it('quantise() keeps a filter that is all zero beside one that is not', () => {
    const net = createNet({ length: 6, channels: 1 }, [{ ...SPECS[0], filters: 2 } as never], 1);
    const [layer] = net.layers;
    if (layer.type !== 'conv1d') throw new TypeError('not a convolution');
    layer.weights.fill(0, 0, 3);
    layer.bias.set([0.7, 0.1]);
    const inputs = Int8Array.from({ length: 60 }, (_, i) => ((i * 37) % 200) - 100);
    expect(compare(net, quantise(net, inputs), inputs, 6).steps).toBeLessThan(1.5);
  });

  it('quantise() works for one class, for which every window is alike', () => {
    const net = denseNet([[0.3, -0.2]], [0.1]);
    const inputs = Int8Array.of(1, 2, -100, 127, 60, 3);
    const { equal, steps } = compare(net, quantise(net, inputs), inputs, 2);
    expect(equal).toBe(1);
    expect(steps).toBeLessThan(2);
  });

  it('quantise() gives the zero point when a ReLU is dead', () => {
    const dead = denseNet(
      [
        [0.5, 0.5],
        [0.1, 0.2],
      ],
      [-100, -90],
      true,
    );
    const inputs = Int8Array.of(1, 2, -100, 127);
    const layers = quantise(dead, inputs);
    expect(outputOf(layers.at(-1)!)).toEqual({ scale: 1, zero: -128 });
    expect([...runInt8(layers, inputs.subarray(0, 2))]).toEqual([-128, -128]);
  });

  it('quantise() asks for no left shift when the calibration saw next to nothing', () => {
    const layers = quantise(denseNet([[3, -2]], [0]), Int8Array.of(0, 0));
    const tiny = quantise(denseNet([[3, -2]], [0.0001]), Int8Array.of(0, 0));
    for (const [layer] of [layers, tiny]) {
      if (!isWeighted(layer)) throw new TypeError('not a dense layer');
      expect(quantiseMultiplier(effectiveScales(layer)[0]).shift).toBeLessThanOrEqual(0);
      expect(layer.output.scale).toBeGreaterThanOrEqual(layer.weightScale[0] / 32);
    }
  });

  it('quantise() keeps huge biases within int32 when weights are tiny', () => {
    const net = denseNet(
      [
        [1e-9, 0],
        [0, 1e-9],
      ],
      [1000, -700],
    );
    const inputs = Int8Array.of(1, 2, -100, 127);
    const layers = quantise(net, inputs);
    if (!('bias' in layers[0])) throw new TypeError('not a dense layer');
    expect(Math.max(...layers[0].bias.map(Math.abs))).toBeLessThanOrEqual(2 ** 30);
    expect(compare(net, layers, inputs, 2).steps).toBeLessThan(1);
  });

  it('quantise() is near for random linear heads of many sizes', () => {
    const random = createRandom(2);
    for (const features of [1, 9, 58, 100]) {
      const rows = Array.from({ length: 6 }, () =>
        Array.from({ length: features }, () => random.gaussian()),
      );
      const net = denseNet(
        rows,
        rows.map(() => random.gaussian()),
      );
      const inputs = Int8Array.from({ length: 400 * features }, () =>
        Math.max(-128, Math.min(127, Math.round(32 * random.gaussian()))),
      );
      const { equal, steps } = compare(net, quantise(net, inputs), inputs, features);
      // random weights give many near ties
      expect(equal).toBeGreaterThanOrEqual(0.93);
      expect(steps).toBeLessThan(3);
    }
  });

  it('quantise() refuses what has no calibration or no numbers', () => {
    expect(() => quantise(toyNet(), new Int8Array(0))).toThrow(RangeError);
    expect(() => quantise(toyNet(), new Int8Array(25))).toThrow(RangeError);
    expect(() => quantise(denseNet([[Number.NaN]], [0]), Int8Array.of(1))).toThrow(RangeError);
  });
});
