import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../../gateway/board.ts';
import { modelBytes, OFFER_BYTES } from '../../../gateway/heal.ts';
import { syntheticRecordings } from '../../../gateway/synthetic/recordings.ts';
import { addClasses } from '../../../gateway/train/add-class.ts';
import { newClassChecks } from '../../../gateway/train/gate-new-class.ts';
import { encodeModel, type QuantModel } from '../../../gateway/train/model.ts';
import { classesOf, grow, taughtPart, waiting } from '../../../gateway/train/new-class.ts';
import { trainRung } from '../../../gateway/train/rungs.ts';
import { accuracyOf, ann } from '../../support/people.ts';
import { quickTask, rawTask } from '../../support/tasks.ts';

const classes = ['swiperight', 'swipeleft', 'upup', 'clap2', 'random', 'waggle'];
const task = quickTask({ classes });
const windows = syntheticRecordings(task, ann, 24, 3);
const first = (n: number) => {
  const seen = classes.map(() => 0);
  return windows.filter(({ cls }) => seen[cls]!++ < n);
};
const five = async (): Promise<QuantModel> => {
  const part = { ...task, ...partOf() };
  const fresh = first(12).filter(({ cls }) => cls < 5);
  return (await trainRung('whole', part, null, { fresh, old: [], recent: [] }, { seed: 1 })).model;
};
const outputs = (layer: QuantModel['layers'][number]) => layer.type === 'dense' && layer.outputs;
/** Every other sample. */
const quicker = (window: Int8Array) => {
  const made = new Int8Array(window.length);
  for (let i = 0; i < window.length / 2; i++)
    made[i] = window[6 * Math.floor(i / 3) + (i % 3)] ?? 0;
  return made;
};
const partOf = () => {
  const layers = task.architecture.layers.map((layer) => ({ ...layer, units: 5 }));
  return {
    classes: classes.slice(0, 5),
    architecture: { layers: layers as typeof task.architecture.layers, cut: 0 },
  };
};

describe('taughtPart() and waiting()', () => {
  it('leave a class out until it has five labels, and say so', async () => {
    const champion = await five();
    expect(classesOf(champion)).toBe(5);
    const few = taughtPart(task, champion, [5, 5, 5, 5, 0]);
    expect(few.classes).toEqual(classes.slice(0, 5));
    expect(few.architecture.layers.at(-1)).toMatchObject({ units: 5 });
    expect(few.architecture.deeper?.at(-1)).toMatchObject({ units: 5 });
    expect(waiting(task, 5, [5, 5, 5, 5, 0])).toContain('waggle has 4');
    expect(taughtPart(task, champion, [5, 5, 5, 5, 5])).toBe(task);
    expect(waiting(task, 6, [5, 5, 5, 5, 5])).toBeNull();
  });
});

describe('grow()', () => {
  it('adds outputs that nothing is said of, and leaves the others', () => {
    const layer = {
      ...{ type: 'dense' as const, inputs: 2, outputs: 2, relu: false },
      ...{ weights: Float32Array.of(1, 2, 3, 4), bias: Float32Array.of(0.5, -1) },
    };
    const net = { input: { length: 1, channels: 2 }, layers: [layer] };
    expect(grow(net, 3).layers).toEqual([
      {
        ...{ ...layer, outputs: 3 },
        ...{ weights: Float32Array.of(1, 2, 3, 4, 0, 0), bias: Float32Array.of(0.5, -1, -1) },
      },
    ]);
    expect(grow(net, 2)).toBe(net);
  });
});

describe('addClasses()', () => {
  const fresh = first(5).filter(({ cls }) => cls === 5);
  const old = first(12).filter(({ cls }) => cls < 5);
  const rest = windows.filter((one) => !fresh.includes(one) && !old.includes(one));
  const of = (isNew: boolean) => rest.filter(({ cls }) => (cls === 5) === isNew);

  it('learns a class from five windows, and keeps the others', async () => {
    const champion = await five();
    const { model, from } = await addClasses(task, champion, { fresh, old }, { seed: 1 });
    expect(classesOf(model)).toBe(6);
    expect(from).toBe(0);
    expect(accuracyOf(model, of(true))).toBeGreaterThan(0.9);
    expect(accuracyOf(model, of(false))).toBeGreaterThan(accuracyOf(champion, of(false)) - 0.02);
    const bytes = modelBytes(encodeModel(model)) + OFFER_BYTES;
    expect(bytes).toBeLessThanOrEqual(loadBoard('puckjs').flash.pageBytes);
  });

  it('gives the same bytes for the same seed, and others for another', async () => {
    const champion = await five();
    const made = async (seed: number) =>
      encodeModel((await addClasses(task, champion, { fresh, old }, { seed })).model);
    const [once, again, other] = [await made(1), await made(1), await made(2)];
    expect(again).toEqual(once);
    expect(other.head).not.toEqual(once.head);
  });

  it('adds to a net that was grown before, and behind layers that are no dense ones', async () => {
    const grown = (await addClasses(task, await five(), { fresh, old }, { seed: 1 })).model;
    const more = { ...task, classes: [...classes, 'shake'] };
    // a seventh gesture: waggles that are as quick again
    const shaken = first(10)
      .filter(({ cls }) => cls === 5)
      .map((one) => ({ ...one, cls: 6, window: quicker(one.window), length: one.length >> 1 }));
    const [shown, unseen] = [shaken.slice(0, 5), shaken.slice(5)];
    const all = { fresh: shown, old: first(12) };
    const twice = (await addClasses(more, grown, all, { seed: 1 })).model;
    expect(twice.layers.map(outputs)).toEqual([32, 7]);
    expect(accuracyOf(twice, unseen)).toBeGreaterThanOrEqual(0.8);
    expect(accuracyOf(twice, of(false))).toBeGreaterThan(accuracyOf(grown, of(false)) - 0.03);

    const raw = rawTask(0);
    const layers = raw.architecture.layers.map((layer, i) =>
      i === 2 ? { ...layer, units: 5 } : layer,
    ) as typeof raw.architecture.layers;
    const part = { ...raw, classes: classes.slice(0, 5), architecture: { layers, cut: 0 } };
    const data = { fresh: old, old: [], recent: [] };
    const { model: net } = await trainRung('whole', part, null, data, { seed: 1 });
    const { model, from } = await addClasses({ ...raw, classes }, net, { fresh, old }, { seed: 1 });
    expect(from).toBe(2);
    expect(model.layers.slice(0, 2)).toEqual(net.layers.slice(0, 2));
    expect(accuracyOf(model, of(true))).toBeGreaterThan(0.7);
  });

  it('refuses what it cannot learn from, and stops when it is cancelled', async () => {
    const champion = await five();
    const none = addClasses(task, champion, { fresh: [], old }, { seed: 1 });
    await expect(none).rejects.toThrow('a new class needs windows, and others too');
    const alone = addClasses(task, champion, { fresh, old: [] }, { seed: 1 });
    await expect(alone).rejects.toThrow('a new class needs windows, and others too');
    const signal = AbortSignal.abort();
    const stopped = addClasses(task, champion, { fresh, old }, { seed: 1, signal });
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('newClassChecks()', () => {
  const five = new Array<number>(5);
  const judged = (said: number[], taken: number) =>
    newClassChecks({
      ...{ classes: ['a', 'b', 'c'], newcomers: [2], policy: { alpha: 0.05 } },
      evidence: {
        ...{ kind: 'cross-validated', truth: five.fill(2), champion: [0, 0, 0, 0, 0] },
        ...{ candidate: said, device: five.map(() => 'w') },
      },
      regimes: [0, 1].map((cls) => ({
        ...{ name: `r${cls}`, truth: new Array(20).fill(cls), champion: new Array(20).fill(cls) },
        candidate: Array.from({ length: 20 }, (_, i) => (cls === 0 && i < taken ? 2 : cls)),
      })),
    }).filter(({ ok }) => !ok);

  it('passes what is learnt and takes nothing', () => {
    expect(judged([2, 2, 2, 2, 0], 2)).toEqual([]);
  });

  it('refuses what is not learnt, and a tenth of an old class under a new name', () => {
    expect(judged([2, 2, 0, 0, 1], 0).map(({ name }) => name)).toEqual(['learns c']);
    expect(judged([2, 2, 2, 2, 2], 3)).toEqual([
      { name: 'class a', ok: false, why: 'a new class takes 3 of 20' },
    ]);
  });
});
