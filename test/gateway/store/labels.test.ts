import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { migrate, migrations } from '../../../gateway/store/schema.ts';
import { openStore } from '../../../gateway/store/store.ts';
import { temporary } from '../../support/loop-world.ts';
import { sample, testStore } from './support.ts';

const key = { device: 'w1', session: 7, seq: 1 };

describe('labels', () => {
  test('add() keeps contradictions, and the sample carries the one that counts', async () => {
    const store = testStore();
    await store.samples.add(sample({ label: 1 }));
    const add = (cls: number, source: string, trust: number, at: number) =>
      store.labels.add({ sample: 1, cls, source, trust, at });
    expect(store.samples.get(1)?.label).toMatchObject({ cls: 1, trust: 0.9, contradicted: false });
    await add(3, 'teacher:big', 0.5, 9000);
    expect(store.samples.get(1)?.label).toMatchObject({ cls: 1, contradicted: true });
    await add(4, 'person', 1, 2000);
    await add(5, 'person', 1, 2001);
    expect(store.samples.get(1)?.label).toEqual({
      ...{ cls: 5, source: 'person', trust: 1, at: 2001, firstAt: 1000, contradicted: true },
    });
    expect(store.labels.of(1).map(({ cls, standing }) => [cls, standing])).toEqual([
      [1, 'outvoted'],
      [4, 'replaced'],
      [5, 'counts'],
      [3, 'outvoted'],
    ]);
    expect(store.labels.perClass('gesture')).toEqual([0, 0, 0, 0, 0, 1]);
    expect(store.counts().labelled).toBe(1);
  });

  test('add() takes the key of a sample, and refuses a trust that is none', async () => {
    const store = testStore();
    await store.samples.add(sample());
    await store.labels.add({ sample: key, cls: 2, source: 'delayed', trust: 0.7, at: 1 });
    expect(store.samples.get(key)?.label?.cls).toBe(2);
    const wrong = { sample: key, cls: 2, source: 'delayed', trust: 1.1, at: 1 };
    expect(() => store.labels.add(wrong)).toThrow(RangeError);
  });

  test('add() gives false for what its source says anyway, and for an id that is there', async () => {
    const store = testStore();
    await store.samples.add(sample());
    const one = { sample: 1, cls: 2, source: 'person', trust: 1 };
    expect(await store.labels.add({ ...one, id: 'a', at: 5 })).toBe(true);
    expect(await store.labels.add({ ...one, at: 6 })).toBe(false);
    expect(await store.labels.add({ ...one, cls: 3, at: 7 })).toBe(true);
    expect(await store.labels.add({ ...one, id: 'a', at: 8 })).toBe(false);
    expect(store.samples.get(1)?.label?.cls).toBe(3);
  });

  test('addAll() stores all or none', async () => {
    const store = testStore();
    await store.samples.add(sample());
    const good = { sample: 1, cls: 2, source: 'delayed', trust: 0.9, at: 5 };
    expect(() => store.labels.addAll([good, { ...good, sample: 99 }])).toThrow('no sample 99');
    expect(store.labels.of(1)).toEqual([]);
    expect(store.labels.addAll([good, good])).toEqual([true, false]);
  });

  test('a label that the device sends again is stored once, with the trust of its task', async () => {
    const store = testStore();
    await store.samples.add(sample({ label: 4, labelTrust: 0.6 }));
    expect(await store.samples.add(sample({ label: 4, labelTrust: 0.6 }))).toBe('duplicate');
    expect(store.labels.of(1)).toMatchObject([{ cls: 4, trust: 0.6 }]);
  });

  test('withdraw() keeps a label and counts it no more, one source or all', async () => {
    const store = testStore();
    await store.samples.add(sample({ label: 4 }));
    await store.labels.add({ sample: 1, cls: 2, source: 'person', trust: 1, at: 5000 });
    expect(store.labels.withdraw(1, 'person', 6000)).toBe(1);
    expect(store.labels.withdraw(1, 'person', 6001)).toBe(0);
    expect(store.samples.get(1)?.label).toMatchObject({ cls: 4, contradicted: false });
    expect(store.labels.withdraw(1, undefined, 7000)).toBe(1);
    expect(store.samples.get(1)?.label).toBe(null);
    expect(store.samples.labelled({ task: 'gesture' })).toEqual([]);
    expect(store.labels.of(1).map(({ standing }) => standing)).toEqual(['withdrawn', 'withdrawn']);
  });

  test('find() lists the contradicted, and those that were asked for', async () => {
    const store = testStore();
    for (const seq of [1, 2, 3]) await store.samples.add(sample({ seq, label: 1 }));
    await store.labels.add({ sample: 2, cls: 5, source: 'person', trust: 1, at: 5 });
    store.asked.note([3], 'person', 9);
    const seqs = (filter: object) => store.samples.find(filter).map(({ seq }) => seq);
    expect(seqs({ contradicted: true })).toEqual([2]);
    expect(seqs({ contradicted: false })).toEqual([1, 3]);
    expect(seqs({ asked: true })).toEqual([3]);
    expect(seqs({ asked: false })).toEqual([1, 2]);
  });

  test('sources() counts how often each is compared, overruled, corrected, withdrawn', async () => {
    const store = testStore();
    for (const seq of [1, 2, 3]) await store.samples.add(sample({ seq, label: 1 }));
    const add = (id: number, cls: number, source: string, at: number) =>
      store.labels.add({ sample: id, cls, source, trust: source === 'person' ? 1 : 0.5, at });
    await add(1, 2, 'person', 2000);
    await add(2, 5, 'person', 2000);
    await add(2, 1, 'person', 2001);
    await add(3, 4, 'teacher:big', 2000);
    store.labels.withdraw(3, 'device', 3000);
    expect(store.labels.sources('gesture')).toEqual([
      { source: 'device', windows: 2, compared: 2, overruled: 1, corrected: 0, withdrawn: 1 },
      { source: 'person', windows: 2, compared: 2, overruled: 0, corrected: 1, withdrawn: 0 },
      { source: 'teacher:big', windows: 1, compared: 0, overruled: 0, corrected: 0, withdrawn: 0 },
    ]);
    expect(store.labels.sources('other')).toEqual([]);
  });

  test('a store from before the rule is resolved when it is opened', async () => {
    const directory = join(temporary(), 'data');
    const store = openStore({ directory });
    const add = store.samples.add(sample({ label: 4 }));
    store.flush();
    await add;
    store.close();
    const db = new DatabaseSync(join(directory, 'store.db'));
    db.exec("DELETE FROM verdicts; DELETE FROM meta WHERE name = 'labelRule'");
    db.close();
    const again = openStore({ directory });
    expect(again.samples.get(1)?.label?.cls).toBe(4);
    again.close();
  });

  test('the schema before labels could be withdrawn is brought up to this one', () => {
    const db = new DatabaseSync(':memory:');
    migrate(db, migrations.slice(0, 1));
    db.exec(`INSERT INTO samples (id, device, session, seq, task, at, t, release, cls, score, length)
      VALUES (1, 'w1', 7, 1, 'gesture', 1, 1, 1, 1, 1, 1);
      INSERT INTO labels (id, sample, cls, source, trust, at) VALUES ('a', 1, 2, 'person', 1, 5)`);
    expect(migrate(db).from).toBe(1);
    expect(db.prepare('SELECT withdrawnAt FROM labels').get()).toEqual({ withdrawnAt: null });
  });
});
