import { describe, expect, it } from 'vitest';
import { championOf, gather, membersOf } from '../../gateway/dataset.ts';
import { importRecordings } from '../../gateway/imports.ts';
import type { Recording } from '../../gateway/recordings.ts';
import type { Scope } from '../../gateway/registry/manifest.ts';
import { openRegistry, type Registry } from '../../gateway/registry/registry.ts';
import { memorySigner } from '../../gateway/registry/signing.ts';
import type { Store } from '../../gateway/store/store.ts';
import { encodeModel } from '../../gateway/train/model.ts';
import { trainRung } from '../../gateway/train/rungs.ts';
import { said, twoPeople } from '../support/people.ts';
import { quickTask } from '../support/tasks.ts';
import { meta } from './registry/support.ts';
import { testStore } from './store/support.ts';

const task = quickTask();
const { ann, bob } = twoPeople(task, 4, 3);
const taught = { fresh: ann.learn, old: [], recent: [] };
const { model } = await trainRung('whole', task, null, taught, { seed: 1 });
const fleet: Scope = { kind: 'fleet', id: '' };
const device = (id: string): Scope => ({ kind: 'device', id });

/** A gateway's memory: recordings, a champion of the fleet registered at 1000, two devices. */
async function memory() {
  const store = testStore();
  const registry = openRegistry(store, memorySigner(), () => 1000);
  await importRecordings(store, task, 'recordings', ann.learn, 500);
  for (const id of ['w1', 'w2']) {
    store.devices.hello({
      ...{ id, board: 'b', task: task.name, tier: 't', session: 1, release: 1, version: null },
      ...{ state: 1, at: 600 },
    });
  }
  const evidence = { candidate: 0.9, windows: 10 };
  const version = registry.register(
    encodeModel(model),
    { ...meta({ scope: fleet }), task: task.name },
    { evidence },
  );
  registry.setStage(version, 'trial', { who: 'test', why: '' });
  registry.setStage(version, 'champion', { who: 'test', why: '' });
  return { store, registry, version, task };
}

/** Windows of a device, labelled when they came. */
async function wears(store: Store, id: string, windows: readonly Recording[], at: number) {
  const session = 1 + store.samples.count({ device: id });
  for (const [i, { window, length, cls }] of windows.entries()) {
    await store.samples.add({
      ...{ device: id, session, seq: i + 1, task: task.name, at: at + i, t: i * 5000, release: 1 },
      ...{ version: null, cls: 0, score: 9, length, embedding: null, label: cls },
      ...{ window: window.slice(0, length * 3), quarantine: null },
    });
  }
}

const classes = (examples: readonly { cls: number }[]) => examples.map(({ cls }) => cls);

describe('membersOf() and championOf()', () => {
  it('say whom a scope means and what it runs', async () => {
    const { store, registry, version } = await memory();
    store.devices.setCohort('w2', 'left');
    expect(membersOf(store, task.name, fleet)).toEqual(['w1', 'w2']);
    expect(membersOf(store, task.name, { kind: 'cohort', id: 'left' })).toEqual(['w2']);
    expect(membersOf(store, task.name, device('w1'))).toEqual(['w1']);
    expect(membersOf(store, 'other', fleet)).toEqual([]);
    expect(championOf(registry, task.name, device('w1'))).toBe(version);
    expect(championOf(registry, 'other', fleet)).toBeNull();
  });
});

describe('gather()', () => {
  it('lets everything teach a first model', async () => {
    const { store } = await memory();
    const registry = { champion: () => undefined } as unknown as Registry;
    const all = gather({ store, registry, task }, fleet, () => 0, 1);
    expect(all.champion).toBeNull();
    expect(classes(all.data.fresh)).toEqual(classes(ann.learn));
    expect([all.data.old, all.championSaid]).toEqual([[], []]);
  });

  it('lets a device’s own windows teach its head, and others the classes it has not', async () => {
    const parts = await memory();
    const known = bob.learn.filter(({ cls }) => cls !== 4);
    await wears(parts.store, 'w1', known, 2000);
    await wears(parts.store, 'w2', ann.test.slice(0, 6), 2000);
    const { data, regimes, champion, championSaid, samples } = gather(
      parts,
      device('w1'),
      () => 0,
      1,
    );
    expect(classes(data.fresh)).toEqual(classes(known));
    expect(new Set(classes(data.old))).toEqual(new Set([4]));
    expect(regimes.map(({ name }) => name)).toEqual(['recordings']);
    expect(champion).toMatchObject({ version: parts.version, reference: 0.9 });
    expect(championSaid).toEqual(said(model, known));
    expect(data.recent.length).toBe(known.length);
    expect(samples.length).toBe(data.fresh.length + data.old.length);
  });

  it('compares new labels with what taught the version that runs, not with later labels', async () => {
    const parts = await memory();
    const before = gather(parts, device('w1'), () => 3000, 1).memory.length;
    expect(before).toBeGreaterThan(0);
    await wears(parts.store, 'w1', ann.test.slice(0, 10), 2000);
    await wears(parts.store, 'w1', bob.learn, 3000);
    const { memory: compared, data } = gather(parts, device('w1'), () => 3000, 1);
    expect(data.fresh.length).toBe(bob.learn.length);
    expect(compared.length).toBe(before);
  });

  it('compares new labels with none that the version that runs contradicts, though it came after', async () => {
    const parts = await memory();
    const right = ann.test.slice(0, 10).filter(({ cls }, i, all) => said(model, all)[i] === cls);
    const mixed = right.map((one) => ({ ...one, cls: (one.cls + 1) % task.classes.length }));
    expect(right.length).toBeGreaterThan(5);
    const of = async (windows: readonly Recording[], id: string): Promise<number> => {
      await wears(parts.store, id, windows, 700); // before it was registered
      return gather(parts, fleet, () => 3000, 1).memory.length;
    };
    const before = gather(parts, fleet, () => 3000, 1).memory.length;
    expect(await of(right, 'w1')).toBe(before + right.length);
    expect(await of(mixed, 'w2')).toBe(before + right.length);
  });

  it('takes what came before the regime as old, and windows as long as the task’s', async () => {
    const parts = await memory();
    await wears(parts.store, 'w1', ann.test.slice(0, 10), 2000);
    await wears(parts.store, 'w1', bob.learn, 3000);
    const since = (id: string) => (id === 'w1' ? 3000 : 0);
    const { data } = gather(parts, device('w1'), since, 1);
    expect(classes(data.fresh)).toEqual(classes(bob.learn));
    data.fresh.forEach(({ window, length }, i) => {
      expect(window.length).toBe(150);
      expect([window, length]).toEqual([bob.learn[i]!.window, bob.learn[i]!.length]);
    });
    expect(data.recent.length).toBe(bob.learn.length);
  });

  it('rehearses earlier windows for all, and keeps some of them to judge by', async () => {
    const parts = await memory();
    await wears(parts.store, 'w1', bob.learn, 2000);
    const { data, regimes, samples } = gather(parts, fleet, () => 0, 1);
    expect(classes(data.fresh)).toEqual(classes(bob.learn));
    expect(regimes.map(({ name }) => name)).toEqual(['recordings']);
    const judging = regimes[0]!.examples;
    expect(data.old.length + judging.length).toBe(ann.learn.length);
    expect(judging.length).toBeGreaterThan(0);
    expect(samples.length).toBe(data.fresh.length + data.old.length);
    // what judges has not taught
    const taught = new Set(data.old.map(({ window }) => window.join()));
    expect(judging.some(({ window }) => taught.has(window.join()))).toBe(false);
    expect(gather(parts, fleet, () => 0, 1)).toEqual(gather(parts, fleet, () => 0, 1));
  });

  it('lets no window judge the champion that the champion was trained on', async () => {
    const parts = await memory();
    await wears(parts.store, 'w1', ann.learn.slice(0, 5), 100); // labelled before it was registered
    await wears(parts.store, 'w1', bob.learn.slice(0, 5), 2000);
    const { championSaid } = gather(parts, device('w1'), () => 0, 1);
    expect(championSaid.slice(0, 5)).toEqual([-1, -1, -1, -1, -1]);
    expect(championSaid.slice(5)).toEqual(said(model, bob.learn.slice(0, 5)));
  });
});
