import { beforeAll, describe, expect, it } from 'vitest';
import type { Task } from '../../../gateway/task.ts';
import { encodeModel, type ModelParts, type QuantModel } from '../../../gateway/train/model.ts';
import type { QuantLayer } from '../../../gateway/train/quant-layer.ts';
import { RUNGS, type Rung, type RungData, trainRung } from '../../../gateway/train/rungs.ts';
import { accuracyOf, said, twoPeople } from '../../support/people.ts';
import { quickTask, rawTask } from '../../support/tasks.ts';

interface Case {
  task: Task;
  champion: QuantModel;
  people: ReturnType<typeof twoPeople>;
  data: RungData;
}

async function firstModel(task: Task): Promise<Case> {
  const people = twoPeople(task, 12, 6);
  const first = { fresh: people.ann.learn, old: [], recent: [] };
  const { model } = await trainRung('whole', task, null, first, { seed: 1 });
  const { learn, test } = people.bob;
  return { task, champion: model, people, data: { fresh: learn, old: [], recent: test } };
}

/** Which parts, and which layers of the backbone, a rung changed. */
function changed(before: QuantModel, after: QuantModel) {
  const [a, b] = [encodeModel(before), encodeModel(after)];
  const parts = (['pre', 'backbone', 'head'] as const satisfies (keyof ModelParts)[]).filter(
    (name) => Buffer.compare(a[name], b[name]) !== 0,
  );
  const layers = after.layers.flatMap((layer, i) => {
    const was = before.layers[i];
    const same = was && JSON.stringify({ ...was }) === JSON.stringify({ ...layer });
    return same ? [] : [i];
  });
  return { parts, layers };
}

const rungOf = (c: Case, rung: Rung, seed = 1, data = c.data) =>
  trainRung(rung, c.task, c.champion, data, { seed });

describe('trainRung() on raw windows: conv1d, pool, dense; two layers frozen', () => {
  let net: Case;
  beforeAll(async () => {
    net = await firstModel(rawTask(2));
  });

  it('makes a first model that knows its wearer and not the next', () => {
    expect(accuracyOf(net.champion, net.people.ann.test)).toBeGreaterThan(0.85);
    expect(accuracyOf(net.champion, net.people.bob.test)).toBeLessThan(0.6);
    expect(net.champion.layers.map(({ type }) => type)).toEqual(['conv2d', 'maxpool2d', 'dense']);
    expect(net.champion.cut).toBe(2);
  });

  it.each([
    ['pre', ['pre'], []],
    ['head', ['head'], [2]],
    ['pseudo', ['head'], [2]],
    ['layers', ['backbone', 'head'], [0, 1, 2]],
    ['whole', ['pre', 'backbone', 'head'], [0, 1, 2]],
  ] as const)('%s changes %j and nothing else', async (rung, parts, layers) => {
    const { model } = await rungOf(net, rung);
    expect(changed(net.champion, model)).toEqual({ parts, layers });
    expect(model.cut).toBe(2);
    expect(model.layers.map(({ type }) => type)).toEqual(['conv2d', 'maxpool2d', 'dense']);
  });

  it('gets better on the next wearer with every label-using rung', async () => {
    const before = accuracyOf(net.champion, net.people.bob.test);
    for (const rung of ['head', 'layers', 'whole'] as const) {
      const { model } = await rungOf(net, rung);
      expect(accuracyOf(model, net.people.bob.test), rung).toBeGreaterThan(before + 0.1);
    }
  });

  it('gives the same bytes for the same seed, and others for another', async () => {
    for (const rung of RUNGS) {
      const [one, again, other] = [
        await rungOf(net, rung),
        await rungOf(net, rung),
        await rungOf(net, rung, 2),
      ].map(({ model }) => Buffer.concat(Object.values(encodeModel(model))));
      expect(Buffer.compare(one!, again!), rung).toBe(0);
      // a normalisation is fitted without chance
      expect(Buffer.compare(one!, other!) === 0, rung).toBe(rung === 'pre');
    }
  });

  it('leaves the champion as it was', async () => {
    const before = JSON.stringify(encodeModel(net.champion));
    for (const rung of RUNGS) await rungOf(net, rung);
    expect(JSON.stringify(encodeModel(net.champion))).toBe(before);
  });

  it('predicts in float nearly what it predicts in int8', async () => {
    for (const rung of RUNGS) {
      const { model, predictFloat } = await rungOf(net, rung);
      const int8 = said(model, net.people.bob.test);
      const float = net.people.bob.test.map((w) => predictFloat(w.window, w.length));
      const same = int8.filter((cls, i) => cls === float[i]).length / int8.length;
      expect(same, rung).toBeGreaterThanOrEqual(0.9);
    }
  });
});

describe('trainRung() behind layers that only an imported model has', () => {
  it('learns a head, and leaves them as they are', async () => {
    const own = await firstModel(rawTask(2));
    const [conv, , head] = own.champion.layers;
    if (conv?.type !== 'conv2d' || head?.type !== 'dense') throw new Error('conv, pool, dense');
    const across: QuantLayer = {
      ...{ type: 'depthwise2d', height: 1, width: 50, channels: 3, depthMultiplier: 4 },
      ...{ kernelHeight: 1, kernelWidth: 5, strideHeight: 1, strideWidth: 2, padding: 'same' },
      weights: conv.weights.slice(0, 12 * 5),
      bias: new Int32Array(12),
      ...{ weightScale: Float32Array.of(1 / 64), input: conv.input },
      ...{ output: { scale: 1 / 16, zero: -128 }, activation: 'relu6' },
    };
    const mean: QuantLayer = {
      ...{ type: 'mean', height: 1, width: 25, channels: 12 },
      ...{ input: across.output, output: across.output },
    };
    const weights = head.weights.slice(0, 12 * 6);
    const last: QuantLayer = { ...head, inputs: 12, weights, input: across.output };
    const champion = { ...own.champion, layers: [across, mean, last], cut: 2 };
    const learned = await rungOf({ ...own, champion }, 'head');
    expect(changed(champion, learned.model)).toEqual({ parts: ['head'], layers: [2] });
    const { test } = own.people.bob;
    expect(accuracyOf(learned.model, test)).toBeGreaterThan(accuracyOf(champion, test));
    await expect(rungOf({ ...own, champion }, 'layers')).rejects.toThrow(RangeError);
  });
});

describe('trainRung() where one layer is frozen', () => {
  it('thaws that layer on the rung layers, and keeps the normalisation', async () => {
    const net = await firstModel(rawTask(1));
    const head = await rungOf(net, 'head');
    expect(changed(net.champion, head.model)).toEqual({ parts: ['head'], layers: [2] });
    const layers = await rungOf(net, 'layers');
    expect(changed(net.champion, layers.model).parts).toEqual(['backbone', 'head']);
  });
});

describe('trainRung() on features with one dense layer, none frozen', () => {
  let linear: Case;
  beforeAll(async () => {
    linear = await firstModel(quickTask());
  });

  it.each([
    ['pre', ['pre'], []],
    ['head', ['head'], [0]],
    ['layers', ['pre', 'head'], [0]],
  ] as const)('%s changes %j and nothing else', async (rung, parts, layers) => {
    const { model } = await rungOf(linear, rung);
    expect(changed(linear.champion, model)).toEqual({ parts, layers });
  });

  it('grows on the rung whole, and its head is then all of it', async () => {
    const { model } = await rungOf(linear, 'whole');
    expect(model.layers.map((layer) => 'outputs' in layer && layer.outputs)).toEqual([16, 6]);
    expect(model.cut).toBe(0);
    const again = await trainRung('head', linear.task, model, linear.data, { seed: 3 });
    expect(changed(model, again.model)).toEqual({ parts: ['head'], layers: [0, 1] });
  });

  it('heals the next wearer by the head alone', async () => {
    const { model } = await rungOf(linear, 'head');
    expect(accuracyOf(linear.champion, linear.people.bob.test)).toBeLessThan(0.6);
    expect(accuracyOf(model, linear.people.bob.test)).toBeGreaterThan(0.9);
  });

  it('rehearses: what only old windows hold is not forgotten', async () => {
    // Bob labelled all but his claps; Ann's are rehearsed
    const clap = linear.task.classes.indexOf('clap2');
    const fresh = linear.people.bob.learn.filter(({ cls }) => cls !== clap);
    const claps = linear.people.ann.test.filter(({ cls }) => cls === clap);
    const old = linear.people.ann.learn.filter(({ cls }) => cls === clap);
    const without = await rungOf(linear, 'head', 1, { fresh, old: [], recent: [] });
    const rehearsed = await rungOf(linear, 'head', 1, { fresh, old, recent: [] });
    expect(accuracyOf(without.model, claps)).toBe(0);
    expect(accuracyOf(rehearsed.model, claps)).toBeGreaterThan(0.8);
  });
});

describe('trainRung() with nothing to stand on', () => {
  it('throws RangeError without champion, or without labels', async () => {
    const task = quickTask();
    const none = { fresh: [], old: [], recent: [] };
    await expect(trainRung('head', task, null, none, { seed: 1 })).rejects.toThrow(RangeError);
    await expect(trainRung('whole', task, null, none, { seed: 1 })).rejects.toThrow(RangeError);
  });

  it.each([
    ['one dense layer', quickTask()],
    ['a deep net', rawTask()],
  ])('throws GatewayError cancelled when the signal is raised: %s', async (_, task) => {
    const data = { fresh: twoPeople(task, 2, 1).ann.learn, old: [], recent: [] };
    const signal = AbortSignal.abort();
    const cancelled = trainRung('whole', task, null, data, { seed: 1, signal });
    await expect(cancelled).rejects.toMatchObject({ name: 'GatewayError', code: 'cancelled' });
  });
});

describe('trainRung() where the task realigns what is rehearsed', () => {
  const task = (align: boolean): Task => {
    const quick = quickTask();
    return { ...quick, training: { ...quick.training, align } };
  };
  /** A sensor that has come to measure half as much, about a mean of its own. */
  const drifted = <T extends { window: Int8Array; length: number }>(windows: readonly T[]): T[] =>
    windows.map((one) => ({
      ...one,
      window: one.window.map((v, i) => (i < 3 * one.length ? v / 2 + 10 : 0)),
    }));

  it('learns a drifted sensor from earlier labels alone', async () => {
    const { champion, people } = await firstModel(task(false));
    const { learn, test } = people.ann;
    const recent = drifted(test);
    const data = { fresh: [], old: learn, recent };
    const [plain, aligned] = [
      await trainRung('head', task(false), champion, data, { seed: 1 }),
      await trainRung('head', task(true), champion, data, { seed: 1 }),
    ];
    expect(changed(champion, aligned.model).parts).toEqual(['head']);
    const before = accuracyOf(plain.model, recent);
    expect(accuracyOf(aligned.model, recent)).toBeGreaterThan(before + 0.2);
  });

  it('leaves what is rehearsed where it is while few windows are known', async () => {
    const { champion, people } = await firstModel(task(false));
    const data = {
      fresh: [],
      old: people.ann.learn,
      recent: drifted(people.ann.test).slice(0, 19),
    };
    const [plain, aligned] = [
      await trainRung('head', task(false), champion, data, { seed: 1 }),
      await trainRung('head', task(true), champion, data, { seed: 1 }),
    ];
    expect(changed(plain.model, aligned.model).parts).toEqual([]);
  });
});
