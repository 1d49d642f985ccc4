import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Composed, compose } from '../../gateway/compose.ts';
import { gather } from '../../gateway/dataset.ts';
import { GatewayError } from '../../gateway/errors.ts';
import { virtualClock } from '../../gateway/link/virtual/clock.ts';
import { createService, type Service } from '../../gateway/service.ts';
import { loadTask } from '../../gateway/task.ts';
import { meta, parts } from './registry/support.ts';

const task = loadTask('gesture');
const key = { device: 'watch-1', session: 7 };
let gateway: Composed;
let service: Service;

/** A window of watch-1 as the loop stores it. */
async function store(seq: number, quarantine: string | null): Promise<void> {
  const window = Int8Array.from({ length: 60 }, (_, i) => (i * seq) % 50);
  const said = { cls: 2, score: 90, length: 20, embedding: null, window, label: null };
  const origin = { task: task.name, release: 1, version: null, at: seq, t: 4000 * seq };
  const added = gateway.store.samples.add({ ...key, seq, ...origin, ...said, quarantine });
  gateway.store.flush();
  await added;
}

/** Does something that waits for a commit. */
async function committed<T>(act: Promise<T>): Promise<T> {
  gateway.store.flush();
  return act;
}

beforeEach(async () => {
  const clock = virtualClock(1000);
  gateway = compose({ task, directory: ':memory:', clock, automatic: false, seed: 1 });
  const about = { board: 'banglejs2', task: task.name, tier: 'convolve', version: null };
  gateway.store.devices.hello({ id: 'watch-1', ...about, session: 7, release: 1, state: 1, at: 0 });
  service = createService(gateway, { sentence: 'one watch', startedAt: 0 });
  await store(1, null);
  await store(2, 'stuck sensor');
});

afterEach(async () => {
  service.close();
  await gateway.close();
});

describe('createService()', () => {
  it('alarms(), silence() and unsilence() go to the loop, quality() to the monitor', async () => {
    const { monitor } = gateway;
    monitor.installed('watch-1', 1, { accuracy: 0.96, windows: 200 });
    for (let i = 0; i < 6; i++) {
      monitor.label('watch-1', { release: 1, said: 2, truth: i === 0 ? 2 : 1, score: 40, at: i });
    }
    const [alarm] = (await service.call.alarms()).alarms;
    expect(alarm).toMatchObject({ subject: 'watch-1', what: 'accuracy', silencedUntil: null });
    const silence = await service.call.silence({ subject: 'watch-1', forMs: 60_000 });
    expect(silence).toMatchObject({ subject: 'watch-1', what: null });
    const { alarms, silences } = await service.call.alarms();
    expect(silences).toEqual([silence]);
    expect(alarms[0]?.silencedUntil).toBe(silence.until);
    const device = await service.call.device('watch-1');
    expect(device.alarm).toMatchObject({ what: 'accuracy', silencedUntil: silence.until });
    expect(device.measured).toMatchObject({ labels: 6, accuracy: 1 / 6 });
    expect(device.estimated).toBeNull();
    expect(await service.call.unsilence({ subject: 'watch-1' })).toEqual({ ended: 1 });
    expect((await service.call.alarms()).silences).toEqual([]);
    const { classes, witnesses } = await service.call.quality('fleet');
    expect(classes).toEqual([
      { cls: 'swipeleft', recall: 0, precision: null, truths: 5, saids: 0 },
      { cls: 'upup', recall: 1, precision: 1 / 6, truths: 1, saids: 6 },
    ]);
    expect(witnesses).toEqual([
      { device: 'watch-1', evidence: 'unknown', missing: 0, sensor: 'well' },
    ]);
    await expect(service.call.quality('cohort:left')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('labels() lists windows with a label, without one, and those set aside when asked', async () => {
    await committed(service.call.addLabel({ sample: 'watch-1/7:1', cls: 'clap2' }));
    const other = { id: 'watch-2', board: 'banglejs2', task: task.name, tier: 'convolve' };
    const at = { version: null, session: 8, release: 1, state: 1, at: 0 };
    gateway.store.devices.hello({ ...other, ...at });
    const seen = async (query: object) =>
      (await service.call.labels(query)).map(({ sample, cls, quarantine }) => [
        sample,
        cls,
        quarantine,
      ]);
    expect(await seen({})).toEqual([['watch-1/7:1', 'clap2', null]]);
    expect(await seen({ unlabelled: true })).toEqual([['watch-1/7:2', null, 'stuck sensor']]);
    expect(await seen({ quarantined: true })).toEqual([['watch-1/7:2', null, 'stuck sensor']]);
    expect(await seen({ device: 'watch-2' })).toEqual([]);
  });

  it('release() lets a window teach when it was set aside, once', async () => {
    await committed(service.call.addLabel({ sample: 'watch-1/7:2', cls: 'upup' }));
    const fresh = () =>
      gather(gateway, { kind: 'device', id: 'watch-1' }, () => 0, 1).samples.length;
    expect(fresh()).toBe(0);
    expect((await service.call.release('watch-1/7:2')).quarantine).toBe(null);
    expect(fresh()).toBe(1);
    const [event] = gateway.store.journal.find({ kind: 'sample.released' });
    expect(event?.data).toEqual({ sample: 'watch-1/7:2', reason: 'stuck sensor' });
    const again = service.call.release('watch-1/7:2');
    await expect(again).rejects.toMatchObject({ code: 'not-found' });
  });

  it('writes at the time of the gateway, wherever the clock of the computer was set', async () => {
    const { call } = service;
    const { clock, store } = gateway;
    const before = clock.now();
    await call.addKeys({ device: 'watch-1', board: 'puckjs' });
    await call.rotateKeys('watch-1');
    const removed = await call.removeKeys('watch-1');
    const times = store.journal.find({ subject: 'watch-1' }).map(({ at }) => at);
    for (const at of [...times, removed.addedAt, removed.rotatedAt, removed.removedAt!]) {
      expect(at).toBeGreaterThanOrEqual(before);
      expect(at).toBeLessThanOrEqual(clock.now());
    }
  });

  it('writes into the log who wanted a change', async () => {
    const { call } = service;
    const by = 'ann (operator)';
    await committed(call.addLabel({ sample: 'watch-1/7:1', cls: 'clap2' }, by));
    await call.withdrawLabel({ sample: 'watch-1/7:1' }, by);
    const rows = [{ line: 2, device: 'watch-1', session: 7, seq: 1, cls: 'upup' }];
    expect((await call.importLabels({ rows }, by)).added).toBe(1);
    await call.release('watch-1/7:2', by);
    await call.silence({ subject: 'watch-1', forMs: 1000 }, by);
    await call.unsilence({ subject: 'watch-1' }, by);
    await call.addKeys({ device: 'watch-1', board: 'puckjs' }, by);
    await call.rotateKeys('watch-1', by);
    await call.removeKeys('watch-1', by);
    await call.rotateSigning(by);
    const kinds = [
      ...['label.added', 'label.withdrawn', 'label.imported', 'sample.released'],
      ...['alarm.silenced', 'alarm.unsilenced', 'key.added', 'key.rotating', 'key.removed'],
      'signer.rotated',
    ] as const;
    for (const kind of kinds) {
      const [event] = gateway.store.journal.find({ kind });
      expect(event?.data, kind).toMatchObject({ who: by });
    }
  });

  it('addLabel() pins a window for its own device when its source says so', async () => {
    const label = { sample: 'watch-1/7:1', cls: 'clap2', source: 'must-pass' };
    await committed(service.call.addLabel(label));
    const pins = (id: string) => gather(gateway, { kind: 'device', id }, () => 0, 1).mustPass;
    expect(pins('watch-1').map(({ name, cls }) => [name, cls])).toEqual([['watch-1/7:1', 4]]);
    expect(pins('watch-2')).toEqual([]);
  });

  it('labels() throws not-found for a device that nobody knows', async () => {
    const failed = service.call.labels({ device: 'nope' });
    await expect(failed).rejects.toMatchObject({
      ...{ code: 'not-found', message: "no device 'nope'", hint: 'see: whetstone devices' },
    });
    expect(await service.call.labels({ device: 'watch-1' })).toEqual([]);
  });

  it('device() was last seen at its newest window, or at its hello when that is newer', async () => {
    const seen = async () => (await service.call.device('watch-1')).lastSeen;
    expect(await seen()).toBe(2);
    const hello = { id: 'watch-1', board: 'banglejs2', task: task.name, tier: 'convolve' };
    const at = { version: null, session: 8, release: 1, state: 1, at: 50 };
    gateway.store.devices.hello({ ...hello, ...at });
    expect(await seen()).toBe(50);
    await store(60, null);
    expect(await seen()).toBe(60);
  });

  it('promote() throws not-allowed for what serves already', async () => {
    const { registry } = gateway;
    const version = registry.register(parts(), meta(), null);
    for (const stage of ['trial', 'champion'] as const) {
      registry.setStage(version, stage, { who: 'test', why: 'to see' });
    }
    await expect(service.call.promote(version.slice(0, 12))).rejects.toMatchObject({
      ...{ code: 'not-allowed', message: `v${version.slice(0, 8)} serves fleet already` },
    });
    expect(await service.call.rollouts()).toEqual([]);
  });

  it('rollouts() says where devices went over to a newer one after the end', async () => {
    const { registry, store: kept, loop } = gateway;
    const two = { id: 'watch-2', board: 'banglejs2', task: task.name, tier: 'convolve' };
    kept.devices.hello({ ...two, version: null, session: 8, release: 1, state: 1, at: 0 });
    const version = registry.register(parts(), meta(), null);
    const begun = loop.rollouts.start(version, { who: 'test', why: 'first model' });
    const state = loop.rollouts.get(begun)!;
    /** The rollout as it is when it has ended, with some of its devices. */
    const reason = async (id: string, ids: string[], endedAt: number | null) => {
      const members = Object.fromEntries(ids.map((name) => [name, state.members[name]]));
      const ended = {
        ...state,
        id,
        endedAt,
        order: ids,
        members,
        why: '2 of 2 devices confirmed it',
      };
      kept.states.saveRollout({ id, at: 1, active: false, state: JSON.stringify(ended) });
      const devices = ['watch-1', 'watch-2'];
      kept.journal.write('rollout.started', id, { devices }, 1);
      return (await service.call.rollouts()).find((rollout) => rollout.id === id)!.reason;
    };
    expect(await reason('whole', ['watch-1', 'watch-2'], 5)).toBe('2 of 2 devices confirmed it');
    expect(await reason('going on', ['watch-1'], null)).toBe('2 of 2 devices confirmed it');
    expect(await reason('left', ['watch-1'], 5)).toBe(
      '2 of 2 devices confirmed it (others have a newer version since)',
    );
  });

  it('models() says which rollout carries a version, and how far', async () => {
    const { registry, loop } = gateway;
    const version = registry.register(parts(), meta(), null);
    expect((await service.call.model(version)).rollout).toBeNull();
    const id = loop.rollouts.start(version, { who: 'test', why: 'first model' });
    const way = { id, stage: 'canary', devices: 1, confirmed: 0 };
    expect(await service.call.models()).toMatchObject([{ version, stage: 'trial', rollout: way }]);
    loop.rollouts.get(id)!.members['watch-1']!.stage = 'confirmed';
    expect((await service.call.model(version)).rollout?.confirmed).toBe(1);
  });

  it('rollouts() lists the devices that a release spared', async () => {
    const { registry, store: kept, loop } = gateway;
    const two = { id: 'watch-2', board: 'banglejs2', task: task.name, tier: 'convolve' };
    kept.devices.hello({ ...two, version: null, session: 8, release: 1, state: 1, at: 0 });
    const version = registry.register(parts(), meta(), null);
    loop.rollouts.start(version, { who: 'test', why: 'better', spared: ['watch-2'] });
    const [rollout] = await service.call.rollouts();
    expect(rollout!.devices).toMatchObject([
      { id: 'watch-1' },
      { id: 'watch-2', state: 'spared', reason: 'its world is as it was', wireBytes: 0 },
    ]);
  });

  it('addLabel() names the sample that is not there', async () => {
    const failed = service.call.addLabel({ sample: 'watch-1/7:99', cls: 'upup' });
    await expect(failed).rejects.toMatchObject({
      ...{ code: 'not-found', message: 'no sample watch-1/7:99' },
      hint: 'DEVICE/SESSION:SEQ, see: whetstone labels --unlabelled',
    });
  });

  it('addLabel() names the classes when it gets another', async () => {
    const failed = service.call.addLabel({ sample: 'watch-1/7:1', cls: 'clap' });
    const error = (await failed.catch((thrown: unknown) => thrown)) as GatewayError;
    expect(error).toBeInstanceOf(GatewayError);
    expect(error.line()).toBe(
      "'clap' is no class of task 'gesture' (there are: swiperight, swipeleft, upup, waggle, clap2, random)",
    );
    expect(await service.call.labels()).toEqual([]);
  });
});
