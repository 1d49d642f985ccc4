import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Composed } from '../../gateway/compose.ts';
import { modelBytes } from '../../gateway/heal.ts';
import type { Recording } from '../../gateway/recordings.ts';
import type { Scope } from '../../gateway/registry/manifest.ts';
import type { Task } from '../../gateway/task.ts';
import { createPredictor } from '../../gateway/train/model.ts';
import { modelOf, reportOf } from '../../gateway/versions.ts';
import { type LoopWorld, loopWorld } from '../support/loop-world.ts';
import { twoPeople } from '../support/people.ts';
import { quickTask } from '../support/tasks.ts';

const rollout = { canaryShare: 0.34, soakWindows: 3, trialWindows: 40 };
const task = quickTask({ rollout });
const { ann, bob } = twoPeople(task, 12, 10);

async function taught(ids: string[], of: Task = task, automatic = false): Promise<LoopWorld> {
  const world = await loopWorld({ task: of, ids, automatic });
  await world.step();
  await world.teach(ann.learn, ann.test);
  return world;
}

/** Bob wears some watches: they see his windows, and somebody says what each was. */
async function bobWears(world: LoopWorld, ids: string[], windows: readonly Recording[]) {
  for (const recording of windows) {
    await world.feed([recording], ids);
    for (const id of ids) {
      const [sample] = world.store.samples.latest(id, 1);
      const { cls } = recording;
      const truth = world.loop.truth({ sample: sample!.id, cls, source: 'person', trust: 1 });
      world.store.flush();
      await truth;
    }
  }
  await world.step();
}

/** Who wears what, once Bob has come. */
const worn = { mover: bob.test, second: bob.test };

const deviceScope = (id: string): Scope => ({ kind: 'device', id });
const fleet: Scope = { kind: 'fleet', id: '' };
const partsOf = ({ registry }: Composed, version: string) => registry.get(version).manifest.parts;

describe('heal() for one device', () => {
  it('gives the new wearer a head and leaves everybody else as they were', async () => {
    const world = await taught(['keeper', 'other', 'mover']);
    const others = () =>
      world.store.devices
        .list()
        .filter(({ id }) => id !== 'mover')
        .map(({ id, release, version, session }) => [id, release, version, session]);
    const before = others();
    const first = world.store.devices.get('keeper')!.version!;
    const predict = createPredictor(world.gateway.registry.parts(first));
    expect(await world.accuracyOf('mover', bob.test.slice(0, 20))).toBeLessThan(0.6);
    await bobWears(world, ['mover'], bob.learn.slice(0, 30));
    const healed = await world.loop.heal(deviceScope('mover'));
    expect(healed).toMatchObject({ scope: deviceScope('mover'), version: expect.any(String) });
    const stage = await world.finish(healed.rollout!, ann.test, worn);
    expect(stage).toBe('settled');

    expect(others()).toEqual(before);
    const mover = world.store.devices.get('mover')!;
    expect(mover.version).toBe(healed.version);
    for (const id of ['keeper', 'other']) {
      for (const { window, length } of [...ann.test.slice(0, 10), ...bob.test.slice(0, 10)]) {
        const { cls, score } = predict(window, length);
        expect(world.device(id).feedWindow(window, length)).toEqual({ cls, score });
        await world.step();
      }
    }
    expect(await world.accuracyOf('mover', bob.test)).toBeGreaterThan(0.85);
    expect(await world.accuracyOf('keeper', ann.test)).toBeGreaterThan(0.9);
    const members = Object.keys(world.loop.rollouts.get(healed.rollout!)!.members);
    expect(members).toEqual(['mover']);
  });

  it('sends only the part that changed, and registers where it came from', async () => {
    const world = await taught(['keeper', 'mover']);
    const first = world.store.devices.get('mover')!.version!;
    await bobWears(world, ['mover'], bob.learn.slice(0, 30));
    const { version, rollout: id, attempts } = await world.loop.heal(deviceScope('mover'));
    await world.finish(id!, ann.test, worn);
    const { registry } = world.gateway;
    const [a, b] = [partsOf(world.gateway, first), partsOf(world.gateway, version!)];
    expect(attempts.map(({ rung }) => rung)).toEqual(['pre', 'head']);
    expect([b.pre, b.backbone]).toEqual([a.pre, a.backbone]);
    expect(b.head.sha256).not.toBe(a.head.sha256);
    const { manifest, report } = registry.get(version!);
    expect(manifest).toMatchObject({
      ...{ parent: first, scope: deviceScope('mover'), task: 'gesture' },
      lineage: { rung: 'head', seed: 1 },
    });
    expect(registry.verify(version!)).toEqual({ ok: true });
    expect(reportOf(world.gateway.registry, version!)).toEqual(report);
    expect(modelOf(registry, version!).reference).toBe(
      reportOf(registry, version!)!.evidence.candidate,
    );
    // there and back, with frames and offer, but without the parts that are there already
    const release = registry.latestRelease(version!)!;
    const wire = world.loop.wireBytes(release);
    const whole = modelBytes(registry.parts(version!));
    expect(wire).toBeGreaterThan(b.head.length);
    expect(wire).toBeLessThan(2 * whole);
    expect(world.loop.wireBytes(release, 'keeper')).toBe(0);
    expect(world.loop.wireBytes(release, 'mover')).toBe(wire);
  });

  it('tells what happened, in order', async () => {
    const world = await taught(['mover']);
    const from = world.events({ order: 'newest', limit: 1 })[0]!.id;
    await bobWears(world, ['mover'], bob.learn.slice(0, 30));
    const { rollout: id } = await world.loop.heal(deviceScope('mover'));
    await world.finish(id!, bob.test);
    const told = world.events({ afterId: from }).map(({ kind }) => kind);
    const story = [
      ...['label.added', 'train.started', 'train.finished', 'gate.passed', 'model.registered'],
      ...['model.released', 'rollout.started', 'device.selftest', 'rollout.done'],
    ] as const;
    const places = story.map((kind) => told.indexOf(kind));
    expect(
      places.every((at) => at >= 0),
      String(places),
    ).toBe(true);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    const tests = world.events({ kind: 'device.selftest' });
    expect(tests.every(({ data }) => data.equal === true)).toBe(true);
  });

  it('does nothing without a label, and says why', async () => {
    const world = await taught(['mover']);
    const before = world.gateway.registry.list().length;
    const healed = await world.loop.heal(deviceScope('mover'));
    expect(healed).toMatchObject({
      ...{ version: null, rollout: null, attempts: [] },
      reason: 'there is no labelled window to learn from',
    });
    expect(world.gateway.registry.list().length).toBe(before);
    expect(world.events({ kind: 'gate.refused' }).at(-1)?.data).toMatchObject({
      scope: 'device:mover',
    });
  });

  it('does nothing without a label and a model, and says why', async () => {
    const world = await loopWorld({ task, ids: ['mover'] });
    const healed = await world.loop.heal({ kind: 'fleet', id: '' });
    expect(healed).toMatchObject({
      ...{ version: null, rollout: null, attempts: [] },
      reason: 'there is no labelled window to learn from',
    });
  });

  it('reaches a device whose first model was stopped while it was on trial', async () => {
    const world = await loopWorld({ task, ids: ['mover'] });
    await world.step();
    await world.learn(ann.learn);
    const { rollout: first } = await world.loop.heal(fleet);
    const stageOf = (id: string) => world.loop.rollouts.get(id)!.members.mover?.stage;
    for (let i = 0; i < 20 && stageOf(first!) !== 'trial'; i++) await world.step();
    expect(stageOf(first!)).toBe('trial');
    world.loop.rollouts.stop(first!, { who: 'the test', why: 'too early' });
    expect(await world.finish(first!, ann.test)).toBe('returned');
    // there is no model to go back to: it keeps what it has, and takes the next
    expect(world.store.devices.get('mover')).toMatchObject({ release: 1, state: 1 });
    const { rollout: second } = await world.loop.heal(fleet);
    expect(await world.finish(second!, ann.test)).toBe('settled');
    expect(world.store.devices.get('mover')).toMatchObject({ release: 2, state: 1 });
  });

  it('asks for labels where the gate needs more to decide, until its budget is used up', async () => {
    const raw = { ...task, send: { ...task.send, rawOneIn: 1 } };
    const world = await taught(['mover'], {
      ...raw,
      labels: { ...raw.labels, askedToSettle: 15 },
    });
    const { store } = world;
    const open = () => store.samples.find({ device: 'mover', asked: true, labelled: false });
    const [cls] = bob.learn.map((one) => one.cls);
    await bobWears(world, ['mover'], bob.learn.filter((one) => one.cls === cls).slice(0, 6));
    const unseen = bob.test.slice(0, 40);
    const at = world.clock.now();
    await world.feed(unseen, ['mover']);
    const seen = store.samples.find({ device: 'mover', since: at, order: 'oldest' });
    const healed = await world.loop.heal(deviceScope('mover'));
    expect(healed).toMatchObject({ version: null, asked: task.training.minLabels });
    expect(healed.reason).toMatch(
      /hardly any is of .*: 12 windows are asked for, see labels --asked$/,
    );
    expect(open()).toHaveLength(12);
    expect(new Set(open().map(({ id }) => classOf(id))).size).toBeGreaterThan(3);

    // asked again it waits for those; answered, three are left of its budget
    expect(await world.loop.heal(deviceScope('mover'))).toMatchObject({ asked: 12 });
    expect(open()).toHaveLength(12);
    function classOf(id: number): number {
      return unseen[seen.findIndex((sample) => sample.id === id)]!.cls;
    }
    for (const { id } of open()) {
      const wrong = (classOf(id) + 1 + (id % 5)) % task.classes.length;
      const truth = world.loop.truth({ sample: id, cls: wrong, source: 'person', trust: 1 });
      store.flush();
      await truth;
    }
    const again = await world.loop.heal(deviceScope('mover'));
    expect(again).toMatchObject({ version: null, asked: 3 });
    expect(world.events({ kind: 'label.asked' })).toHaveLength(2);
  });

  it('asks for nothing where it refused for another reason', async () => {
    const world = await taught(['mover'], { ...task, send: { ...task.send, rawOneIn: 1 } });
    await bobWears(world, ['mover'], ann.test.slice(0, 8));
    await world.feed(ann.test.slice(8, 30), ['mover']);
    expect(await world.loop.heal(deviceScope('mover'))).toMatchObject({ version: null, asked: 0 });
    expect(world.events({ kind: 'label.asked' })).toEqual([]);
  });

  it('refuses where the champion is right already', async () => {
    const world = await taught(['mover']);
    await bobWears(world, ['mover'], ann.test.slice(0, 30));
    const healed = await world.loop.heal(deviceScope('mover'));
    expect(healed.version).toBeNull();
    expect(healed.reason).toMatch(/^better: champion (29|30) of 30 right/);
  });

  it('is cancelled by its signal, and nothing is left half done', async () => {
    const world = await taught(['mover']);
    await bobWears(world, ['mover'], bob.learn.slice(0, 30));
    const before = world.gateway.registry.list().length;
    const signal = AbortSignal.abort();
    const healing = world.loop.heal(deviceScope('mover'), { signal });
    await expect(healing).rejects.toMatchObject({ code: 'cancelled' });
    expect(world.gateway.registry.list().length).toBe(before);
    // and the next one is not kept waiting by it
    expect((await world.loop.heal(deviceScope('mover'))).version).not.toBeNull();
  });

  it('leaves no candidate behind where a device is in another rollout', async () => {
    const world = await taught(['keeper', 'mover']);
    await bobWears(world, ['mover'], bob.learn.slice(0, 30));
    const first = await world.loop.heal(deviceScope('mover'));
    expect(first.rollout).not.toBeNull();
    await expect(world.loop.heal(deviceScope('mover'))).rejects.toMatchObject({
      code: 'not-allowed',
    });
    expect(await world.finish(first.rollout!, bob.test)).toBe('settled');
  });
});

describe('heal() for all', () => {
  it('keeps both wearers: nobody is forgotten', async () => {
    const world = await taught(['keeper', 'mover']);
    const annBefore = await world.accuracyOf('keeper', ann.test);
    await bobWears(world, ['mover'], bob.learn.slice(0, 48));
    const healed = await world.loop.heal(fleet);
    expect(healed.reason).toMatch(/^champion \d+ of 48 right, candidate/);
    expect(healed.version).not.toBeNull();
    const report = reportOf(world.gateway.registry, healed.version!)!;
    expect(report.regimes.map(({ name }) => name)).toEqual(['recordings']);
    expect(await world.finish(healed.rollout!, ann.test, worn)).toBe('settled');
    for (const id of ['keeper', 'mover']) {
      expect(world.store.devices.get(id)?.version).toBe(healed.version);
    }
    expect(await world.accuracyOf('keeper', ann.test)).toBeGreaterThanOrEqual(annBefore - 0.05);
    expect(await world.accuracyOf('mover', bob.test)).toBeGreaterThan(0.85);
  });

  it('serves a cohort, and no device outside it', async () => {
    const world = await taught(['keeper', 'mover', 'second']);
    for (const id of ['mover', 'second']) world.store.devices.setCohort(id, 'bobs');
    await bobWears(world, ['mover'], bob.learn.slice(0, 48));
    const healed = await world.loop.heal({ kind: 'cohort', id: 'bobs' });
    expect(healed.version).not.toBeNull();
    expect(await world.finish(healed.rollout!, ann.test, worn)).toBe('settled');
    const versions = ['keeper', 'mover', 'second'].map(
      (id) => world.store.devices.get(id)?.version,
    );
    expect(versions.slice(1)).toEqual([healed.version, healed.version]);
    expect(versions[0]).not.toBe(healed.version);
  });
});

function isTraining(world: LoopWorld): boolean {
  const ended = ['gate.refused', 'gate.passed', 'train.failed'] as const;
  const count = ended.reduce((n, kind) => n + world.events({ kind }).length, 0);
  return world.events({ kind: 'train.started' }).length > count;
}

describe('the loop by itself', () => {
  const alarming = quickTask({
    rollout,
    send: { ...task.send, confidentOneIn: 1 },
    monitor: { ...task.monitor, referenceWindows: 20, recentWindows: 10 },
    training: { ...task.training, minLabels: 12 },
  });

  it('raises an alarm, takes labels, heals, rolls out and confirms', async () => {
    const world = await taught(['keeper', 'mover'], alarming, true);
    await world.feed(ann.test.slice(0, 40));
    expect(world.events({ kind: 'alarm.raised' })).toEqual([]);
    const shiftAt = world.clock.now();
    let healed = false;
    for (let i = 0; i < 200 && !healed; i++) {
      const recording = bob.learn[i % bob.learn.length]!;
      const { window, length } = ann.test[i % ann.test.length]!;
      world.device('keeper').feedWindow(window, length);
      world.device('mover').feedWindow(recording.window, recording.length);
      await world.step();
      const [sample] = world.store.samples.latest('mover', 1);
      if (world.gateway.monitor.alarmOf('mover') !== null && i % 2 === 0) {
        const { cls } = recording;
        const truth = world.loop.truth({ sample: sample!.id, cls, source: 'person', trust: 1 });
        world.store.flush();
        await truth;
      }
      // training runs in real time; its end is awaited, virtual time stands still meanwhile
      while (isTraining(world)) await setImmediate();
      const done = world.events({ kind: 'rollout.done' });
      healed = done.some(({ data }) => data.scope === 'device:mover');
    }
    expect(healed).toBe(true);
    const alarms = world.events({ kind: 'alarm.raised' });
    expect([...new Set(alarms.map(({ subject }) => subject))]).toEqual(['mover']);
    expect(alarms[0]!.at).toBeGreaterThanOrEqual(shiftAt);
    expect(world.events({ kind: 'alarm.ended' }).map(({ subject }) => subject)).toContain('mover');
    expect(world.gateway.monitor.alarmOf('mover')).toBeNull();
    // the regime began about when the wearer changed, not when the alarm came
    expect(Math.abs(world.loop.regime('mover') - shiftAt)).toBeLessThan(25 * 4000);
    expect(await world.accuracyOf('mover', bob.test)).toBeGreaterThan(0.85);
    expect(await world.accuracyOf('keeper', ann.test)).toBeGreaterThan(0.9);
    const lost = ['keeper', 'mover'].map(
      (id) => world.device(id).predictions.length - world.store.samples.count({ device: id }),
    );
    expect(lost).toEqual([0, 0]);
  });
});
