import { describe, expect, it } from 'vitest';
import {
  createEmbedder,
  createPredictor,
  decodeModel,
  encodeModel,
  goldenVectors,
  inputOf,
  type QuantModel,
  tellingVectors,
} from '../../../gateway/train/model.ts';
import type { QuantLayer } from '../../../gateway/train/quant-layer.ts';
import { trainRung } from '../../../gateway/train/rungs.ts';
import { twoPeople } from '../../support/people.ts';
import { quickTask, rawTask } from '../../support/tasks.ts';

const raw = rawTask(2);
const people = twoPeople(raw, 6, 1);
const data = { fresh: people.ann.learn, old: [], recent: [] };
const { model } = await trainRung('whole', raw, null, data, { seed: 1 });
const parts = encodeModel(model);

/** Bytes out of a store may lie anywhere in memory. */
function shifted(bytes: Uint8Array, by: number): Uint8Array {
  const memory = new Uint8Array(bytes.length + 8);
  memory.set(bytes, by);
  return memory.subarray(by, by + bytes.length);
}

describe('decodeModel()', () => {
  it('is the inverse of encodeModel()', () => {
    const again = decodeModel(parts);
    expect(again).toEqual(model);
    expect(encodeModel(again)).toEqual(parts);
    expect(again.cut).toBe(2);
  });

  it('keeps what each layer reads, counted within its part', () => {
    const { scale, zero } = { scale: 0.5, zero: 3 };
    const [size, input] = [4, { scale, zero }];
    const table: QuantLayer = { type: 'quantise', size, input, output: { scale: 1, zero } };
    const sum: QuantLayer = {
      ...{
        type: 'add',
        size,
        input,
        input2: input,
        output: { scale: 1, zero },
        activation: 'none',
      },
      ...{ from: 0, from2: -1 },
    };
    const layers = [table, table, sum, table, table, { ...sum, from: 3, from2: 2 }];
    const wired = { pre: model.pre, layers, cut: 3 };
    expect(decodeModel(encodeModel(wired))).toEqual(wired);
    // a head reads nothing of the backbone but its output
    const across = { ...wired, layers: layers.with(5, { ...sum, from: 3, from2: 1 }) };
    expect(() => encodeModel(across)).toThrow(RangeError);
  });

  it('throws RangeError on a part that is cut off', () => {
    const cut = { ...parts, head: parts.head.subarray(0, 20) };
    expect(() => decodeModel(cut)).toThrow(RangeError);
  });
});

describe('createPredictor()', () => {
  it('predicts the same from bytes at any alignment', () => {
    const predict = createPredictor(parts);
    for (const by of [1, 2, 3]) {
      const moved = createPredictor({
        pre: shifted(parts.pre, by),
        backbone: shifted(parts.backbone, by),
        head: shifted(parts.head, by),
      });
      for (const { window, length } of people.ann.test) {
        const [a, b] = [predict(window, length), moved(window, length)];
        expect([b.cls, b.score, [...b.logits]]).toEqual([a.cls, a.score, [...a.logits]]);
      }
    }
  });

  it('gives the class of the largest logit and its lead as score, 0 to 255', () => {
    const predict = createPredictor(parts);
    for (const { window, length } of people.ann.test) {
      const { cls, score, logits } = predict(window, length);
      expect(logits.indexOf(Math.max(...logits))).toBe(cls);
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(255);
      expect(Number.isInteger(score)).toBe(true);
    }
  });
});

describe('createEmbedder()', () => {
  it('computes what the head of the device sees', () => {
    const embed = createEmbedder(model, model.cut);
    const predict = createPredictor(parts);
    for (const { window, length } of people.ann.test) {
      expect([...embed(window, length)]).toEqual([...predict(window, length).embedding]);
    }
  });

  it('gives the normalised window before the first layer', () => {
    const { window, length } = people.ann.test[0]!;
    expect(createEmbedder(model, 0)(window, length).length).toBe(50 * 3);
    expect(inputOf(model, 0)).toEqual({ scale: 1 / 32, zero: 0 });
  });
});

describe('inputOf()', () => {
  it('sees through a pool to the scale of the convolution', () => {
    const [conv] = model.layers;
    if (conv?.type !== 'conv2d') throw new Error('the first layer is a convolution');
    expect(inputOf(model, 1)).toEqual(conv.output);
    expect(inputOf(model, 2)).toEqual(conv.output);
  });
});

describe('goldenVectors()', () => {
  it('holds one logit a class and window, equal for equal seeds', () => {
    const golden = goldenVectors(parts, 150, 77, 3);
    expect(golden).toMatchObject({ seed: 77, count: 3 });
    expect(golden.outputs.length).toBe(3 * 6);
    expect(goldenVectors(parts, 150, 77, 3)).toEqual(golden);
    expect(goldenVectors(parts, 150, 78, 3).outputs).not.toEqual(golden.outputs);
  });

  it('tellingVectors() looks for a seed whose outputs are not all at the end of the range', () => {
    const share = (bytes: Uint8Array) =>
      bytes.filter((byte) => byte !== 127 && byte !== 128).length / bytes.length;
    const seeds = Array.from({ length: 64 }, (_, k) => (9 + 977 * k) % 65_536);
    const loud = structuredClone(model);
    const last = loud.layers.at(-1)!;
    if (last.type !== 'dense') throw new Error('a dense layer');
    last.output = { ...last.output, scale: Math.fround(last.output.scale / 40) }; // saturates more often than not
    const saturating = encodeModel(loud);
    const all = seeds.map((seed) => goldenVectors(saturating, 150, seed, 1));
    const first = all.find(({ outputs }) => share(outputs) >= 0.5);
    const most = Math.max(...all.map(({ outputs }) => share(outputs)));
    const found = tellingVectors(saturating, 150, 9, 1);
    expect(share(all[0]!.outputs)).toBeLessThan(0.5);
    expect(found).toEqual(first ?? all.find(({ outputs }) => share(outputs) === most));
    expect(found.seed).not.toBe(9);
  });

  it('tells a model from one whose head differs in a single weight', async () => {
    const task = quickTask();
    const few = { fresh: twoPeople(task, 6, 1).ann.learn, old: [], recent: [] };
    const flat = (await trainRung('whole', task, null, few, { seed: 1 })).model;
    const golden = goldenVectors(encodeModel(flat), 150, 5);
    let told = 0;
    for (let i = 0; i < 20; i++) {
      const [layer] = structuredClone(flat.layers);
      if (layer?.type !== 'dense') throw new Error('a dense layer');
      layer.weights[i * 7] = -layer.weights[i * 7]! - 1;
      const other: QuantModel = { ...flat, layers: [layer] };
      const outputs = goldenVectors(encodeModel(other), 150, 5).outputs;
      if (Buffer.compare(outputs, golden.outputs) !== 0) told++;
    }
    expect(told).toBeGreaterThanOrEqual(15);
  });
});
