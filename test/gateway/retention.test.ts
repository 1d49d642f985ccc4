import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Clock, steady } from '../../gateway/link/port.ts';
import { virtualClock } from '../../gateway/link/virtual/clock.ts';
import {
  createRetention,
  oldBefore,
  type RetentionLimits,
  retentionDefaults,
} from '../../gateway/retention.ts';
import { openStore, type Store } from '../../gateway/store/store.ts';
import { temporary } from './store/support.ts';
import { sample } from './store/support-sample.ts';

const DAY = 86_400_000;
const EPOCH = Date.UTC(2026, 0, 1);
const keepAll: RetentionLimits = { maxDays: null, maxBytes: null };

function world(limits: Partial<RetentionLimits>, directory = temporary(), start = EPOCH) {
  const virtual = virtualClock(start);
  let set = 0;
  let clock: Clock = virtual;
  const store = openStore({ directory, durability: 'process', now: () => clock.now() });
  clock = steady({ ...virtual, now: () => virtual.now() + set }, store.latestAt());
  // a gateway has written with its clock before retention begins
  if (store.latestAt() > 0) store.journal.write('signer.rotated', 'key', {}, clock.now());
  const retention = createRetention({ store, clock, limits, monotonic: virtual.now });
  const close = () => {
    retention.close();
    store.close();
  };
  onTestFinished(close);
  return {
    ...{ store, clock, retention, directory, close },
    advance: (ms: number) => virtual.advance(ms),
    /** sets the computer's clock forward, or back */
    jump(ms: number) {
      set += ms;
    },
    add: (from: number, to: number, changes: object = {}) =>
      addAll(store, from, to, { at: clock.now(), ...changes }),
    seqs: () => store.samples.find({}).map(({ seq }) => seq),
    told: (kind: 'store.retained' | 'store.crowded') => store.journal.find({ kind }),
  };
}

async function addAll(store: Store, from: number, to: number, changes: object): Promise<void> {
  const added: Promise<unknown>[] = [];
  for (let seq = from; seq <= to; seq++) added.push(store.samples.add(sample({ seq, ...changes })));
  store.flush();
  await Promise.all(added);
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('retention by age', () => {
  test('removes what is older, keeps what has a label of any kind, and tells once', async () => {
    const { store, add, advance, seqs, told, retention } = world({ maxDays: 10, maxBytes: null });
    await add(1, 20);
    const label = { trust: 1, at: EPOCH };
    store.labels.addAll([
      { ...label, sample: 2, cls: 1, source: 'person' },
      { ...label, sample: 3, cls: 1, source: 'must-pass' },
      { ...label, sample: 4, cls: 1, source: 'teacher:big' },
      { ...label, sample: 5, cls: 1, source: 'person' },
    ]);
    store.labels.withdraw(5, undefined, EPOCH);
    await advance(5 * DAY);
    await add(21, 30);
    await advance(4.9 * DAY);
    expect(seqs()).toEqual(range(1, 30));
    await advance(1.2 * DAY);
    expect(seqs()).toEqual([2, 3, 4, 5, ...range(21, 30)]);
    expect(told('store.retained').map(({ data }) => data)).toMatchObject([
      { windows: 16, maxDays: 10, maxBytes: null },
    ]);
    expect(retention.state()).toMatchObject({ removed: 16, crowdedSince: null });
    await advance(20 * DAY);
    expect(seqs()).toEqual([2, 3, 4, 5]);
    expect(told('store.retained').length).toBe(2);
  });

  test('what was removed and comes again is a repeat, and later windows go on', async () => {
    const { store, add, advance, seqs } = world({ maxDays: 1, maxBytes: null });
    await add(1, 9);
    await advance(3 * DAY);
    expect(seqs()).toEqual([]);
    expect(await store.samples.add(sample({ seq: 4 }))).toBe('duplicate');
    expect(store.samples.known('w1', 7)).toEqual({ ackSeq: 9, beyond: [] });
    expect(await store.samples.add(sample({ seq: 10 }))).toBe('new');
    expect(store.samples.progress('w1', 7)).toMatchObject({ acked: 10, duplicates: 1 });
  });

  test('windows behind a gap stay while their device may still fill it', async () => {
    const { store, add, advance, seqs } = world({ maxDays: 1, maxBytes: null });
    const hello = { board: 'b', task: 'gesture', tier: 't', release: 1, version: null, state: 1 };
    store.devices.hello({ ...hello, id: 'w1', session: 7, at: EPOCH });
    await add(1, 3);
    await add(5, 6);
    await advance(3 * DAY);
    expect(seqs()).toEqual([5, 6]);
    expect(store.samples.known('w1', 7)).toEqual({ ackSeq: 3, beyond: [5, 6] });
    expect(await store.samples.add(sample({ seq: 4 }))).toBe('new');
    expect(store.samples.progress('w1', 7).acked).toBe(6);
    await add(8, 9);
    store.devices.hello({ ...hello, id: 'w1', session: 8, at: EPOCH });
    await advance(3 * DAY);
    expect(seqs()).toEqual([]);
  });

  test('a clock that jumps forward and back removes nothing', async () => {
    const { add, advance, jump, seqs, clock } = world({ maxDays: 10, maxBytes: null });
    await add(1, 5);
    await advance(DAY);
    jump(400 * DAY);
    await advance(2 * DAY);
    jump(-400 * DAY);
    await advance(2 * DAY);
    await add(6, 8);
    expect(seqs()).toEqual(range(1, 8));
    expect(clock.now()).toBeGreaterThan(EPOCH + 400 * DAY);
    await advance(4.5 * DAY);
    expect(seqs()).toEqual(range(1, 8));
    await advance(1.6 * DAY);
    expect(seqs()).toEqual(range(6, 8));
  });

  test('days in which the gateway did not run do not count', async () => {
    const first = world({ maxDays: 10, maxBytes: null });
    await first.add(1, 5);
    await first.advance(6 * DAY);
    first.close();
    const second = world({ maxDays: 10, maxBytes: null }, first.directory, EPOCH + 300 * DAY);
    await second.advance(3 * DAY);
    expect(second.seqs()).toEqual(range(1, 5));
    await second.advance(2.1 * DAY);
    expect(second.seqs()).toEqual([]);
  });

  test.each([
    ['forward', 3650 * DAY],
    ['back', -3650 * DAY],
  ])(
    'a clock that is set %s while the gateway is down, again and again, makes nothing old',
    async (_, by) => {
      let at = EPOCH;
      let before = world({ maxDays: 10, maxBytes: null });
      for (let life = 0; life < 8; life++) {
        await before.add(2 * life + 1, 2 * life + 2);
        await before.advance(DAY);
        before.close();
        at += by * (life % 3 === 2 ? -1 : 1);
        before = world({ maxDays: 10, maxBytes: null }, before.directory, at);
      }
      expect(before.seqs()).toEqual(range(1, 16)); // it has run for 8 days
      await before.advance(4.3 * DAY);
      const [oldest] = before.seqs();
      expect(oldest).toBeLessThan(6); // those of the third day are 9.3 days old
      expect(before.seqs()).toEqual(range(oldest!, 16));
      await before.advance(6.5 * DAY);
      expect(before.seqs()).toEqual([]);
    },
  );

  test('a kill before the first sweep makes nothing old', async () => {
    const first = world({ maxDays: 10, maxBytes: null });
    await first.add(1, 5);
    first.close();
    const second = world({ maxDays: 10, maxBytes: null }, first.directory, EPOCH + 3650 * DAY);
    await second.advance(9.9 * DAY);
    expect(second.seqs()).toEqual(range(1, 5));
    await second.advance(1.2 * DAY);
    expect(second.seqs()).toEqual([]);
  });

  test('without limits everything stays', async () => {
    const { add, advance, seqs, told } = world(keepAll);
    await add(1, 5);
    await advance(100 * DAY);
    expect(seqs()).toEqual(range(1, 5));
    expect(told('store.retained')).toEqual([]);
  });
});

describe('retention by size', () => {
  const window = new Int8Array(3000).fill(7);
  const maxBytes = 2_000_000;

  test('removes the oldest, and the file becomes smaller', async () => {
    const { store, add, advance, seqs, told, directory, close } = world({
      maxDays: null,
      maxBytes,
    });
    await add(1, 1000, { window });
    store.labels.addAll([{ sample: 2, cls: 1, source: 'must-pass', trust: 1, at: EPOCH }]);
    expect(store.size().file).toBeGreaterThan(3_500_000);
    await advance(DAY);
    expect(store.size().file).toBeLessThan(maxBytes);
    const [first, second, ...others] = seqs();
    expect([first, others.at(-1)]).toEqual([2, 1000]);
    expect(second).toBeGreaterThan(450);
    expect(others.length).toBeGreaterThan(200);
    expect(told('store.retained')).toMatchObject([{ data: { windows: 1000 - others.length - 2 } }]);
    expect(store.damage()).toEqual([]);
    close();
    expect(statSync(join(directory, 'store.db')).size).toBeLessThan(maxBytes);
  });

  test('a step is bounded, and windows are stored between two', async () => {
    const { store, add, advance, seqs } = world({ maxDays: null, maxBytes: 500_000 });
    await add(1, 1000, { window });
    await advance(100);
    expect(seqs().length).toBe(750);
    await add(1001, 1001, { window });
    await advance(100);
    expect(seqs().length).toBe(501);
    expect(store.journal.find({ kind: 'store.retained' })).toEqual([]);
  });

  test('a store of labelled windows alone keeps them, and says that it is too large, once', async () => {
    const { store, add, advance, seqs, told, retention } = world({ maxDays: null, maxBytes });
    await add(1, 700, { window, label: 2 });
    await advance(3 * DAY);
    expect(seqs()).toEqual(range(1, 700));
    expect(told('store.crowded').length).toBe(1);
    expect(retention.state().crowdedSince).not.toBeNull();
    store.erase({ device: 'w1' });
    await advance(DAY);
    expect(retention.state().crowdedSince).toBeNull();
  });

  test('a store that was made without it gives space back after its next start', async () => {
    const directory = temporary();
    const path = join(directory, 'store.db');
    const before = openStore({ directory });
    await addAll(before, 1, 1000, { window, at: EPOCH });
    before.close();
    const db = new DatabaseSync(path);
    db.exec('PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM');
    expect(db.prepare('PRAGMA auto_vacuum').get()).toEqual({ auto_vacuum: 0 });
    db.close();
    const { advance, store, close } = world({ maxDays: null, maxBytes }, directory);
    expect(store.canShrink).toBe(true);
    await advance(DAY);
    close();
    expect(statSync(path).size).toBeLessThan(maxBytes);
  });

  test('a kill in the middle of a sweep forgets nothing of what was removed', async () => {
    const first = world({ maxDays: null, maxBytes: 500_000 });
    await first.add(1, 1000, { window });
    await first.advance(200);
    const removed = 1000 - first.seqs().length;
    expect(removed).toBeGreaterThan(0);
    first.close();
    expect(first.told).toBeDefined();
    const second = world(keepAll, first.directory);
    await second.advance(1000);
    expect(second.told('store.retained')).toMatchObject([{ data: { windows: removed } }]);
  });
});

describe('oldBefore()', () => {
  const marks = [
    { at: 100, ranMs: 0 },
    { at: 150, ranMs: 50 },
    { at: 9000, ranMs: 70 }, // the clock was set
  ];

  test('gives the newest mark that is so old, whatever the clock showed', () => {
    expect(oldBefore(marks, 170, 100)).toBe(9000);
    expect(oldBefore(marks, 169, 100)).toBe(150);
    expect(oldBefore(marks, 100, 100)).toBe(100);
    expect(oldBefore(marks, 99, 100)).toBeUndefined();
  });
});

describe('retentionDefaults', () => {
  test('the defaults are for an SD card', () => {
    expect(retentionDefaults).toEqual({ maxDays: 90, maxBytes: 2_000_000_000 });
  });
});
