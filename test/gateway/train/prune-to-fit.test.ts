import { describe, expect, it } from 'vitest';
import { loadTask } from '../../../gateway/task.ts';
import { untrained } from '../../../gateway/train/cost.ts';
import { encodeModel, type ModelParts } from '../../../gateway/train/model.ts';
import { pruneToFit } from '../../../gateway/train/prune-to-fit.ts';
import { retrain } from '../../../gateway/train/retrain.ts';
import { trainRung } from '../../../gateway/train/rungs.ts';
import { accuracyOf, twoPeople } from '../../support/people.ts';
import { quickTask, rawTask } from '../../support/tasks.ts';

const bytesOf = ({ pre, backbone, head }: ModelParts) => pre.length + backbone.length + head.length;
const within = (limit: number) => (parts: ModelParts) => [
  { bytes: bytesOf(parts), limit },
  { bytes: 0, limit: 1 },
];

describe('pruneToFit()', () => {
  const task = loadTask('gesture');

  it('leaves a task alone that fits', () => {
    const { parts } = untrained(task, task.architecture.deeper, 0);
    expect(pruneToFit(task, true, within(bytesOf(parts)))).toBeNull();
    expect(pruneToFit(task, true, within(bytesOf(parts) - 1))).not.toBeNull();
  });

  it('narrows the net that the task grows to until it fits', () => {
    const narrow = pruneToFit(task, true, within(900))!;
    expect(narrow.architecture.layers).toEqual(task.architecture.layers);
    expect(narrow.architecture.deeper).toEqual([
      { type: 'dense', units: 6, activation: 'relu', prunedFrom: 16 },
      { type: 'dense', units: 6, activation: 'none' },
    ]);
    expect(bytesOf(untrained(narrow, narrow.architecture.deeper, 0).parts)).toBeLessThanOrEqual(
      900,
    );
  });

  it('gives up when no width fits, and on a net without hidden layers', () => {
    expect(pruneToFit(task, true, within(500))).toBeNull();
    expect(pruneToFit(task, false, within(500))).toBeNull();
  });

  it('narrows convolutions, and the trainer makes what was asked for', async () => {
    const raw = rawTask(2);
    const narrow = pruneToFit(raw, false, within(700))!;
    expect(narrow.architecture.layers[0]).toMatchObject({ filters: 4, prunedFrom: 8 });
    const people = twoPeople(raw, 12, 6);
    const data = { fresh: people.ann.learn, old: [], recent: [] };
    const train = async () => (await trainRung('whole', narrow, null, data, { seed: 1 })).model;
    const model = await train();
    expect(bytesOf(encodeModel(model))).toBe(bytesOf(untrained(narrow).parts));
    expect(accuracyOf(model, people.ann.test)).toBeGreaterThan(0.6);
    expect(encodeModel(await train())).toEqual(encodeModel(model));
  });

  it('gives a personal net that still learns its wearer when a champion grows', async () => {
    const quick = quickTask();
    const people = twoPeople(quick, 12, 8);
    const first = { fresh: people.ann.learn, old: [], recent: [] };
    const { model } = await trainRung('whole', quick, null, first, { seed: 1 });
    const narrow = pruneToFit(quick, true, within(900))!;
    const data = { fresh: people.bob.learn, old: [], recent: [] };
    const grown = await trainRung('whole', narrow, model, data, { seed: 1 });
    expect(bytesOf(encodeModel(grown.model))).toBeLessThanOrEqual(900);
    expect(grown.model.layers).toHaveLength(2);
    expect(accuracyOf(grown.model, people.bob.test)).toBeGreaterThan(
      accuracyOf(model, people.bob.test) + 0.2,
    );
  });
});

describe('retrain() with a net that a board has no room for', () => {
  const task = quickTask();
  const wide = { ...task, architecture: { layers: task.architecture.deeper!, cut: 1 } };
  const fresh = twoPeople(task, 12, 8).ann.learn;
  const first = (limit: number) =>
    retrain({
      ...{
        task: wide,
        champion: null,
        championReference: null,
        isUpdated: false,
        championSaid: [],
        memory: [],
      },
      ...{ data: { fresh, old: [], recent: [] }, regimes: [], mustPass: [], seed: 1 },
      ...{ origins: fresh.map(() => ({ device: 'ann', source: 'device' })), isShared: true },
      recentByDevice: new Map(),
      lately: new Map(),
      labelled: new Map(),
      budgets: (parts) => [{ board: 'small', bytes: bytesOf(parts), limit }],
    });

  it('prunes it until it fits, as an attempt of its own', async () => {
    const { attempts, chosen } = await first(1200);
    expect(attempts.map(({ rung }) => rung)).toEqual(['whole', 'whole']);
    const [whole, pruned] = attempts;
    expect(whole!.report.reason).toContain('budget small: 1428 of 1200 bytes');
    expect(bytesOf(pruned!.parts)).toBeLessThanOrEqual(1200);
    expect(chosen).toBe(pruned);
  });

  it('leaves it at the one attempt where no width fits', async () => {
    const { attempts, chosen } = await first(400);
    expect([attempts.length, chosen]).toEqual([1, null]);
  });
});
