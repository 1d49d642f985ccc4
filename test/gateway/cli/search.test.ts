import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderSearch } from '../../../gateway/cli/search.ts';
import { loadTask } from '../../../gateway/task.ts';
import type { SearchReport, SearchRow } from '../../../gateway/train/search.ts';
import { writeFolder } from '../../support/recordings-folder.ts';
import { quickTask } from '../../support/tasks.ts';
import { whetstone } from './run.ts';

let folder: string;
let base: string[];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'whetstone-search-'));
  const { training, ...quick } = quickTask();
  const augment = { ...training.augment, perClass: 16 };
  const short = { ...training, augment, deep: { ...training.deep, epochs: 2 } };
  writeFileSync(join(folder, 'quick.json'), JSON.stringify({ ...quick, training: short }));
  writeFolder(join(folder, 'data'), loadTask('gesture'), [12, 8]);
  const task = ['--task', join(folder, 'quick.json'), '--data', join(folder, 'data')];
  base = ['search', ...task, '--board', 'puckjs', '--seeds', '1'];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('whetstone search', () => {
  it('writes a task that a bundle can be built for, and says what it chose', async () => {
    const out = join(folder, 'small.json');
    const { status, out: text, err } = await whetstone(...base, '--json', '--out', out);
    expect(err).toMatch(/^\d+ % /m);
    expect(status).toBe(0);
    const report = JSON.parse(text) as SearchReport;
    expect(report).toMatchObject({ task: 'gesture', board: 'puckjs', seeds: 1 });
    expect(report.folds).toEqual(['without ann', 'without bob']);
    const task = loadTask(out);
    expect(task.name).toBe('gesture');
    expect(task.architecture).toEqual(report.result.architecture);
    const built = await whetstone(
      'build',
      '--board',
      'puckjs',
      '--task',
      out,
      '--report',
      '--json',
    );
    expect(built.status).toBe(0);
    expect(JSON.parse(built.out)).toMatchObject({ task: 'gesture', slotBytes: 4096 });
  });

  it('takes one person by time', async () => {
    const { status, out } = await whetstone(...base, '--people', 'ann');
    expect(status).toBe(0);
    expect(out).toMatch(/72 windows judge \(stretch 1 of 5, .*\), 1 trainings each/);
    expect(out).toMatch(/^→/m);
  });

  it.each([
    ['nobody', ['--people', 'eve'], /no recordings of 'eve'/],
    [
      'a stranger alone',
      ['--people', 'ann', '--validate', 'people'],
      /two people with every class/,
    ],
    ['a board that is none', ['--board', 'arduino'], /no board named 'arduino'/],
  ])('exits with 1 and one line for %s', async (_, args, message) => {
    const { status, out, err } = await whetstone(...base, ...args);
    expect([status, out]).toEqual([1, '']);
    expect(err).toMatch(message);
    expect(err.trim().split('\n')).toHaveLength(1);
  });
});

describe('renderSearch()', () => {
  const row = (name: string, bytes: number, changes: Partial<SearchRow> = {}): SearchRow => ({
    ...{ name, features: 'motion', bytes, ramBytes: 56, macs: 300, micros: 11.25 },
    ...{ microjoules: 0.1249, parts: { pre: 356, backbone: 4, head: 368 }, fits: true, lacks: [] },
    ...{ accuracy: 0.944, interval: [0.93, 0.956], share: 1, pareto: false, chosen: false },
    ...changes,
  });
  const text = renderSearch({
    ...{ task: 'gesture', board: 'puckjs', folds: ['without ann'], windows: 120, seeds: 3 },
    ...{ best: 'b', margin: 0.01, threshold: 0.9, chosen: 'a', reason: 'the smallest' },
    ...{ estimate: 'estimate from a data sheet', result: loadTask('gesture') },
    rows: [
      row('large', 2000, { pareto: true }),
      row('small', 728, { pareto: true, chosen: true, micros: null, microjoules: null }),
      row('early', 500, { share: 0.25, accuracy: 0.5 }),
      row('huge', 9000, {
        fits: false,
        lacks: ['9160 bytes, a slot has 4096'],
        accuracy: null,
        share: 0,
      }),
    ],
  });

  it('puts the smallest finalist on top and marks frontier and choice', () => {
    const lines = text.split('\n');
    expect(lines[0]).toBe('gesture on puckjs: 120 windows judge (without ann), 3 trainings each');
    expect(lines[3]).toMatch(/^→\* {2}small +94\.4 +93\.0 to 95\.6 +728 +368 +56 +300 +- +-$/);
    expect(lines[4]).toMatch(/^ \* {2}large .* 11 +0\.12$/);
    expect(text).toContain('µs, µJ: estimate from a data sheet');
  });

  it('says what was dropped, and what does not fit', () => {
    expect(text).toContain('after a part of the training: early (500 bytes, 50.0 after 1/4)');
    expect(text).toContain('does not fit: huge: 9160 bytes, a slot has 4096');
  });
});
