import { describe, expect, it } from 'vitest';
import { syntheticRecordings } from '../../../gateway/synthetic/recordings.ts';
import { addClasses } from '../../../gateway/train/add-class.ts';
import { newClassChecks } from '../../../gateway/train/gate-new-class.ts';
import { createPredictor, encodeModel, type QuantModel } from '../../../gateway/train/model.ts';
import { classesOf, grow, taughtPart, waiting } from '../../../gateway/train/new-class.ts';
import { trainRung } from '../../../gateway/train/rungs.ts';
import { accuracyOf, ann } from '../../support/people.ts';
import { quickTask } from '../../support/tasks.ts';

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
  it('learns a class from five windows; the others decide among themselves as they did', async () => {
    const champion = await five();
    const fresh = first(5).filter(({ cls }) => cls === 5);
    const old = first(12).filter(({ cls }) => cls < 5);
    const { model } = addClasses(task, champion, { fresh, old }, 1);
    expect(classesOf(model)).toBe(6);
    const rest = windows.filter((one) => !fresh.includes(one) && !old.includes(one));
    expect(
      accuracyOf(
        model,
        rest.filter(({ cls }) => cls === 5),
      ),
    ).toBeGreaterThan(0.9);
    const [was, is] = [champion, model].map((one) => createPredictor(encodeModel(one)));
    const moved = rest.filter(({ window, length }) => {
      const now = is!(window, length).cls;
      return now < 5 && now !== was!(window, length).cls;
    });
    expect(moved.length).toBeLessThanOrEqual(1); // logits that were equal to a step of int8
    expect(() => addClasses(task, champion, { fresh: [], old }, 1)).toThrow(RangeError);
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
