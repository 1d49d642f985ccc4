import { beforeAll, describe, expect, it } from 'vitest';
import { loadBoard } from '../../../gateway/board.ts';
import { parseTask } from '../../../gateway/task.ts';
import { encodeModel } from '../../../gateway/train/model.ts';
import { trainRung } from '../../../gateway/train/rungs.ts';
import {
  type SearchInput,
  type SearchReport,
  searchModels,
} from '../../../gateway/train/search.ts';
import { candidatesOf } from '../../../gateway/train/search-candidates.ts';
import { foldsOf } from '../../../gateway/train/search-folds.ts';
import { twoPeople } from '../../support/people.ts';
import { quickTask } from '../../support/tasks.ts';

const quick = quickTask();
const task = {
  ...quick,
  training: { ...quick.training, deep: { ...quick.training.deep, epochs: 8 } },
};
const { ann, bob } = twoPeople(task, 12, 10);
const people = { ann: ann.learn, bob: bob.learn };
const few = candidatesOf(task).filter(({ name }) =>
  [
    'task (motion)',
    'task, deeper',
    'statistics linear',
    'motion 4',
    'motion 32→9',
    'statistics 32→3',
    'motion 32',
    'statistics 8',
  ].includes(name),
);

function given(changes: Partial<SearchInput> = {}): SearchInput {
  const folds = foldsOf(people, task.classes.length, { by: 'people', labelsPerClass: 3 });
  return {
    task,
    board: loadBoard('puckjs'),
    folds,
    candidates: few,
    seeds: 2,
    lacks: () => [],
    ...changes,
  };
}

const rowOf = (report: SearchReport, name: string) => report.rows.find((row) => row.name === name)!;

describe('searchModels()', () => {
  let report: SearchReport;
  beforeAll(async () => {
    report = await searchModels(given());
  });

  it('gives a row for each candidate, trained in full for the finalists', () => {
    expect(report.rows.map(({ name }) => name)).toEqual(few.map(({ name }) => name));
    const finalists = report.rows.filter(({ share }) => share === 1);
    expect(finalists.length).toBeGreaterThanOrEqual(6);
    expect(finalists.length).toBeLessThan(few.length);
    expect(report.windows).toBe((12 + 10 - 2 * 3) * 6);
    for (const { accuracy, interval } of report.rows) {
      expect(interval![0]).toBeLessThan(accuracy!);
      expect(interval![1]).toBeGreaterThan(accuracy! - 1e-9);
    }
    expect(rowOf(report, 'task (motion)').share).toBe(1);
  });

  it('chooses the smallest finalist that is good enough', () => {
    const enough = report.rows.filter(
      (row) => row.share === 1 && row.accuracy! >= report.threshold,
    );
    const smallest = Math.min(...enough.map(({ bytes }) => bytes));
    const chosen = report.rows.filter((row) => row.chosen);
    expect(chosen.map(({ name, bytes }) => [name, bytes])).toEqual([[report.chosen, smallest]]);
    expect(report.margin).toBeGreaterThan(0);
    const larger = report.rows.filter((row) => row.share === 1 && row.bytes > smallest);
    expect(larger.length).toBeGreaterThan(0);
  });

  it('gives a task that can be parsed and trained, with the same bytes each time', async () => {
    const result = parseTask(report.result);
    const data = { fresh: [...ann.learn, ...bob.learn], old: [], recent: [] };
    const parts = async () =>
      encodeModel((await trainRung('whole', result, null, data, { seed: 1 })).model);
    const first = await parts();
    expect(Object.values(first).reduce((sum, part) => sum + part.length, 0)).toBe(
      rowOf(report, report.chosen).bytes,
    );
    expect(await parts()).toEqual(first);
  });

  it('gives the same report for the same seeds, and another with one seed less', async () => {
    expect(await searchModels(given())).toEqual(report);
    const other = await searchModels(given({ seeds: 1 }));
    expect(other.rows).not.toEqual(report.rows);
  });

  it('trains nothing that the board cannot hold', async () => {
    const limit = 700;
    const bytes = ({ pre, backbone, head }: Record<string, Uint8Array>) =>
      pre!.length + backbone!.length + head!.length;
    const tight = await searchModels(
      given({ lacks: (_, parts) => (bytes({ ...parts }) > limit ? ['room'] : []), seeds: 1 }),
    );
    for (const row of tight.rows) {
      expect(row.fits, row.name).toBe(row.bytes <= limit);
      expect(row.accuracy === null, row.name).toBe(!row.fits);
      expect(row.lacks).toEqual(row.fits ? [] : ['room']);
    }
    expect(rowOf(tight, tight.chosen).bytes).toBeLessThanOrEqual(limit);
    await expect(searchModels(given({ lacks: () => ['room'] }))).rejects.toMatchObject({
      code: 'not-allowed',
    });
  });

  it('lets the chosen net grow to the more accurate one of the same features', async () => {
    const { accuracy, features, bytes } = rowOf(report, report.chosen);
    const larger = report.rows.filter(
      (row) =>
        row.share === 1 &&
        row.features === features &&
        row.bytes > bytes &&
        row.accuracy! > accuracy!,
    );
    const { deeper } = report.result.architecture;
    expect(deeper === undefined).toBe(larger.length === 0);
  });

  it('tells how far it is, and stops when it is cancelled', async () => {
    const told: number[] = [];
    const abort = new AbortController();
    const onProgress = (done: number) => {
      told.push(done);
      if (told.length === 4) abort.abort();
    };
    await expect(searchModels(given({ signal: abort.signal, onProgress }))).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(told).toHaveLength(4);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    expect(told.at(-1)).toBeGreaterThan(0);
  });

  it('refuses no seeds, no windows, and a task without classes', async () => {
    const anomaly = { ...task, kind: 'anomaly' as const };
    await expect(searchModels(given({ task: anomaly }))).rejects.toMatchObject({
      code: 'not-allowed',
    });
    await expect(searchModels(given({ seeds: 0 }))).rejects.toThrow(RangeError);
    await expect(searchModels(given({ folds: [] }))).rejects.toThrow(RangeError);
  });
});
