import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HistoryRange, Part } from '../../../gateway/store/history.ts';
import type { Store } from '../../../gateway/store/store.ts';
import { sample, testStore } from './support.ts';

interface Row {
  device: string;
  at: number;
  cls: number;
  score: number;
  label: number | null;
  quarantine: string | null;
  isReleased: boolean;
  release: number;
}

const row: fc.Arbitrary<Row> = fc.record({
  device: fc.constantFrom('w1', 'w2', 'w3'),
  at: fc.integer({ min: 900, max: 2100 }),
  cls: fc.nat(5),
  score: fc.nat(255),
  label: fc.option(fc.nat(5)),
  quarantine: fc.option(fc.constant('stuck sensor'), { freq: 4 }),
  isReleased: fc.boolean(),
  release: fc.constantFrom(0, 1, 1, 2),
});

async function fill(store: Store, rows: Row[]): Promise<void> {
  const added = rows.map(({ isReleased: _, ...one }, i) =>
    store.samples.add(sample({ ...one, session: 1, seq: i + 1 })),
  );
  store.flush();
  await Promise.all(added);
  rows.forEach(({ device, isReleased, quarantine }, i) => {
    if (quarantine === null || !isReleased) return;
    store.samples.release(store.samples.get({ device, session: 1, seq: i + 1 })!.id, 5000);
  });
}

/** The same, window by window. */
function slowly(
  rows: Row[],
  { devices, from, stepMs, parts }: HistoryRange,
  within: number,
): Part[] {
  return Array.from({ length: parts }, (_, i) => {
    const mine = rows.filter(
      (one) =>
        devices.includes(one.device) &&
        one.at >= from + i * stepMs &&
        one.at < from + (i + 1) * stepMs &&
        one.release > 0 &&
        (one.quarantine === null || one.isReleased),
    );
    const labelled = mine.filter(({ label }) => label !== null);
    const sum = mine.reduce((total, { score }) => total + score, 0);
    return {
      ...{ windows: mine.length, score: mine.length === 0 ? null : sum / mine.length },
      labels: labelled.length,
      right: labelled.filter(({ cls, label }) => Math.abs(cls - label!) <= within).length,
      ...{ estimated: null, drift: null },
    };
  });
}

describe('history.parts()', () => {
  test.each([
    [['w1', 'w2', 'w3'], true, 0],
    [['w1', 'w2', 'w3'], true, 1],
    [['w2'], false, 0],
    [['w1', 'w3', 'nobody'], false, 2],
  ])('of %j, all: %s, within %i, equals a sum window by window', async (devices, isAll, within) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 40 }),
        fc.integer({ min: 800, max: 1500 }),
        fc.integer({ min: 1, max: 130 }),
        async (rows, from, stepMs) => {
          const store = testStore();
          await fill(store, rows);
          const range = { devices, isAll, from, stepMs, parts: 7 };
          expect(store.history.parts(range, within)).toEqual(slowly(rows, range, within));
          store.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  test('gives means of what was noted, of whom and when it is asked', async () => {
    const store = testStore();
    const noted = [
      store.history.note('w1', 1000, { estimated: 0.8, drift: 0.5 }),
      store.history.note('w2', 1099, { estimated: 0.6, drift: null }),
      store.history.note('w1', 1100, { estimated: null, drift: 1 }),
    ];
    store.flush();
    await Promise.all(noted);
    const of = (devices: string[]) =>
      store.history
        .parts({ devices, isAll: false, from: 1000, stepMs: 100, parts: 2 }, 0)
        .map(({ estimated, drift }) => [estimated, drift]);
    expect(of(['w1', 'w2'])).toEqual([
      [expect.closeTo(0.7), 0.5],
      [null, 1],
    ]);
    expect(of(['w2'])).toEqual([
      [0.6, null],
      [null, null],
    ]);
    const about = { board: 'b', task: 'gesture', tier: 't', version: null, state: 1, at: 0 };
    for (const id of ['w1', 'w2']) store.devices.hello({ ...about, id, session: 1, release: 1 });
    store.sweep(1000);
    expect(of(['w1', 'w2'])[0]).toEqual([0.6, null]);
    expect(of(['w1'])[1]).toEqual([null, 1]);
    store.erase({ device: 'w1' });
    expect(of(['w1'])[1]).toEqual([null, null]);
  });
});

describe('history.events() and history.tally()', () => {
  test('find kinds within a time, and count them by subject', () => {
    const { journal, history } = testStore();
    for (const [at, subject] of [
      [5, 'w1'],
      [6, 'w1'],
      [7, 'w2'],
      [16, 'w1'],
      [30, 'w1'],
    ] as const) {
      journal.write('label.added', subject, {}, at);
      journal.write('alarm.raised', subject, { at }, at);
    }
    journal.write('device.seen', 'w1', {}, 6);
    const kinds = ['alarm.raised', 'alarm.ended'] as const;
    expect(history.events(kinds, 6, 30, 2).map(({ at }) => at)).toEqual([7, 16]);
    expect(history.tally('label.added', { from: 5, stepMs: 10, parts: 2 })).toEqual([
      { part: 0, subject: 'w1', count: 2, at: 6 },
      { part: 0, subject: 'w2', count: 1, at: 7 },
      { part: 1, subject: 'w1', count: 1, at: 16 },
    ]);
  });
});

describe('samples.stored()', () => {
  test('counts what is there, whatever came twice, was removed or erased', async () => {
    const store = testStore();
    const add = async (change: object) => {
      const added = store.samples.add(sample(change));
      store.flush();
      await added;
    };
    for (const seq of [1, 2, 2, 3, 5]) await add({ device: 'w1', session: 1, seq, at: 10 * seq });
    await add({ device: 'w1', session: 2, seq: 1, at: 70 });
    await add({ device: 'w2', session: 1, seq: 1, at: 10 });
    const counts = () =>
      ['w1', 'w2', 'w3'].map((device) => [
        store.samples.stored(device),
        store.samples.count({ device }),
      ]);
    expect(counts()).toEqual([
      [5, 5],
      [1, 1],
      [0, 0],
    ]);
    store.sweep(20);
    const [[left, really]] = counts() as [[number, number]];
    expect([left, really < 5]).toEqual([really, true]);
    store.erase({ device: 'w1', since: 60 });
    expect(counts()[0]).toEqual([really - 1, really - 1]);
    store.erase({ device: 'w1' });
    expect(counts()[0]).toEqual([0, 0]);
  });
});
