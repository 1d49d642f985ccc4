import { afterEach, describe, expect, it } from 'vitest';
import { type AlarmParts, type Alarms, createAlarms, GROUP_MS } from '../../gateway/alarms.ts';
import { createMonitor, type Monitor, monitorDefaults } from '../../gateway/monitor/monitor.ts';
import { openStore, type Store } from '../../gateway/store/store.ts';
import { loopWorld } from '../support/loop-world.ts';
import { twoPeople } from '../support/people.ts';
import { quickTask } from '../support/tasks.ts';

const promised = { accuracy: 0.96, windows: 200 };
const open: Store[] = [];
afterEach(() => {
  for (const store of open.splice(0)) store.close();
});

/** Devices that the gateway knows, a monitor of them, and what is told. */
function world(ids: string[], cohorts: Record<string, string> = {}) {
  const store = openStore({ directory: ':memory:' });
  open.push(store);
  let now = 1_000_000;
  for (const id of ids) {
    const about = { board: 'puckjs', task: 'gesture', tier: 'convolve', session: 1, release: 3 };
    store.devices.hello({ id, ...about, version: null, state: 1, at: now });
    if (cohorts[id] !== undefined) store.devices.setCohort(id, cohorts[id]);
  }
  const monitor: Monitor = createMonitor(monitorDefaults, GROUP_MS);
  for (const id of ids) monitor.installed(id, 3, promised);
  const over: string[] = [];
  const parts: AlarmParts = {
    ...{ task: { name: 'gesture' }, store, monitor, clock: { now: () => now } },
    write: (kind, subject, data) => store.journal.write(kind, subject, data, now),
    onOver: (id) => void over.push(id),
  };
  const make = (): Alarms => createAlarms(parts);
  let alarms = make();
  return {
    store,
    monitor,
    get alarms() {
      return alarms;
    },
    over,
    restart() {
      store.flush();
      alarms = make();
    },
    pass(ms: number) {
      now += ms;
      alarms.tick();
    },
    /** Labels say that a device is wrong all the time. */
    fail(id: string) {
      for (let i = 0; i < 5; i++) {
        const seen = { release: 3, said: 0, truth: 1, score: 50, at: now };
        const alarm = monitor.label(id, seen);
        if (alarm !== undefined) alarms.raised(alarm);
      }
    },
    /** Labels say that it is right again. */
    mend(id: string, labels: number) {
      for (let i = 0; i < labels; i++) {
        monitor.label(id, { release: 3, said: 1, truth: 1, score: 50, at: now + i });
      }
    },
    /** An axis of a device is dead. */
    kill(id: string) {
      for (let i = 0; i < 9; i++) {
        const alarm = monitor.raw(id, { window: new Int8Array(60).fill(0), at: now + i });
        if (alarm !== undefined) alarms.raised(alarm);
      }
    },
    told: (kind?: 'alarm.raised' | 'alarm.group' | 'alarm.explained' | 'alarm.ended') =>
      store.journal
        .find(kind === undefined ? {} : { kind })
        .filter((event) => event.kind.startsWith('alarm.')),
  };
}

const names = (n: number): string[] => Array.from({ length: n }, (_, i) => `w${i + 1}`);

describe('createAlarms()', () => {
  it('raised() tells of a device at once, with a sentence', () => {
    const { fail, told, alarms } = world(names(4));
    fail('w2');
    expect(told().map(({ kind, subject }) => [kind, subject])).toEqual([['alarm.raised', 'w2']]);
    expect(told()[0]?.data).toMatchObject({
      ...{ what: 'accuracy', message: 'accuracy 0.96 → 0.00 on 5 labelled windows' },
    });
    expect(alarms.open()).toMatchObject([{ subject: 'w2', devices: ['w2'], count: 1 }]);
  });

  it('a change of the whole fleet is one alarm that names its devices', () => {
    const { fail, told, alarms, pass } = world(names(30));
    for (const id of names(30)) fail(id);
    // two at once, the rest together
    expect(told().map(({ subject }) => subject)).toEqual(['w1', 'w2']);
    pass(GROUP_MS - 1);
    expect(told('alarm.group')).toEqual([]);
    pass(1);
    pass(GROUP_MS);
    expect(told('alarm.group').map(({ subject, data }) => [subject, data.devices])).toEqual([
      ['fleet', names(30)],
    ]);
    expect(told().length).toBe(3);
    expect(alarms.open()).toMatchObject([{ subject: 'fleet', devices: names(30), count: 30 }]);
  });

  it('a cohort is named where it is all of it, and a few devices by themselves', () => {
    const cohorts = Object.fromEntries(names(4).map((id) => [id, 'left']));
    const { fail, told, alarms, pass } = world(names(20), cohorts);
    for (const id of ['w1', 'w2', 'w4']) fail(id);
    pass(GROUP_MS);
    expect(told('alarm.group').map(({ subject }) => subject)).toEqual(['cohort:left']);
    expect(alarms.open().map(({ subject }) => subject)).toEqual(['cohort:left']);
    pass(GROUP_MS);
    for (const id of ['w9', 'w10']) fail(id);
    expect(alarms.open().map(({ subject }) => subject)).toEqual(['w10', 'w9', 'cohort:left']);
  });

  it('a dead sensor is one alarm, however many windows say so, and none of drift', () => {
    const { kill, told, alarms, pass, monitor } = world(names(3));
    for (let i = 0; i < 20; i++) {
      kill('w1');
      pass(GROUP_MS);
    }
    expect(told().map(({ kind, data }) => [kind, data.what])).toEqual([['alarm.raised', 'sensor']]);
    expect(alarms.open()).toMatchObject([{ subject: 'w1', alarm: { what: 'sensor' } }]);
    expect(alarms.open()[0]?.alarm).toMatchObject({
      ...{ reason: 'x is dead, y is dead, z is dead', where: ['x', 'y', 'z'] },
    });
    expect(monitor.evidence('w1')).toBe('unknown');
  });

  it('an alarm that a sick sensor caused turns into one of the sensor', () => {
    const { fail, kill, told, alarms } = world(names(3));
    fail('w1');
    kill('w1');
    expect(told().map(({ kind }) => kind)).toEqual(['alarm.raised', 'alarm.explained']);
    expect(alarms.open()).toMatchObject([
      { subject: 'w1', count: 2, alarm: { what: 'sensor', raisedAs: 'accuracy' } },
    ]);
  });

  it('tick() tells of what is back to normal, since when, and what is to be done about it', () => {
    const { fail, mend, told, alarms, pass, over } = world(names(2));
    fail('w1');
    fail('w2');
    pass(1000);
    mend('w1', 10);
    pass(5000);
    expect(told('alarm.ended').map(({ subject, data }) => [subject, data])).toEqual([
      ['w1', { what: 'accuracy', reason: 'back to normal', since: 1_001_000 }],
    ]);
    expect(over).toEqual(['w1']);
    expect(alarms.open().map(({ subject }) => subject)).toEqual(['w2']);
    pass(5000);
    expect(told('alarm.ended')).toHaveLength(1);
  });

  it('a confirmed release ends an episode, and not that of a sick sensor', () => {
    const { fail, kill, told, alarms, monitor } = world(names(2));
    fail('w1');
    kill('w2');
    for (const id of names(2)) {
      alarms.ended(id, 4);
      monitor.installed(id, 4, promised);
    }
    expect(told('alarm.ended').map(({ subject }) => subject)).toEqual(['w1']);
    expect(alarms.open().map(({ subject }) => subject)).toEqual(['w2']);
  });
});

describe('silence()', () => {
  it('marks alarms as silenced, records them, expires, and survives a restart', () => {
    const it = world(names(3));
    const until = 1_000_000 + 7_200_000;
    it.alarms.silence({ subject: 'w2', what: null, until });
    it.restart();
    it.fail('w2');
    it.fail('w3');
    const silenced = it.told('alarm.raised').map(({ data }) => data.silencedUntil);
    expect(silenced).toEqual([until, undefined]);
    const seen = () => it.alarms.open().map((one) => [one.subject, one.silencedUntil]);
    expect(seen()).toEqual([['fleet', null]]);
    it.alarms.silence({ subject: 'fleet', what: null, until: until - 1 });
    expect(seen()).toEqual([['fleet', until - 1]]);
    it.pass(7_199_999);
    expect(seen()).toEqual([['fleet', null]]);
    expect(it.alarms.silences().map(({ subject }) => subject)).toEqual(['w2']);
    it.pass(1);
    expect(it.alarms.silences()).toEqual([]);
    it.restart();
    expect(it.alarms.silences()).toEqual([]);
  });

  it('takes one kind, a cohort, and replaces what was said before', () => {
    const { alarms, fail } = world(names(3), { w1: 'left' });
    alarms.silence({ subject: 'cohort:left', what: 'sensor', until: 2_000_000 });
    alarms.silence({ subject: 'cohort:left', what: 'sensor', until: 3_000_000 });
    expect(alarms.silences().map(({ until }) => until)).toEqual([3_000_000]);
    fail('w1');
    expect(alarms.silencedUntil('w1', 'accuracy')).toBeNull();
    expect(alarms.silencedUntil('w1', 'sensor')).toBe(3_000_000);
    expect(alarms.silencedUntil('w2', 'sensor')).toBeNull();
    alarms.silence({ subject: 'cohort:left', what: null, until: 4_000_000 });
    expect(alarms.silencedUntil('w1', 'accuracy')).toBe(4_000_000);
    expect(alarms.unsilence({ subject: 'cohort:left', what: 'sensor' }).length).toBe(1);
    expect(alarms.silencedUntil('w1', 'sensor')).toBe(4_000_000);
    expect(alarms.unsilence({ subject: 'cohort:left' }).length).toBe(1);
    expect(alarms.silencedUntil('w1', 'accuracy')).toBeNull();
  });

  it('says what is silenced where it is to end what is not', () => {
    const { alarms } = world(names(3), { w1: 'left' });
    const end = (subject: string, what?: 'sensor') => () =>
      alarms.unsilence({ subject, ...(what && { what }) });
    expect(end('w1')).toThrow(
      expect.objectContaining({
        ...{ code: 'not-found', message: "no alarms of 'w1' are silenced", hint: 'nothing is' },
      }),
    );
    const until = 9_000_000;
    alarms.silence({ subject: 'cohort:left', what: 'sensor', until });
    alarms.silence({ subject: 'w2', what: null, until });
    const hint = 'silenced are: cohort:left (sensor), w2';
    expect(end('w1')).toThrow(expect.objectContaining({ hint }));
    expect(end('w2', 'sensor')).toThrow(
      expect.objectContaining({ message: "no sensor alarms of 'w2' are silenced", hint }),
    );
  });

  it('refuses who is not there', () => {
    const { alarms } = world(names(2));
    for (const subject of ['w9', 'cohort:left', 'device:w1']) {
      const wish = { subject, what: null, until: 2_000_000 };
      expect(() => alarms.silence(wish)).toThrow(/no device/);
    }
    expect(alarms.silences()).toEqual([]);
  });
});

describe('a device that another person wears for a while', () => {
  it('has an alarm that ends by itself when the first one is back, and wants no labels then', async () => {
    const base = quickTask({ rollout: { canaryShare: 0.5, soakWindows: 3, trialWindows: 40 } });
    const monitor = { ...base.monitor, referenceWindows: 20, recentWindows: 10 };
    const task = { ...base, monitor };
    const { ann, bob } = twoPeople(task, 12, 8);
    const world = await loopWorld({ task, ids: ['w1'] });
    await world.step();
    await world.teach(ann.learn, ann.test);
    for (let i = 0; i < 2; i++) await world.feed(ann.test);
    const isAlarmed = () => world.gateway.monitor.alarmOf('w1') !== null;
    for (let i = 0; i < 3 && !isAlarmed(); i++) await world.feed(bob.test);
    expect(isAlarmed()).toBe(true);
    expect([world.loop.wantsLabels('w1'), world.loop.regime('w1') > 0]).toEqual([true, true]);
    const before = world.clock.now();
    for (let i = 0; i < 4 && isAlarmed(); i++) await world.feed(ann.test);
    await world.step(10_000);
    const [ended] = world.events({ kind: 'alarm.ended' });
    expect(ended).toMatchObject({ subject: 'w1', data: { reason: 'back to normal' } });
    expect(ended!.data.since as number).toBeGreaterThan(before - 60_000);
    expect([isAlarmed(), world.loop.wantsLabels('w1'), world.loop.regime('w1')]).toEqual([
      ...[false, false, 0],
    ]);
  });
});

describe('a sensor that gets stuck on a device', () => {
  it('is one alarm, starts no retraining whatever labels come, and ends when it moves again', async () => {
    const rollout = { canaryShare: 0.5, soakWindows: 3, trialWindows: 40 };
    const base = quickTask({ rollout });
    const training = { ...base.training, minLabels: 3 };
    const monitor = { ...base.monitor, referenceWindows: 20, recentWindows: 10 };
    const task = { ...base, training, monitor };
    const { learn, test: own } = twoPeople(task, 12, 8).ann;
    const world = await loopWorld({ task, ids: ['w1'], automatic: true });
    await world.step();
    await world.teach(learn, own);
    for (let i = 0; i < 2; i++) await world.feed(own);
    const before = world.events({ kind: 'train.started' }).length;
    const alarms = () =>
      world
        .events()
        .filter(({ kind }) => kind.startsWith('alarm.'))
        .map(({ kind, data }) => [kind, data.what]);
    expect(alarms()).toEqual([]);

    const stuck = own.map((one) => {
      const window = one.window.map((value, i) => (i % 3 === 1 && i < 3 * one.length ? 40 : value));
      return { ...one, window };
    });
    for (const one of [...stuck, ...stuck]) {
      await world.feed([one]);
      const sample = world.store.samples.latest('w1', 1)[0]!;
      // somebody labels on, and says that the device is wrong
      const cls = (sample.cls + 1) % task.classes.length;
      const truth = world.loop.truth({ sample: sample.id, cls, source: 'person', trust: 1 });
      await world.step(0);
      await truth;
    }
    const raised = alarms().filter(([kind]) => kind === 'alarm.raised');
    expect(raised.length).toBe(1);
    expect(world.gateway.monitor.alarmOf('w1')).toMatchObject({ what: 'sensor', where: ['y'] });
    expect(world.loop.wantsLabels('w1')).toBe(false);
    expect(world.loop.regime('w1')).toBe(0);
    expect(world.events({ kind: 'train.started' }).length).toBe(before);

    for (let i = 0; i < 3; i++) await world.feed(own);
    expect(world.gateway.monitor.isSick('w1')).toBe(false);
    await world.step(10_000);
    expect(alarms().at(-1)).toEqual(['alarm.ended', 'sensor']);
    expect(world.events({ kind: 'train.started' }).length).toBe(before);
  }, 60_000);
});
