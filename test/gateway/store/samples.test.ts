import { describe, expect, test } from 'vitest';
import { sample, testStore } from './support.ts';

describe('samples', () => {
  test('add() stores what get() returns, int8 values included', async () => {
    const store = testStore();
    expect(await store.samples.add(sample({ window: Int8Array.of(1, -1, 0) }))).toBe('new');
    const found = store.samples.get({ device: 'w1', session: 7, seq: 1 });
    expect(found).toEqual({
      ...sample({ window: Int8Array.of(1, -1, 0) }),
      ...{ id: 1, label: null, releasedAt: null },
    });
  });

  test('find() reads on through all samples of a device, each once, over a clock that was set back', async () => {
    const store = testStore();
    for (const [i, at] of [5000, 5000, 6000, 100, 100, 200].entries()) {
      await store.samples.add(sample({ seq: i + 1, at }));
    }
    const newest = { device: 'w1', order: 'newest' } as const;
    const all = store.samples.find(newest);
    expect(all.map(({ seq }) => seq)).toEqual([3, 2, 1, 6, 5, 4]);
    for (const limit of [1, 2, 4]) {
      const read = store.samples.find({ ...newest, limit });
      while (read.length < all.length) {
        const page = store.samples.find({ ...newest, limit, before: read.at(-1)! });
        expect(page.length).toBeGreaterThan(0);
        read.push(...page);
      }
      expect(read).toEqual(all);
    }
  });

  test('add() takes bytes for int8 values', async () => {
    const store = testStore();
    await store.samples.add(sample({ embedding: Uint8Array.of(128, 255) }));
    expect(store.samples.get(1)?.embedding).toEqual(Int8Array.of(-128, -1));
  });

  test('add() counts a repeat once as a duplicate and stores nothing', async () => {
    const store = testStore();
    const outcomes = await Promise.all([
      store.samples.add(sample()),
      store.samples.add(sample({ at: 2000 })),
    ]);
    expect(outcomes).toEqual(['new', 'duplicate']);
    expect(store.counts()).toMatchObject({ samples: 1, duplicates: 1 });
    expect(store.samples.get(1)?.at).toBe(1000);
  });

  test('add() fills in what a repeat carries and the stored sample lacks', async () => {
    const store = testStore();
    await store.samples.add(sample({ embedding: null }));
    const outcome = await store.samples.add(
      sample({ window: Int8Array.of(4, 5, 6), label: 4, quarantine: 'stuck sensor', cls: 5 }),
    );
    expect(outcome).toBe('merged');
    expect(store.samples.get(1)).toMatchObject({
      ...{ cls: 2, embedding: Int8Array.of(-128, 5, 127), window: Int8Array.of(4, 5, 6) },
      ...{ quarantine: 'stuck sensor', label: { cls: 4, source: 'device' } },
    });
    expect(store.counts().duplicates).toBe(0);
  });

  test('add() never overwrites a window that is there', async () => {
    const store = testStore();
    await store.samples.add(sample({ window: Int8Array.of(1, 2, 3) }));
    expect(await store.samples.add(sample({ window: Int8Array.of(9, 9, 9) }))).toBe('duplicate');
    expect(store.samples.get(1)?.window).toEqual(Int8Array.of(1, 2, 3));
  });

  test('add() refuses a sample that is no sample, and the group with it goes on', async () => {
    const store = testStore();
    expect(() => store.samples.add(sample({ seq: 1.5 }))).toThrow(TypeError);
    expect(() => store.samples.add(sample({ device: '' }))).toThrow(TypeError);
    const label = store.labels.add({ sample: 99, cls: 1, source: 'person', trust: 1, at: 1 });
    const good = store.samples.add(sample());
    await expect(label).rejects.toMatchObject({ code: 'not-found' });
    expect(await good).toBe('new');
  });

  test('add() resolves only after the commit', async () => {
    let commit = () => {};
    const store = testStore({
      schedule: (callback) => {
        commit = callback;
      },
    });
    let acknowledged = 0;
    const both = [1, 2].map((seq) =>
      store.samples.add(sample({ seq })).then(() => {
        acknowledged++;
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([acknowledged, store.waiting, store.counts().samples]).toEqual([0, 2, 0]);
    commit();
    await Promise.all(both);
    expect([acknowledged, store.waiting, store.counts().samples]).toEqual([2, 0, 2]);
  });

  test('add() commits at once when the group is full', async () => {
    const store = testStore({ schedule: () => {}, maxGroup: 3 });
    await Promise.all([1, 2, 3].map((seq) => store.samples.add(sample({ seq }))));
    expect(store.counts().samples).toBe(3);
  });

  test('add() goes on behind what was written between two groups: an erasure, a gap given up', async () => {
    const store = testStore();
    for (const seq of [1, 2, 3]) await store.samples.add(sample({ seq }));
    store.erase({ device: 'w1' });
    expect(await store.samples.add(sample({ seq: 1 }))).toBe('new');
    expect(await store.samples.add(sample({ seq: 3 }))).toBe('new');
    expect(store.samples.progress('w1', 7)).toMatchObject({ acked: 1, highest: 3, duplicates: 0 });
    store.samples.noteDropped('w1', 7, 1, 3);
    expect(await store.samples.add(sample({ seq: 4 }))).toBe('new');
    expect(store.samples.progress('w1', 7)).toMatchObject({ acked: 4, dropped: 1 });
    expect(store.samples.stored('w1')).toBe(3);
  });

  test('add() stores again what was rolled back with another write of its group', async () => {
    const store = testStore();
    expect(await store.samples.add(sample({ seq: 1 }))).toBe('new');
    const outcomes = await Promise.allSettled([
      store.samples.add(sample({ seq: 2 })),
      store.labels.add({ sample: 99, cls: 1, source: 'person', trust: 1, at: 1 }),
      store.samples.add(sample({ seq: 4 })),
    ]);
    expect(outcomes.map((one) => (one.status === 'fulfilled' ? one.value : 'refused'))).toEqual([
      ...['new', 'refused', 'new'],
    ]);
    expect(store.samples.progress('w1', 7)).toMatchObject({ acked: 2, highest: 4, duplicates: 0 });
    expect(store.samples.stored('w1')).toBe(3);
  });

  test('progress() acknowledges up to the first gap and past it once it is filled', async () => {
    const store = testStore();
    for (const seq of [1, 2, 5, 4]) await store.samples.add(sample({ seq }));
    expect(store.samples.progress('w1', 7)).toMatchObject({ acked: 2, highest: 5 });
    await store.samples.add(sample({ seq: 3 }));
    expect(store.samples.progress('w1', 7)).toMatchObject({ acked: 5, highest: 5 });
    expect(store.samples.progress('w1', 8)).toMatchObject({ acked: 0, highest: 0 });
  });

  test('known() tells a link what is stored or lost, and what is stored beyond', async () => {
    const store = testStore();
    for (const seq of [1, 2, 5, 6, 9]) await store.samples.add(sample({ seq }));
    expect(store.samples.known('w1', 7)).toEqual({ ackSeq: 2, beyond: [5, 6, 9] });
    store.samples.noteDropped('w1', 7, 2, 5);
    expect(store.samples.known('w1', 7)).toEqual({ ackSeq: 6, beyond: [9] });
    expect(store.samples.known('w1', 8)).toEqual({ ackSeq: 0, beyond: [] });
  });

  test('noteDropped() keeps the highest count of each session', () => {
    const store = testStore();
    store.samples.noteDropped('w1', 7, 4);
    store.samples.noteDropped('w1', 7, 3);
    store.samples.noteDropped('w1', 8, 2);
    expect(store.samples.progress('w1', 7).dropped).toBe(4);
    expect(store.counts().dropped).toBe(6);
  });

  test('find() and count() honour every condition', async () => {
    const store = testStore();
    const { samples, labels } = store;
    await samples.add(sample({ seq: 1, at: 10, release: 1, version: 'a' }));
    await samples.add(sample({ seq: 2, at: 20, quarantine: 'dead sensor' }));
    await samples.add(sample({ seq: 3, at: 30, device: 'w2', window: Int8Array.of(1) }));
    await samples.add(sample({ seq: 4, at: 40, task: 'gas', embedding: null }));
    await labels.add({ sample: 2, cls: 1, source: 'person', trust: 1, at: 5 });
    await labels.add({ sample: 3, cls: 1, source: 'person', trust: 1, at: 5 });
    const ids = (filter: Parameters<typeof samples.find>[0]) => {
      const found = samples.find(filter).map((s) => s.id);
      expect(samples.count(filter)).toBe(found.length);
      return found;
    };
    expect(ids({})).toEqual([1, 2, 3, 4]);
    expect(ids({ device: 'w1' })).toEqual([1, 2, 4]);
    expect(ids({ devices: ['w2', 'w9'] })).toEqual([3]);
    expect(ids({ release: 1 })).toEqual([1]);
    expect(ids({ version: 'v3' })).toEqual([2, 3, 4]);
    expect(ids({ since: 20, until: 40 })).toEqual([2, 3]);
    expect(ids({ afterId: 2 })).toEqual([3, 4]);
    expect(ids({ task: 'gas' })).toEqual([4]);
    expect(ids({ labelled: true })).toEqual([2, 3]);
    expect(ids({ labelled: false })).toEqual([1, 4]);
    expect(ids({ quarantined: true })).toEqual([2]);
    expect(ids({ quarantined: false })).toEqual([1, 3, 4]);
    expect(ids({ withWindow: true })).toEqual([3]);
    expect(ids({ withEmbedding: false })).toEqual([4]);
    expect(samples.latest('w1', 2).map((s) => s.id)).toEqual([4, 2]);
    expect(samples.labelled({}).map((s) => s.id)).toEqual([3]);
  });

  test('release() makes a quarantined sample count again and leaves its reason visible', async () => {
    const store = testStore();
    await store.samples.add(sample({ quarantine: 'dead sensor', label: 1 }));
    expect(store.samples.labelled({})).toEqual([]);
    store.samples.release(1, 6000);
    expect(store.samples.labelled({})[0]).toMatchObject({
      ...{ quarantine: 'dead sensor', releasedAt: 6000 },
    });
    expect(store.counts().quarantined).toBe(0);
    expect(() => store.samples.release(1, 7000)).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
  });
});
