import { describe, expect, it } from 'vitest';
import { features } from '../../../device/core/features.ts';
import { multiply, tierOf } from '../../../device/core/kernel.ts';
import {
  goldenLogits,
  goldenWindow,
  infer,
  loadLayers,
  loadModel,
  normalise,
  selfTest,
} from '../../../device/core/model.ts';
import { encodeLayers } from '../../../gateway/train/layer-codec.ts';
import { encodePre, type Pre } from '../../../gateway/train/pre.ts';
import type { QuantDense } from '../../../gateway/train/quant-layer.ts';
import { featureWindow } from '../../support/feature-cases.ts';
import { dot } from '../../support/kernel-cases.ts';

const tier = tierOf(dot, multiply);

const pre: Pre = {
  set: 1,
  zero: 0,
  offset: Int32Array.from({ length: 27 }, (_, i) => 40 * i - 300),
  multiplier: Uint16Array.from({ length: 27 }, (_, i) => (i === 5 ? 0 : 32768 + 1000 * i)),
  shift: Uint8Array.from({ length: 27 }, (_, i) => 17 + (i % 4)),
};

/** A head whose logits are chosen: weights 0, so each logit is its bias, scaled by 1. */
function fixed(logits: number[]): QuantDense {
  return {
    type: 'dense',
    inputs: 27,
    outputs: logits.length,
    weights: new Int8Array(27 * logits.length),
    bias: Int32Array.from(logits),
    weightScale: Float32Array.of(1),
    input: { scale: 1, zero: 0 },
    output: { scale: 1, zero: 0 },
    activation: 'none',
  };
}

function modelOf(logits: number[], scale = 0.11) {
  return loadModel(encodePre(pre), encodeLayers([], 0), encodeLayers([fixed(logits)], scale));
}

const window = featureWindow({ kind: 'walk', seed: 7, n: 50 });

describe('infer()', () => {
  it('infer() gives the first of equal classes and score 0 when the best two tie', () => {
    const result = infer(modelOf([-3, 40, 12, 40]), window, 50, tier);
    expect(Array.from(result.logits)).toEqual([-3, 40, 12, 40]);
    expect([result.cls, result.score]).toEqual([1, 0]);
  });

  it('infer() scores the margin in sixteenths of a logit, up to 255', () => {
    // 0.11 · 4096 = 450.56 → 451
    expect(infer(modelOf([-3, 40, 12]), window, 50, tier).score).toBe(Math.floor((28 * 451) / 256));
    expect(infer(modelOf([-100, 100, 12], 0.5), window, 50, tier).score).toBe(255);
    expect(infer(modelOf([-100, -100, -99], 0.5), window, 50, tier).score).toBe(8);
  });

  it('infer() hands the normalised features on as embedding when the backbone is empty', () => {
    const model = modelOf([1, 2]);
    const result = infer(model, window, 50, tier);
    expect(result.embedding).toEqual(normalise(model, window, 50, dot));
  });
});

describe('normalise()', () => {
  it('normalise() rounds half up, clamps, and gives 0 for a constant feature', () => {
    const raw = features(1, window, 50, 50, 3, dot);
    const expected = raw.map((f, i) => {
      const q = Math.floor(((f - pre.offset[i]) * pre.multiplier[i]) / 2 ** pre.shift[i] + 0.5);
      return Math.max(-128, Math.min(127, q));
    });
    expect(Array.from(normalise(modelOf([1, 2]), window, 50, dot))).toEqual(expected);
    expect(expected[5]).toBe(0);
  });

  it('normalise() takes the axes in turn when the window itself is the input', () => {
    const part = encodePre({
      set: 0,
      zero: 0,
      offset: Int32Array.from([2, -3]),
      multiplier: Uint16Array.from([32768, 49152]),
      shift: Uint8Array.from([16, 14]),
    });
    const empty = encodeLayers([], 0);
    const model = loadModel(part, empty, empty);
    const q = normalise(model, Int8Array.from([5, 4, 1, -60, 2, 40]), 3, dot);
    // (5-2)/2 = 1.5 → 2, (4+3)·3 = 21; (1-2)/2 = -0.5 → 0, -57·3 → -128; 0, 43·3 → 127
    expect(Array.from(q)).toEqual([2, 21, 0, -128, 0, 127]);
  });

  it('normalise() adds the zero point before it clamps when the input has one', () => {
    const part = encodePre({
      ...{ set: 0, zero: -128 },
      offset: Int32Array.of(0),
      multiplier: Uint16Array.of(32768),
      shift: Uint8Array.of(15),
    });
    const empty = encodeLayers([], 0);
    const model = loadModel(part, empty, empty);
    const q = normalise(model, Int8Array.of(0, 100, -1, 127), 4, dot);
    expect(Array.from(q)).toEqual([-128, -28, -128, -1]);
  });
});

describe('loadLayers()', () => {
  it('loadLayers() gives views, not copies, at any multiple of four', () => {
    const part = encodeLayers([fixed([7, 8, 9])], 0.2);
    const bytes = new Uint8Array(part.length + 12);
    bytes.set(part, 12);
    const [layer] = loadLayers(bytes.subarray(12));
    expect(layer.bias).toEqual(Int32Array.from([7, 8, 9]));
    expect(layer.weights.length).toBe(81);
    for (const view of Object.values(layer)) expect(view.buffer).toBe(bytes.buffer);
    bytes[12 + 4 + 20 + 84] = 6; // the first bias: header, layer header, 81 weights padded
    expect(layer.bias[0]).toBe(6);
  });
});

describe('goldenWindow()', () => {
  it('goldenWindow() walks from 0, and goes on with the next seed', () => {
    const first = new Int8Array(6);
    const next = goldenWindow(1, first);
    let state = 1;
    let value = 0;
    const steps = Array.from({ length: 6 }, () => {
      state = (state * 75 + 74) % 65537;
      value += (state % 41) - 20;
      return value;
    });
    expect(Array.from(first)).toEqual(steps);
    expect([next, state]).toEqual([24819, 24819]);
  });

  it('goldenWindow() stays within int8 whatever the seed', () => {
    const walk = new Int8Array(3000);
    for (let seed = 0; seed < 65537; seed += 4111) {
      goldenWindow(seed, walk);
      for (let i = 1; i < walk.length; i++) {
        if (Math.abs(walk[i] - walk[i - 1]) > 20) throw new Error(`${seed}: wrapped at ${i}`);
      }
    }
    expect(Math.max(...walk)).toBe(127);
  });
});

describe('selfTest()', () => {
  const head = {
    ...fixed([5, -5, 0]),
    weights: Int8Array.from({ length: 81 }, (_, i) => i - 40),
    weightScale: Float32Array.of(2 ** -7),
  };
  const model = loadModel(encodePre(pre), encodeLayers([], 0), encodeLayers([head], 0.1));
  const logits = Uint8Array.from(goldenLogits(model, 321, 3, 150, tier));

  it('selfTest() is true when every logit agrees', () => {
    expect(new Set(logits).size).toBeGreaterThan(3);
    expect(selfTest(model, 321, 3, 150, logits, tier)).toBe(true);
  });

  it('selfTest() is false when a logit, the seed, the count or the kernel differs', () => {
    const bent = logits.slice();
    bent[8] = (bent[8] + 1) % 256;
    expect(selfTest(model, 321, 3, 150, bent, tier)).toBe(false);
    expect(selfTest(model, 322, 3, 150, logits, tier)).toBe(false);
    expect(selfTest(model, 321, 2, 150, logits, tier)).toBe(false);
    expect(selfTest(model, 321, 0, 150, new Uint8Array(0), tier)).toBe(false);
    expect(
      selfTest(
        ...[model, 321, 3, 150, logits],
        tierOf((a, b) => dot(a, b) + (a.length === 27 ? 64 : 0), multiply),
      ),
    ).toBe(false);
  });
});
