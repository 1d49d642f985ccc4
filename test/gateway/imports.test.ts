import { describe, expect, it } from 'vitest';
import { importRecordings } from '../../gateway/imports.ts';
import { twoPeople } from '../support/people.ts';
import { quickTask } from '../support/tasks.ts';
import { testStore } from './store/support.ts';

const task = quickTask();
const { ann, bob } = twoPeople(task, 3, 2);

describe('importRecordings()', () => {
  it('stores labelled windows as samples of a device that is none', async () => {
    const store = testStore();
    const done = await importRecordings(store, task, 'recordings:ann', ann.learn, 1234);
    expect(done).toEqual({ stored: 18, quarantined: 0 });
    const samples = store.samples.labelled({ task: task.name, withWindow: true });
    expect(samples.map(({ label }) => label.cls)).toEqual(ann.learn.map(({ cls }) => cls));
    samples.forEach(({ window, length, at, device, release, version }, i) => {
      expect(window).toEqual(ann.learn[i]!.window.slice(0, length * 3));
      expect({ at, device, release, version }).toEqual({
        ...{ at: 1234, device: 'recordings:ann', release: 0, version: null },
      });
    });
    expect(store.devices.list()).toEqual([]);
  });

  it('adds a second folder of the same name instead of merging it', async () => {
    const store = testStore();
    await importRecordings(store, task, 'recordings', ann.learn, 1);
    await importRecordings(store, task, 'recordings', bob.learn, 2);
    expect(store.counts()).toMatchObject({ samples: 18 + 12, duplicates: 0 });
  });

  it('sets aside what the check does not believe, and says how many', async () => {
    const store = testStore();
    const dead = { ...ann.learn[0]!, window: new Int8Array(150), length: 50 };
    const done = await importRecordings(store, task, 'recordings', [dead, ...bob.learn], 1);
    expect(done).toEqual({ stored: 13, quarantined: 1 });
    expect(store.samples.labelled({ task: task.name }).length).toBe(12);
    expect(store.samples.find({ quarantined: true })[0]?.quarantine).toBe('dead sensor');
  });

  it('stores nothing of nothing', async () => {
    expect(await importRecordings(testStore(), task, 'none', [], 1)).toEqual({
      ...{ stored: 0, quarantined: 0 },
    });
  });
});
