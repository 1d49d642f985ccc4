import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { compose } from '../../gateway/compose.ts';
import { virtualClock } from '../../gateway/link/virtual/clock.ts';
import type { Recording } from '../../gateway/recordings.ts';
import { EPOCH_MS, type LoopWorld, loopWorld, temporary } from '../support/loop-world.ts';
import { twoPeople } from '../support/people.ts';
import { quickTask } from '../support/tasks.ts';
import { meta, parts } from './registry/support.ts';

const rollout = { canaryShare: 0.34, soakWindows: 3, trialWindows: 40 };
const task = quickTask({
  rollout,
  send: { confidentOneIn: 1, uncertainBelow: 48, rawOneIn: 0 },
  monitor: { referenceWindows: 20, recentWindows: 10, falseAlarm: 0.0001, minLabels: 5 },
});
const { ann, bob } = twoPeople(task, 12, 10);
const ids = ['w1', 'w2'];
const options = { task, clock: virtualClock(EPOCH_MS), automatic: false, seed: 1 };

/** Everything that the devices saw is stored, once. */
function lostAndTwice(world: LoopWorld): [number, number] {
  const seen = ids.reduce((sum, id) => sum + world.device(id).predictions.length, 0);
  const { samples, dropped } = world.store.counts();
  const imported = world.store.samples.count({ device: 'recordings' });
  return [seen - (samples - imported) - dropped, Math.max(0, samples - imported - seen)];
}

/** A world whose first rollout has begun; nothing of it has travelled yet. */
async function begun(): Promise<{ world: LoopWorld; release: number; rollout: string }> {
  const world = await loopWorld({ task, ids });
  await world.step();
  await world.learn(ann.learn);
  const healed = await world.loop.heal({ kind: 'fleet', id: '' });
  const release = world.gateway.registry.latestRelease(healed.version!)!;
  return { world, release, rollout: healed.rollout! };
}

async function drive(world: LoopWorld, rollout: string, windows: readonly Recording[]) {
  for (let i = 0; i < 60 && !world.isKilled; i++) {
    if (world.loop.rollouts.get(rollout)!.stage === 'settled') return;
    await world.feed([windows[i % windows.length]!]);
  }
}

describe('a gateway killed in the middle of a rollout', () => {
  it('finishes it after a restart, whichever frame was its last', async () => {
    // how many frames a whole rollout takes, from the offer to the last acknowledgement
    const whole = await begun();
    const from = whole.world.written;
    await drive(whole.world, whole.rollout, ann.test);
    const frames = whole.world.written - from;
    expect(frames).toBeGreaterThan(20);
    expect(whole.world.loop.rollouts.get(whole.rollout)?.stage).toBe('settled');

    const stages = new Set<string>();
    for (let frame = 1; frame <= frames; frame++) {
      const { world, release, rollout: id } = await begun();
      world.killAfter(frame);
      await drive(world, id, ann.test);
      expect(world.isKilled, `frame ${frame}`).toBe(true);
      for (const state of await world.revive()) {
        stages.add(state.stage);
        for (const { stage } of Object.values(state.members)) stages.add(stage);
      }
      expect(await world.finish(id, ann.test), `frame ${frame}`).toBe('settled');
      for (let i = 0; i < 10; i++) await world.step();
      const runs = world.store.devices.list().map(({ release: r, state: s }) => [r, s]);
      expect(runs, `frame ${frame}`).toEqual(ids.map(() => [release, 1]));
      expect(lostAndTwice(world), `frame ${frame}`).toEqual([0, 0]);
      const tests = world.events({ kind: 'device.selftest' });
      expect(tests.every(({ data }) => data.equal === true)).toBe(true);
      await world.end();
    }
    // the kills met the rollout in every stage that a gateway can be killed in
    for (const stage of ['canary', 'rest', 'waiting', 'transferring', 'trial', 'confirming']) {
      expect([...stages], stage).toContain(stage);
    }
  });
});

describe('a gateway that ends in order', () => {
  it('goes on where it was: rollout, regimes, alarm and what the monitor knows', async () => {
    const { world, rollout: id } = await begun();
    await world.feed(ann.test.slice(0, 2));
    expect(world.loop.rollouts.get(id)?.stage).toBe('canary');
    await world.restart();
    expect(await world.finish(id, ann.test)).toBe('settled');
    await world.feed(ann.test.slice(0, 30));
    const quiet = world.gateway.monitor.state();
    await world.restart();
    await world.step();
    expect(world.gateway.monitor.state()).toEqual(quiet);
    for (let i = 0; world.gateway.monitor.alarmOf('w1') === null && i < 60; i++) {
      await world.feed([bob.learn[i % bob.learn.length]!], ['w1']);
    }
    const alarm = world.gateway.monitor.alarmOf('w1');
    expect(alarm).not.toBeNull();
    const regime = world.loop.regime('w1');
    expect(regime).toBe(alarm!.since);
    await world.restart();
    await world.step();
    await world.feed(bob.learn.slice(0, 3), ['w1']);
    // a confirmed release that says hello again is no new one: the episode goes on
    expect(world.gateway.monitor.alarmOf('w1')).toEqual(alarm);
    expect(world.loop.regime('w1')).toBe(regime);
    expect(world.events({ kind: 'alarm.raised' }).length).toBe(1);
    expect(world.events({ kind: 'alarm.ended' })).toEqual([]);
    expect(lostAndTwice(world)).toEqual([0, 0]);
  });

  it('remembers an alarm even when it is killed', async () => {
    const { world, rollout: id } = await begun();
    await world.finish(id, ann.test);
    await world.feed(ann.test.slice(0, 30));
    for (let i = 0; world.gateway.monitor.alarmOf('w1') === null && i < 60; i++) {
      await world.feed([bob.learn[i % bob.learn.length]!], ['w1']);
    }
    const alarm = world.gateway.monitor.alarmOf('w1');
    world.store.flush();
    world.takeImage();
    await world.revive();
    await world.step();
    expect(alarm).not.toBeNull();
    expect(world.gateway.monitor.alarmOf('w1')).toEqual(alarm);
  });
});

describe('compose()', () => {
  it('gives its directory free when it is closed, and keeps its key', async () => {
    const directory = join(temporary(), 'new', 'data');
    const first = compose({ ...options, directory });
    expect(() => compose({ ...options, directory })).toThrow(
      expect.objectContaining({ code: 'in-use' }),
    );
    await first.close();
    await first.close(); // once more does no harm
    const again = compose({ ...options, directory });
    expect(existsSync(join(directory, 'key.pem'))).toBe(true);
    expect(again.store.gateway).toBe(first.store.gateway);
    await again.close();
  });

  it('refuses a directory that has data of another task, says which, and leaves it as it was', async () => {
    const directory = join(temporary(), 'data');
    const other = { ...options, directory, task: { ...task, name: 'other' } };
    const first = compose({ ...options, directory });
    const said = { release: 1, version: null, cls: 2, score: 9, length: 20, label: null };
    const bytes = { embedding: null, window: null, quarantine: null };
    const key = { device: 'w1', session: 1, task: task.name, at: 1, t: 1 };
    await first.close();
    await compose(other).close(); // it is empty yet
    const again = compose({ ...options, directory });
    const added = again.store.samples.add({ ...key, seq: 1, ...said, ...bytes });
    again.store.flush();
    await added;
    const version = again.registry.register(parts(), meta({ task: task.name }), null);
    await again.close();
    expect(() => compose(other)).toThrow(
      expect.objectContaining({
        code: 'bad-task',
        message: `the data directory holds 1 window and 1 model of task '${task.name}'; task 'other' uses none of them`,
        hint: `begin in another --data-dir; to go on with them: --task ${task.name}, or a task file whose name is '${task.name}'`,
      }),
    );
    const kept = compose({ ...options, directory });
    expect(kept.store.counts().samples).toBe(1);
    expect(kept.registry.list()).toMatchObject([{ version }]);
    // a store in which both are is older than this rule
    kept.registry.register(parts(2), meta({ task: 'other' }), null);
    await kept.close();
    await compose(other).close();
  });

  it.each(['trial', 'champion'] as const)(
    'starts though the manifest of its %s is damaged',
    async (stage) => {
      const directory = join(temporary(), 'data');
      const first = compose({ ...options, directory });
      const version = first.registry.register(parts(), meta({ task: task.name }), null);
      const because = { who: 'test', why: 'test' };
      first.registry.setStage(version, 'trial', because);
      if (stage === 'champion') first.registry.setStage(version, stage, because);
      await first.close();
      const db = new DatabaseSync(join(directory, 'store.db'));
      db.prepare('UPDATE models SET manifest = ?').run(Uint8Array.of(0));
      db.close();
      const again = compose({ ...options, directory });
      expect(again.registry.verify(version)).toMatchObject({ ok: false });
      await again.close();
      const other = { ...options, directory, task: { ...task, name: 'other' } };
      expect(() => compose(other)).toThrow(/1 model of task 'gesture'/);
    },
  );

  it('keeps nothing in memory', async () => {
    const gateway = compose({ ...options, directory: ':memory:' });
    expect(gateway.store.counts().samples).toBe(0);
    await gateway.close();
  });

  it('leaves no timer behind', async () => {
    const clock = virtualClock(EPOCH_MS);
    const gateway = compose({ ...options, clock, directory: ':memory:' });
    await gateway.close();
    // a timer that still lived would ask a closed store
    await clock.advance(600_000);
  });
});
