import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answersOf } from '../../gateway/answers.ts';
import { type Composed, compose } from '../../gateway/compose.ts';
import { createLabelImport } from '../../gateway/label-import.ts';
import { type LabelRow, placeRows } from '../../gateway/label-rows.ts';
import { realClock } from '../../gateway/link/port.ts';
import { loadTask } from '../../gateway/task.ts';
import { temporary } from '../support/loop-world.ts';

const task = loadTask('gesture');
const answers = answersOf(task);
const once = { source: 'delayed', withinMs: 0, at: 9000 };
const held = (): Promise<void> => Promise.resolve();

function open(directory: string): Composed {
  return compose({
    ...{ task, directory, clock: realClock, automatic: false, seed: 1, durability: 'process' },
  });
}

/** A gateway on a disk, with so many windows of w1. */
async function gatewayWith(windows: number): Promise<{ gateway: Composed; directory: string }> {
  const directory = join(temporary(), 'data');
  const gateway = open(directory);
  onTestFinished(() => gateway.close());
  const { store } = gateway;
  const about = { board: 'banglejs2', task: task.name, tier: 'convolve', version: null };
  store.devices.hello({ id: 'w1', ...about, session: 7, release: 1, state: 1, at: 0 });
  const said = { cls: 2, score: 90, length: 20, embedding: null, window: null, label: null };
  const added = Array.from({ length: windows }, (_, i) =>
    store.samples.add({
      ...{ device: 'w1', session: 7, seq: i + 1, task: task.name, release: 1, version: null },
      ...{ at: 1000 + i, t: i, ...said, quarantine: null },
    }),
  );
  store.flush();
  await Promise.all(added);
  return { gateway, directory };
}

const rowsFor = (windows: number, source?: string): LabelRow[] =>
  Array.from({ length: windows }, (_, i) => ({
    ...{ line: i + 2, device: 'w1', session: 7, seq: i + 1, cls: task.classes[i % 6]! },
    ...(source !== undefined && { source }),
  }));

describe('addRows()', () => {
  it('lets others have their turn while it brings many labels in', async () => {
    const windows = 6000;
    const { gateway } = await gatewayWith(windows);
    const longest = async (source: string, turnMs?: number): Promise<number> => {
      const delay = monitorEventLoopDelay({ resolution: 2 });
      delay.enable();
      await new Promise((resolve) => setTimeout(resolve, 20));
      const options = { source, withinMs: 0, dryRun: false, ...(turnMs && { turnMs }) };
      const done = await gateway.loop.labels.addRows(rowsFor(windows, source), options);
      await new Promise((resolve) => setTimeout(resolve, 20));
      delay.disable();
      expect(done).toMatchObject({ added: windows, known: 0, refused: [] });
      return delay.max / 1e6;
    };
    const shared = await longest('person');
    const alone = await longest('delayed', Number.POSITIVE_INFINITY);
    expect(shared, `others wait ${shared} ms, without turns ${alone} ms`).toBeLessThan(alone / 3);
  });

  it('refuses the lines of a window that are too many, which would be weighed each against each', async () => {
    const { gateway } = await gatewayWith(2);
    const rows = Array.from({ length: 100 }, (_, i) => ({
      ...rowsFor(1)[0]!,
      line: i,
      cls: task.classes[i % 2]!,
    }));
    const done = await gateway.loop.labels.addRows(rows, {
      ...{ source: 'person', withinMs: 0, dryRun: false },
    });
    expect(done.added).toBe(64);
    expect(done.refused).toHaveLength(36);
    expect(done.refused[0]).toMatchObject({
      line: 64,
      reason: expect.stringContaining('64 lines'),
    });
  });
});

describe('createLabelImport()', () => {
  it.each([3, 12])(
    'brings in all or none where the gateway is killed at moment %i',
    async (moment) => {
      const windows = 1000;
      const { gateway, directory } = await gatewayWith(windows);
      const { store } = gateway;
      const { labels } = await placeRows(rowsFor(windows), { store, task, answers }, once, held);
      const image = join(temporary(), 'data');
      let moments = 0;
      const kill = async (): Promise<void> => {
        if (++moments !== moment) return;
        cpSync(directory, image, { recursive: true, filter: (path) => !path.endsWith('.lock') });
      };
      const about = { source: 'delayed', refused: 1, who: 'ann' };
      const whole = await createLabelImport(store, realClock).add(labels, about, kill, false);
      expect(whole).toMatchObject({ added: windows, known: 0, overruled: [] });
      expect(moments).toBe(16); // eight parts, laid down and settled
      expect(Object.keys(store.states.loadAll('label-import:'))).toEqual([]);

      const after = open(image);
      onTestFinished(() => after.close());
      const all = moment > 8 ? windows : 0;
      expect(after.store.labels.perClass(task.name).reduce((sum, n) => sum + n, 0)).toBe(all);
      expect(Object.keys(after.store.states.loadAll('label-import:'))).toEqual([]);
      const told = after.store.journal.find({ kind: 'label.imported' });
      expect(told.map(({ data }) => data)).toEqual(
        all === 0 ? [] : [{ added: windows, known: 0, refused: 1, who: 'ann' }],
      );
      // the same file again: what is there is there
      const again = await after.loop.labels.addRows(rowsFor(windows), { ...once, dryRun: false });
      expect(again).toMatchObject({ added: windows - all, known: all });
    },
  );

  it('says of a dry run what the import then does, where sources contradict one another', async () => {
    const windows = 300;
    const { gateway } = await gatewayWith(windows);
    const rows = [...rowsFor(windows, 'person'), ...rowsFor(windows, 'device').reverse()].map(
      (row, i) => ({ ...row, cls: task.classes[(i * 5) % 6]! }),
    );
    const options = { source: 'delayed', withinMs: 0 };
    const dry = await gateway.loop.labels.addRows(rows, { ...options, dryRun: true });
    expect(gateway.store.labels.perClass(task.name)).toEqual([]);
    expect(gateway.store.journal.find({ kind: 'label.imported' })).toEqual([]);
    const done = await gateway.loop.labels.addRows(rows, { ...options, dryRun: false });
    expect(done).toEqual(dry);
    expect(done.added).toBe(2 * windows);
    expect(done.overruled.length).toBeGreaterThan(100);
  });
});
