import { describe, expect, it } from 'vitest';
import { compose } from '../../gateway/compose.ts';
import { virtualClock } from '../../gateway/link/virtual/clock.ts';
import { createService } from '../../gateway/service.ts';
import { PLOT, PLOT_MONITOR, type Plot, tellStory } from '../../gateway/story.ts';
import { loadTask } from '../../gateway/task.ts';
import { EPOCH_MS } from '../support/loop-world.ts';

const gesture = loadTask('gesture');
const task = { ...gesture, monitor: { ...gesture.monitor, ...PLOT_MONITOR } };

/** The story of two watches in virtual time; training alone takes real time, and is awaited. */
async function told(plot: Partial<Plot> = {}) {
  const clock = virtualClock(EPOCH_MS);
  const gateway = compose({ task, directory: ':memory:', clock, automatic: true, seed: 1 });
  const { store } = gateway;
  const { journal } = store;
  const telling = tellStory(gateway, { ...PLOT, watches: 2, changing: 1, clock, ...plot });
  let ready = false;
  void telling.then(() => {
    ready = true;
  });
  const isTraining = () => {
    const ended = (['gate.refused', 'gate.passed', 'train.failed'] as const).reduce(
      (n, kind) => n + journal.find({ kind }).length,
      0,
    );
    return !ready || journal.find({ kind: 'train.started' }).length > ended;
  };
  const breathe = () => new Promise((resolve) => setImmediate(resolve));
  return {
    ...{ clock, gateway, journal, story: await telling },
    /** Lets virtual time pass until something holds; gives whether it did within so many seconds. */
    async until(holds: () => boolean, seconds: number): Promise<boolean> {
      for (let i = 0; i < 2 * seconds && !holds(); i++) {
        while (isTraining()) await breathe();
        store.flush();
        await clock.advance(500);
        await breathe();
      }
      return holds();
    },
  };
}

describe('tellStory()', () => {
  it('tells of a model that arrives, a wearer that changes, and a watch that heals', async () => {
    const { clock, gateway, journal, story, until } = await told();
    const has = (kind: Parameters<typeof journal.find>[0]) => journal.find(kind).length > 0;
    expect(await until(() => has({ kind: 'rollout.done' }), 60)).toBe(true);
    expect(story.simulated('watch-1')?.wearer).toBe('wearer 1');
    expect(story.simulated('nobody')).toBeUndefined();

    expect(await until(() => has({ kind: 'device.wearer' }), 100)).toBe(true);
    expect(journal.find({ kind: 'device.wearer' }).map(({ subject }) => subject)).toEqual([
      'watch-2',
    ]);
    // before its wearer changed it was right nearly always, and nobody was alarmed
    expect(journal.find({ kind: 'alarm.raised' })).toEqual([]);
    const changedAt = clock.now();
    expect(await until(() => (story.simulated('watch-2')?.accuracy ?? 1) < 0.6, 60)).toBe(true);

    const healed = () =>
      journal.find({ kind: 'rollout.done' }).some(({ data }) => data.scope === 'device:watch-2');
    expect(await until(healed, 180)).toBe(true);
    expect(await until(() => (story.simulated('watch-2')?.accuracy ?? 0) > 0.8, 60)).toBe(true);
    // five minutes are promised for the whole of it
    expect(clock.now() - EPOCH_MS).toBeLessThan(300_000);
    const order = ['device.wearer', 'alarm.raised', 'train.started', 'rollout.started'] as const;
    const firsts = order.map(
      (kind) => journal.find({ kind }).find(({ at }) => at >= changedAt - 1000)?.id ?? 0,
    );
    expect(firsts.every((id) => id > 0)).toBe(true);
    expect(firsts).toEqual([...firsts].sort((a, b) => a - b));
    expect(journal.find({ kind: 'accuracy.changed', subject: 'watch-2' }).length).toBeGreaterThan(
      1,
    );
    // the other watch lost nothing
    expect(story.simulated('watch-1')?.accuracy).toBeGreaterThan(0.8);
    expect(gateway.store.devices.get('watch-1')?.release).toBe(1);
    const { dropped, duplicates, quarantined } = gateway.store.counts();
    expect({ dropped, duplicates, quarantined }).toEqual({
      ...{ dropped: 0, duplicates: 0, quarantined: 0 },
    });
    await story.close();
    await gateway.close();
  });

  it('leaves no timer when it is closed', async () => {
    const { clock, gateway, journal, story, until } = await told({ changeMs: 1000 });
    await until(() => false, 3);
    await story.close();
    await gateway.close();
    const before = story.simulated('watch-1');
    await clock.advance(600_000); // a timer that still lived would ask a closed store
    expect(story.simulated('watch-1')).toEqual(before);
    expect(() => journal.find({})).toThrow();
  });

  it('throws RangeError for a task that is not for synthetic motion', async () => {
    const other = { ...task, classes: ['one', 'two', 'three', 'four', 'five', 'six'] };
    const clock = virtualClock(EPOCH_MS);
    const gateway = compose({
      task: other,
      directory: ':memory:',
      clock,
      automatic: true,
      seed: 1,
    });
    await expect(tellStory(gateway, { ...PLOT, clock })).rejects.toThrow(RangeError);
    await gateway.close();
  });
});

describe('createService() on a gateway with a story', () => {
  it('answers every call with what the gateway knows', async () => {
    const { gateway, story, until, journal } = await told();
    const service = createService(gateway, {
      ...{ sentence: 'two watches', startedAt: EPOCH_MS, simulated: story.simulated },
    });
    const { call } = service;
    await until(() => journal.find({ kind: 'rollout.done' }).length > 0, 60);
    await until(() => false, 8);
    const status = await call.status();
    expect(status).toMatchObject({ sentence: 'two watches', synthetic: true, task: 'gesture' });
    expect(status.devices.map(({ id, connected, state }) => [id, connected, state])).toEqual([
      ['watch-1', true, 'confirmed'],
      ['watch-2', true, 'confirmed'],
    ]);
    const [watch] = status.devices;
    expect(watch).toMatchObject({ scope: 'fleet', wearer: 'wearer 1', release: 1, alarm: null });
    expect(watch!.samples).toBe(gateway.store.samples.count({ device: 'watch-1' }));
    expect(await call.device('watch-1')).toMatchObject({ id: 'watch-1', board: 'banglejs2' });
    await expect(call.device('nobody')).rejects.toMatchObject({ code: 'not-found' });

    const [model] = await call.models();
    expect(model).toMatchObject({ scope: 'fleet', stage: 'champion', rung: 'whole', parent: null });
    expect(model!.parts.map(({ part }) => part)).toEqual(['pre', 'backbone', 'head']);
    expect(await call.model(model!.version.slice(0, 8))).toEqual(model);
    await expect(call.model('xyz')).rejects.toMatchObject({ code: 'not-found' });
    const [rollout] = await call.rollouts();
    expect(rollout).toMatchObject({ stage: 'settled', scope: 'fleet', previous: null });
    for (const device of rollout!.devices) expect(device.wireBytes).toBeGreaterThan(0);

    const newest = gateway.store.samples.latest('watch-1', 20);
    const sample = newest.find((one) => one.label === null)!;
    const name = `watch-1/${sample.session}:${sample.seq}`;
    const adding = call.addLabel({ sample: name, cls: 'upup' });
    gateway.store.flush();
    const label = await adding;
    expect(label).toMatchObject({ sample: name, device: 'watch-1', cls: 'upup', source: 'person' });
    // beside the spot checks of the story's own person
    expect(await call.labels({ device: 'watch-1' })).toContainEqual(label);
    for (const [wrong, code] of [
      [{ sample: 'nonsense', cls: 'upup' }, 'not-found'],
      [{ sample: 'watch-1/1:99999', cls: 'upup' }, 'not-found'],
      [{ sample: name, cls: 'cartwheel' }, 'not-allowed'],
    ] as const) {
      await expect(call.addLabel(wrong)).rejects.toMatchObject({ code });
    }

    const all = await call.events({ limit: 1000 });
    expect(all.map(({ id }) => id)).toEqual(all.map((_, i) => all[0]!.id + i));
    const middle = all[5]!.id;
    expect((await call.events({ since: middle, limit: 3 })).map(({ id }) => id)).toEqual([
      ...[middle + 1, middle + 2, middle + 3],
    ]);
    const refused = await call.train({ scope: 'device:watch-1' });
    expect(refused).toMatchObject({ scope: 'device:watch-1', released: false, version: null });
    await expect(call.train({ scope: 'everyone' })).rejects.toMatchObject({ code: 'not-allowed' });
    await expect(call.promote('xyz')).rejects.toMatchObject({ code: 'not-found' });
    // the fleet has its first model only: without it the watches would have none
    await expect(call.rollback()).rejects.toMatchObject({ code: 'not-allowed' });
    expect((await call.rollouts()).map(({ id, stage }) => [id, stage])).toEqual([
      [rollout!.id, 'settled'],
    ]);
    service.close();
    await story.close();
    await gateway.close();
  });
});
