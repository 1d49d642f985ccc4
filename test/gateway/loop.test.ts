import { describe, expect, it } from 'vitest';
import { HELLO, OFFER, SAMPLE, STATUS } from '../../device/core/messages.ts';
import { gather } from '../../gateway/dataset.ts';
import { shortId } from '../../gateway/registry/manifest.ts';
import type { Task } from '../../gateway/task.ts';
import { type LoopWorld, loopWorld } from '../support/loop-world.ts';
import { twoPeople } from '../support/people.ts';
import { hello, rawDevice, sample } from '../support/raw-device.ts';
import { quickTask } from '../support/tasks.ts';

const rollout = { canaryShare: 0.34, soakWindows: 3, trialWindows: 40 };
const task = quickTask({ rollout });
const people = twoPeople(task, 12, 8);
const { learn, test: own } = people.ann;

/** A gateway whose devices run Ann's model. */
async function taught(ids: string[], of: Task = task): Promise<LoopWorld> {
  const world = await loopWorld({ task: of, ids });
  await world.step();
  await world.teach(learn, own);
  return world;
}

const stored = (world: LoopWorld, id: string): number => world.store.samples.count({ device: id });

describe('a window on its way in', () => {
  it('is stored once, with what the device said of it', async () => {
    const world = await taught(['w1']);
    await world.feed(own.slice(0, 5));
    const { predictions } = world.device('w1');
    const samples = world.store.samples.find({ device: 'w1' });
    expect(samples.map(({ cls, score }) => ({ cls, score }))).toEqual(predictions);
    expect(samples.at(-1)).toMatchObject({ task: 'gesture', quarantine: null, label: null });
    expect(samples.at(-1)?.version).toBe(world.store.devices.get('w1')?.version);
  });

  it('is set aside with its reason when the check does not believe it', async () => {
    const raw = { ...task, send: { ...task.send, confidentOneIn: 1, rawOneIn: 1 } };
    const world = await taught(['w1'], raw);
    const good = own[0]!;
    const stuck = new Int8Array(150).fill(9);
    world.device('w1').feedWindow(stuck, 50);
    await world.step();
    world.device('w1').feedWindow(good.window, good.length);
    await world.step();
    const [bad, fine] = world.store.samples.find({ device: 'w1' }).slice(-2);
    expect([bad?.quarantine, fine?.quarantine]).toEqual(['stuck sensor', null]);
    const { session, seq } = bad!;
    expect(
      world.events({ kind: 'sample.quarantined' }).map(({ subject, data }) => [subject, data]),
    ).toEqual([['w1', { session, seq, reason: 'stuck sensor' }]]);
  });

  it('teaches nothing while it is set aside, and counts once it is released', async () => {
    const raw = { ...task, send: { ...task.send, rawOneIn: 1 } };
    const world = await taught(['w1'], raw);
    world.device('w1').feedWindow(new Int8Array(150).fill(9), 50);
    await world.step();
    const bad = world.store.samples.latest('w1', 1)[0]!;
    const before = world.gateway.monitor.accuracy('w1').n;
    const truth = world.loop.truth({ sample: bad.id, cls: 2, source: 'person', trust: 1 });
    await world.step();
    expect((await truth).label?.cls).toBe(2);
    const scope = { kind: 'device', id: 'w1' } as const;
    const known = () => gather(world.gateway, scope, () => 0, 1).data.fresh;
    expect(known()).toEqual([]);
    // neither the monitor nor the count towards a retraining listens to it
    expect(world.gateway.monitor.accuracy('w1').n).toBe(before);
    expect(world.events({ kind: 'label.added' }).at(-1)?.data).toMatchObject({ have: 0 });
    world.store.samples.release(bad.id, world.clock.now());
    expect(known().map(({ cls }) => cls)).toEqual([2]);
    expect(world.store.samples.get(bad.id)?.quarantine).toBe('stuck sensor');
  });

  it('may be labelled by its wearer, and then carries its samples', async () => {
    const world = await taught(['w1']);
    const { window, length } = own[0]!;
    world.device('w1').feedWindow(window, length, 3);
    await world.step();
    const [sample] = world.store.samples.latest('w1', 1);
    expect(sample?.label).toMatchObject({ cls: 3, source: 'device' });
    expect(sample?.window).toEqual(window.slice(0, length * 3));
    expect(world.events({ kind: 'label.added' }).map(({ subject }) => subject)).toEqual(['w1']);
  });
});

describe('truth() later than its window', () => {
  it('asks for the raw window and merges it into the stored sample', async () => {
    const world = await taught(['w1']);
    const { window, length, cls } = own[3]!;
    world.device('w1').feedWindow(window, length);
    await world.step();
    const { id, session, seq } = world.store.samples.latest('w1', 1)[0]!;
    expect(world.store.samples.get(id)?.window).toBeNull();
    await world.feed(own.slice(4, 7));
    const before = stored(world, 'w1');
    const key = { device: 'w1', session, seq };
    const truth = world.loop.truth({ sample: key, cls, source: 'person', trust: 1 });
    await world.step();
    await truth;
    await world.step();
    const sample = world.store.samples.get(id);
    expect(sample?.window).toEqual(window.slice(0, length * 3));
    expect(sample?.label).toMatchObject({ cls, source: 'person', trust: 1 });
    expect(stored(world, 'w1')).toBe(before);
    expect(world.store.samples.progress('w1', session).duplicates).toBe(0);
  });

  it('counts for a trial against the version before, also where its raw samples come after the label', async () => {
    const rare = quickTask({
      rollout: { canaryShare: 1, soakWindows: 60, trialWindows: 200 },
      send: { confidentOneIn: 1, uncertainBelow: 255, rawOneIn: 0 },
    });
    const { ann, bob } = twoPeople(rare, 12, 8);
    const world = await loopWorld({ task: rare, ids: ['w1'] });
    await world.step();
    await world.teach(ann.learn, ann.test);
    const label = async (windows: typeof bob.test) => {
      for (const one of windows) {
        await world.feed([one]);
        const [{ id, window }] = world.store.samples.latest('w1', 1);
        expect(window).toBeNull();
        const truth = world.loop.truth({ sample: id, cls: one.cls, source: 'person', trust: 1 });
        await world.step();
        await truth;
      }
    };
    await label(bob.test.slice(0, 30));
    const { rollout, reason } = await world.loop.heal({ kind: 'device', id: 'w1' });
    expect(reason).not.toBe('');
    for (let i = 0; i < 5; i++) await world.feed([bob.test[i]!]);
    await label(bob.test.slice(30, 45));
    const { after } = world.loop.rollouts.get(rollout!)!.members.w1!;
    expect(after.labelled).toBe(15);
    expect(after.gained).toBeGreaterThan(5);
  });

  it('refuses a sample that is none and a class that is none', async () => {
    const world = await taught(['w1']);
    await world.feed(own.slice(0, 1));
    const { id } = world.store.samples.latest('w1', 1)[0]!;
    const say = (sample: number, cls: number) =>
      world.loop.truth({ sample, cls, source: 'person', trust: 1 });
    await expect(say(999_999, 0)).rejects.toMatchObject({ code: 'not-found' });
    for (const cls of [-1, 6, 1.5]) {
      await expect(say(id, cls)).rejects.toMatchObject({
        ...{ code: 'not-allowed', hint: expect.stringContaining('swiperight') },
      });
    }
    expect(world.store.labels.of(id)).toEqual([]);
  });
});

describe('a device', () => {
  it('that is built for another task is turned away, and said so once', async () => {
    const other = { ...task, name: 'other' };
    const world = await loopWorld({
      task,
      ids: ['w1', 'stranger'],
      taskOf: (id) => (id === 'w1' ? task : other),
    });
    for (let i = 0; i < 60; i++) await world.step(10_000);
    expect([...world.loop.online.keys()]).toEqual(['w1']);
    expect(world.store.devices.list().map(({ id }) => id)).toEqual(['w1']);
    const refused = world.events({ kind: 'device.refused' });
    expect(refused.map(({ subject, data }) => [subject, data.reason])).toEqual([
      ['stranger', "it is built for task 'other', not 'gesture'"],
    ]);
  });

  it('that runs what another gateway released under a number of ours counts as one without a model', async () => {
    const world = await taught(['w1']);
    const { release, version } = world.store.devices.get('w1')!;
    const device = rawDevice('moved');
    await world.loop.attach(device.port);
    const says = async (session: number, runs: Uint8Array): Promise<void> => {
      device.say(HELLO, hello({ id: 'moved', session, release, version: runs, state: 1 }));
      await world.step();
      device.say(SAMPLE, sample({ session, release }));
      await world.step();
    };
    await says(77, new Uint8Array(8).fill(9));
    const row = () => world.store.samples.latest('moved', 1)[0];
    expect(world.store.devices.get('moved')).toMatchObject({ release: 0, version: null, state: 0 });
    expect(row()).toMatchObject({ session: 77, release: 0, version: null, quarantine: null });
    expect(
      world.events({ kind: 'device.foreign' }).map(({ subject, data }) => [subject, data]),
    ).toEqual([['moved', { release, version: '0909090909090909' }]]);
    expect(device.count(OFFER)).toBeGreaterThan(0);
    device.say(STATUS, [release, 5, 0]); // as a device does that is told to confirm another release
    await world.step();
    expect(world.store.devices.get('moved')).toMatchObject({ release: 0, version: null });
    const members = () => Object.values(world.loop.rollouts.list()[0]!.members);
    expect(members().map(({ stage }) => stage)).toEqual(['confirmed', 'offered']);
    device.say(STATUS, [release, 9, release]);
    await world.step();
    expect(members().map(({ stage }) => stage)).toEqual(['confirmed', 'refused']);

    await says(78, shortId(version!));
    expect(world.store.devices.get('moved')).toMatchObject({ release, version, state: 1 });
    expect(row()).toMatchObject({ session: 78, release, version });
    expect(world.events({ kind: 'device.foreign' })).toHaveLength(1);
  });

  it('that runs a release which this gateway has not come to counts so when it has, and is served by it', async () => {
    const world = await taught(['w1']);
    const { release } = world.store.devices.get('w1')!;
    const device = rawDevice('moved');
    await world.loop.attach(device.port);
    const theirs = { release: release + 3, version: new Uint8Array(8).fill(9), state: 1 };
    device.say(HELLO, hello({ id: 'moved', ...theirs }));
    await world.step();
    expect(world.store.devices.get('moved')).toMatchObject({ release: 0, version: null, state: 0 });
    const version = world.store.devices.get('w1')!.version!;
    const ours = Array.from({ length: 4 }, () => world.gateway.registry.release(version, 'again'));
    expect(ours[0]).toBe(release + 4);
    device.say(SAMPLE, sample({ release: theirs.release }));
    await world.step();
    expect(world.store.samples.latest('moved', 1)[0]).toMatchObject({ release: 0, version: null });
    // a number that nobody gives in earnest uses up none of ours
    device.say(HELLO, hello({ id: 'moved', ...theirs, session: 78, release: 2 ** 32 - 1 }));
    await world.step();
    expect(world.gateway.registry.release(version, 'again')).toBe(ours[3]! + 1);
  });

  it('that runs a version of ours under another number, from an image, counts as running its release', async () => {
    const world = await taught(['w1']);
    const { registry } = world.gateway;
    const first = world.store.devices.get('w1')!.version!;
    const { parts: _, ...meta } = registry.get(first).manifest;
    const version = registry.register(registry.parts(first), { ...meta, parent: first }, null);
    const device = rawDevice('burnt');
    await world.loop.attach(device.port);
    const says = { id: 'burnt', release: 1, version: shortId(version), state: 1 };
    device.say(HELLO, hello(says));
    await world.step();
    expect(world.store.devices.get('burnt')).toMatchObject({ release: 0, version: null });
    expect(world.events({ kind: 'device.foreign' })).toEqual([]);
    const release = registry.release(version, 'first');
    device.say(SAMPLE, sample({ release: 1 }));
    await world.step();
    expect(world.store.samples.latest('burnt', 1)[0]).toMatchObject({ release, version });
    device.say(HELLO, hello(says));
    await world.step();
    expect(world.store.devices.get('burnt')).toMatchObject({ release, version, state: 1 });
  });

  it('that was given a model of this gateway still has windows of the one before', async () => {
    const world = await taught(['w1']);
    const { release, version } = world.store.devices.get('w1')!;
    const device = rawDevice('moved');
    await world.loop.attach(device.port);
    const says = async (of: number, id: Uint8Array, seq: number): Promise<void> => {
      device.say(HELLO, hello({ id: 'moved', release: of, version: id, state: 1, nextSeq: seq }));
      await world.step();
      device.say(SAMPLE, sample({ seq, release }));
      await world.step();
    };
    await says(release, new Uint8Array(8).fill(9), 1);
    const next = world.gateway.registry.release(version!, 'again');
    await says(next, shortId(version!), 2);
    expect(
      world.store.samples.find({ device: 'moved' }).map(({ seq, release }) => [seq, release]),
    ).toEqual([
      [1, 0],
      [2, 0],
    ]);
  });

  it('is greeted with one sync of the disk, whatever is noted of it', async () => {
    const world = await taught(['w1']);
    await world.step();
    const events = () => world.events({ subject: 'w1' }).length;
    const [before, sizes] = [events(), [] as number[]];
    const off = world.store.onCommit((_tookMs, operations) => sizes.push(operations));
    world.device('w1').restart();
    await world.step();
    off();
    expect(events()).toBeGreaterThan(before);
    // the greeting, the rollout that it is in, and the next group of what was queued
    expect(sizes).toEqual([1, 1, 1]);
  });

  it('that forgets windows while the link is down is counted to the window', async () => {
    const world = await taught(['w1']);
    await world.feed(own.slice(0, 3));
    world.cut('w1', true);
    for (let i = 0; i < 60; i++) {
      const { window, length } = own[i % own.length]!;
      world.device('w1').feedWindow(window, length);
      await world.step();
    }
    world.cut('w1', false);
    for (let i = 0; i < 40; i++) await world.step();
    const { session } = world.store.devices.get('w1')!;
    const made = world.device('w1').predictions.length;
    const { dropped, duplicates } = world.store.samples.progress('w1', session);
    expect(dropped).toBeGreaterThan(0);
    expect(stored(world, 'w1') + dropped).toBe(made);
    expect(duplicates).toBe(0);
    const told = world.events({ kind: 'device.dropped' });
    expect(told.reduce((sum, { data }) => sum + (data.windows as number), 0)).toBe(dropped);
  });

  it('that restarts in the middle of an update takes it up again', async () => {
    const world = await loopWorld({ task, ids: ['w1', 'w2'] });
    await world.step();
    const device = world.device('w1');
    const restarted: string[] = [];
    // whenever it has come one stage further, the power goes for a moment
    let last = '';
    const taking = world.teach(learn, own);
    const watch = setInterval(() => {}, 1000);
    const write = world.store.journal.write;
    world.store.journal.write = (kind, subject, data, at) => {
      write(kind, subject, data, at);
      if (kind !== 'rollout.device' || subject !== 'w1' || data.stage === last) return;
      last = String(data.stage);
      if (restarted.includes(last) || last === 'confirmed') return;
      restarted.push(last);
      if (restarted.length <= 2) queueMicrotask(() => device.restart());
    };
    await taking;
    clearInterval(watch);
    expect(restarted.slice(0, 2)).toEqual(['offered', 'transferring']);
    const { stage, members } = world.loop.rollouts.list()[0]!;
    expect([stage, members.w1?.stage, members.w2?.stage]).toEqual([
      ...['settled', 'confirmed', 'confirmed'],
    ]);
    expect(world.events({ kind: 'device.restarted', subject: 'w1' }).length).toBe(2);
    expect(device.feedWindow(own[0]!.window, own[0]!.length)).toBeDefined();
  });

  it('that comes back empty gets its model again, however often', async () => {
    const world = await loopWorld({ task, ids: ['w1'] });
    await world.step();
    const empty = world.device('w1').flash.image();
    await world.teach(learn, own);
    for (let time = 1; time <= 5; time++) {
      world.device('w1').restart(empty);
      for (let i = 0; i < 5; i++) await world.step();
      await world.feed(own.slice(0, 5));
      for (let i = 0; i < 3; i++) await world.step();
      const device = world.store.devices.get('w1');
      expect([device?.release, device?.state], `time ${time}`).toEqual([1, 1]);
    }
  });
});
