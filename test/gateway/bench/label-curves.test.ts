import { beforeAll, describe, expect, it } from 'vitest';
import { type CurveRun, labelCurve } from '../../../gateway/bench/label-curve.ts';
import { labelRows } from '../../../gateway/bench/label-curves.ts';
import type { QuantModel } from '../../../gateway/train/model.ts';
import { trainRung } from '../../../gateway/train/rungs.ts';
import { accuracyOf, twoPeople } from '../../support/people.ts';
import { quickTask } from '../../support/tasks.ts';

describe('labelRows()', () => {
  it('says of each figure that there are no recordings', async () => {
    for (const options of [{}, { data: '/nowhere' }]) {
      const rows = await labelRows(options);
      expect(rows.map(({ aim }) => aim)).toEqual(['at most 6', 'at most 24', 'at least 0.98']);
      for (const row of rows) expect(row).toMatchObject({ skipped: 'skipped: no recordings' });
      for (const row of rows) expect(row).not.toHaveProperty('value');
    }
  });
});

describe('labelCurve()', () => {
  const task = quickTask();
  const people = twoPeople(task, 12, 10);
  const to = [...people.bob.learn, ...people.bob.test];
  const run: CurveRun = {
    ...{ task, from: people.ann.learn, to, old: () => [], select: 'active', seed: 1 },
    ...{ at: [6, 12], guessAt: [12], until: 0, most: 0 },
  };
  let first: QuantModel;
  beforeAll(async () => {
    const data = { fresh: people.ann.learn, old: [], recent: [] };
    first = (await trainRung('whole', task, null, data, { seed: 1 })).model;
  });

  it('measures where it is asked to, better than the model before', async () => {
    const curve = await labelCurve(run, first);
    expect([...curve.at.keys()]).toEqual([6, 12]);
    expect([...curve.guessing.keys()]).toEqual([12]);
    expect(curve.at.get(12)).toBeGreaterThan(accuracyOf(first, to) + 0.2);
    expect(curve.guessing.get(12)).toBeGreaterThan(accuracyOf(first, to) + 0.2);
  });

  it('repeats itself with the same seed, and differs with another', async () => {
    const short = { ...run, at: [9], guessAt: [] };
    const [one, again] = [await labelCurve(short, first), await labelCurve(short, first)];
    expect(again).toEqual(one);
    const other = await labelCurve({ ...short, select: 'random', seed: 2 }, first);
    const random = await labelCurve({ ...short, select: 'random' }, first);
    expect(other.at.get(9)).not.toBe(random.at.get(9));
  });

  it('stops at the first count that reaches the aim, or gives up', async () => {
    const easy = { ...run, at: [], guessAt: [], until: 0.5, most: 30 };
    const { reached } = await labelCurve(easy, first);
    expect(reached).toBeGreaterThanOrEqual(4);
    expect(reached).toBeLessThanOrEqual(30);
    const exact = await labelCurve({ ...easy, until: 0, at: [reached - 1, reached] }, first);
    expect(exact.at.get(reached)).toBeGreaterThanOrEqual(0.5);
    if (reached > 4) expect(exact.at.get(reached - 1)).toBeLessThan(0.5);
    const never = await labelCurve({ ...easy, until: 1.01, most: 6 }, first);
    expect(never.reached).toBe(Number.POSITIVE_INFINITY);
  });
});
