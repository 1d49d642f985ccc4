import { describe, expect, test } from 'vitest';
import { createFleet, four, ordered, settings } from './fleet.ts';

describe('a rollout without faults', () => {
  test('goes to one canary, soaks, then to the rest, and crowns the version at its end', () => {
    const fleet = createFleet(four, { settings });
    const { id, version } = fleet.start(2);
    const [canary, ...rest] = ordered(fleet, id);
    expect(fleet.stages(id)).toMatchObject({ [canary]: 'trial', [rest[0]]: 'waiting' });
    fleet.windows(9);
    expect(fleet.calls).toEqual([`offer ${canary} 2`]);
    fleet.windows(1);
    expect(fleet.stages(id)[canary]).toBe('confirmed');
    expect(fleet.rollouts.get(id)?.stage).toBe('rest');
    expect(fleet.rollouts.of(version)).toBe(fleet.rollouts.get(id));
    expect(fleet.rollouts.of(fleet.first)).toBeUndefined();
    expect(fleet.registry.get(version).stage).toBe('trial');
    expect(fleet.registry.champion('gesture', { kind: 'fleet', id: '' })).toBe(fleet.first);
    fleet.windows(10);
    expect(new Set(Object.values(fleet.stages(id)))).toEqual(new Set(['confirmed']));
    expect(fleet.rollouts.get(id)).toMatchObject({ stage: 'settled', endedAt: 1000 });
    expect(fleet.registry.get(version).stage).toBe('champion');
    expect(fleet.registry.get(fleet.first).stage).toBe('retired');
    expect(fleet.calls.filter((call) => call.startsWith('confirm'))).toHaveLength(4);
    expect(fleet.calls).toHaveLength(8);
    expect([...fleet.twins.values()].every((twin) => twin.release === 2)).toBe(true);
  });

  test('waits where no device is known yet: the first one to come is its canary', () => {
    const fleet = createFleet([], { settings });
    const { id } = fleet.start(2);
    expect(fleet.rollouts.get(id)).toMatchObject({ stage: 'canary', order: [] });
    expect(fleet.rollouts.get(id)?.why).not.toContain('no device');
  });

  test('leaves spared devices as they are, also when they say hello, until they are included', () => {
    const fleet = createFleet(four, { settings });
    const { id } = fleet.start(2, { spared: ['w1', 'w2'] });
    fleet.windows(30);
    expect(fleet.rollouts.get(id)?.stage).toBe('settled');
    fleet.rollouts.hello('w1', { release: 1, state: 1 });
    fleet.windows(10);
    const releases = () => four.map((device) => fleet.twins.get(device)?.release);
    expect(releases()).toEqual([1, 1, 2, 2]);
    fleet.rollouts.include(['w1', 'w3']);
    fleet.windows(30);
    expect(releases()).toEqual([2, 1, 2, 2]);
    expect(fleet.rollouts.get(id)?.spared).toEqual(['w2']);
  });

  test('does not confirm before the soak is over, whatever is said meanwhile', () => {
    const fleet = createFleet(four, { settings });
    const { id } = fleet.start(2);
    const [canary] = ordered(fleet, id);
    fleet.rollouts.status(canary, { release: 2, code: 4 });
    fleet.rollouts.hello(canary, { release: 2, state: 2 });
    fleet.windows(9);
    expect(fleet.calls.some((call) => call.startsWith('confirm'))).toBe(false);
  });

  test('writes every step into the log', () => {
    const fleet = createFleet(['w1'], { settings });
    const { id } = fleet.start(2);
    fleet.windows(10);
    expect(fleet.store.journal.find({ subject: id }).map((e) => [e.kind, e.data.stage])).toEqual([
      ['rollout.started', undefined],
      ['rollout.stage', 'canary'],
      ['rollout.stage', 'rest'],
      ['rollout.done', 'settled'],
    ]);
    const steps = fleet.store.journal.find({ kind: 'rollout.device', subject: 'w1' });
    expect(steps.map((e) => e.data.stage)).toEqual([
      ...['offered', 'transferring', 'installed', 'trial', 'confirming', 'confirmed'],
    ]);
  });
});

describe('scopes', () => {
  test("a device's own version reaches that device alone", () => {
    const fleet = createFleet(four, { settings });
    const { id, version } = fleet.start(2, { scope: { scope: { kind: 'device', id: 'w2' } } });
    fleet.windows(10);
    expect(fleet.stages(id)).toEqual({ w2: 'confirmed' });
    const of = (name: string) =>
      fleet.registry.championFor({ id: name, cohort: null, task: 'gesture' });
    expect([of('w1'), of('w2')]).toEqual([fleet.first, version]);
    const next = fleet.start(3);
    expect(ordered(fleet, next.id).sort()).toEqual(['w1', 'w3', 'w4']);
  });

  test('start() refuses a device that is in another rollout, and changes nothing', () => {
    const fleet = createFleet(four, { settings });
    expect(fleet.rollouts.busy('w1')).toBe(false);
    fleet.start(2);
    expect(fleet.rollouts.busy('w1')).toBe(true);
    const before = fleet.rollouts.list();
    expect(() => fleet.start(3)).toThrow(expect.objectContaining({ code: 'not-allowed' }));
    expect(fleet.rollouts.list()).toEqual(before);
    expect(fleet.registry.list({ stage: 'candidate' })).toHaveLength(1);
  });

  test('a rollout that has settled makes room for the next', () => {
    const fleet = createFleet(['w1'], { settings });
    const one = fleet.start(2);
    fleet.windows(10);
    const two = fleet.start(3);
    fleet.windows(10);
    expect(fleet.rollouts.get(one.id)?.stage).toBe('superseded');
    expect(fleet.rollouts.get(two.id)?.stage).toBe('settled');
    expect(fleet.twins.get('w1')?.release).toBe(3);
  });

  test('a provisional version waits for labels, and takes no device that comes later', () => {
    const fleet = createFleet(['w1'], { settings });
    const { id } = fleet.start(2, { provisional: true });
    fleet.windows(12);
    expect(fleet.stages(id)).toEqual({ w1: 'trial' });
    fleet.twins.set('w9', { release: 1, trial: null, online: true });
    fleet.comeBack('w9');
    for (let i = 0; i < 5; i++) fleet.rollouts.label('w1', { release: 2, correct: true });
    fleet.pump();
    expect(fleet.stages(id)).toEqual({ w1: 'confirmed' });
    expect(fleet.rollouts.get(id)?.why).toMatch(/1 of 1 devices/);
  });

  test('a provisional version without any label is decided by scores after twice the soak', () => {
    const fleet = createFleet(['w1'], { settings });
    const { id } = fleet.start(2, { provisional: true });
    fleet.windows(19);
    expect(fleet.stages(id)).toEqual({ w1: 'trial' });
    fleet.windows(1);
    expect(fleet.stages(id)).toEqual({ w1: 'confirmed' });
  });
});

describe('a store of two tasks', () => {
  /** Its newest rollout is of task 'other', which this fleet is no longer built for. */
  function twoTasks() {
    const fleet = createFleet(['w1', 'w2'], { settings });
    const own = fleet.start(2);
    fleet.windows(30);
    const hello = (id: string, task: string, session: number) => {
      const from = { board: 'b', tier: 't', session, release: 0, version: null, state: 0 };
      fleet.store.devices.hello({ ...from, id, task, at: 2000 });
      fleet.rollouts.hello(id, { release: 0, state: 0 });
      fleet.pump();
    };
    fleet.twins.set('w3', { release: 0, trial: null, online: false }); // it says nothing to the other
    hello('w3', 'other', 1);
    const other = fleet.start(3, { scope: { task: 'other' } });
    return { fleet, own, other, hello };
  }

  test('has the newest rollout of its own task undone', () => {
    const { fleet, own, other } = twoTasks();
    const because = { who: 'anna', why: 'no' };
    expect(fleet.rollouts.rollback(undefined, { ...because, task: 'gesture' })).toBe(own.id);
    expect(fleet.rollouts.get(other.id)?.stage).toBe('canary');
    expect(() => fleet.rollouts.rollback(undefined, { ...because, task: 'gesture' })).toThrow(
      expect.objectContaining({ message: 'there is no rollout to undo' }),
    );
  });

  test('serves a device that was flashed for the other one', () => {
    const { fleet, own, other, hello } = twoTasks();
    expect(Object.keys(fleet.stages(other.id))).toEqual(['w3']);
    fleet.twins.get('w3')!.online = true;
    hello('w3', 'gesture', 2);
    expect(Object.keys(fleet.stages(other.id))).toEqual([]);
    expect(fleet.stages(own.id).w3).toBe('trial');
  });
});

describe('a device that comes once its rollout was undone', () => {
  test('gets the version before, which is champion again', () => {
    const fleet = createFleet(['w1', 'w2'], { settings });
    const { id, version } = fleet.start(2);
    fleet.windows(30);
    fleet.rollouts.rollback(version, { who: 'anna', why: 'no' });
    fleet.pump();
    expect(fleet.rollouts.get(id)?.stage).toBe('returned');
    fleet.twins.set('late', { release: 0, trial: null, online: true });
    const hello = (release: number) => {
      const from = { board: 'b', task: 'gesture', tier: 't', session: 1, version: null };
      fleet.store.devices.hello({ ...from, id: 'late', release, state: 0, at: 2000 });
      fleet.rollouts.hello('late', { release, state: Number(release > 0) });
      fleet.pump();
    };
    hello(0);
    const { release } = fleet.twins.get('late')!;
    expect(fleet.registry.releaseOf(release)?.version).toBe(fleet.first);
    expect(fleet.stages(id)).toEqual({ w1: 'back', w2: 'back', late: 'back' });
    expect(fleet.rollouts.get(id)?.stage).toBe('returned');
    const { length } = fleet.calls;
    hello(release);
    expect(fleet.calls).toHaveLength(length);
  });
});

describe('rollback()', () => {
  test('sends devices on trial back, and confirmed ones the version before as a new release', () => {
    const fleet = createFleet(four, { settings });
    const { id, version } = fleet.start(2);
    fleet.windows(10);
    const [canary, ...rest] = ordered(fleet, id);
    expect(fleet.rollouts.rollback(version, { who: 'anna', why: 'feels wrong' })).toBe(id);
    expect(fleet.registry.get(fleet.first).stage).toBe('champion');
    fleet.pump();
    expect(fleet.calls).toContain(`offer ${canary} 3`);
    for (const name of rest) expect(fleet.calls).toContain(`revert ${name} 2`);
    expect(new Set(Object.values(fleet.stages(id)))).toEqual(new Set(['back']));
    expect(fleet.rollouts.get(id)).toMatchObject({ stage: 'returned', why: 'anna: feels wrong' });
    expect(fleet.registry.history(version).at(-1)).toMatchObject({ stage: 'rolledback' });
  });

  test('reaches a device that was away when it was ordered', () => {
    const fleet = createFleet(['w1', 'w2'], { settings });
    const { id } = fleet.start(2);
    fleet.windows(20);
    fleet.leave('w2');
    fleet.rollouts.rollback(undefined, { who: 'anna', why: 'no' });
    fleet.pump();
    expect(fleet.stages(id)).toEqual({ w1: 'back', w2: 'returning' });
    expect(fleet.rollouts.get(id)?.stage).toBe('returning');
    fleet.comeBack('w2');
    expect(fleet.stages(id).w2).toBe('back');
    expect(fleet.rollouts.get(id)?.stage).toBe('returned');
  });

  test('serves a device that lost everything what it went back to, after a restart too', () => {
    const fleet = createFleet(['w1'], { settings });
    const { id } = fleet.start(2);
    fleet.windows(20);
    fleet.rollouts.rollback(undefined, { who: 'anna', why: 'no' });
    fleet.pump();
    expect(fleet.stages(id)).toEqual({ w1: 'back' });
    fleet.restart();
    Object.assign(fleet.twins.get('w1') as object, { release: 0, trial: null });
    fleet.hello('w1');
    fleet.pump();
    expect(fleet.twins.get('w1')).toMatchObject({ release: 3 });
    expect(fleet.registry.releaseOf(3)?.version).toBe(fleet.first);
    expect(fleet.stages(id)).toEqual({ w1: 'back' });
  });

  test('refuses to undo a first model: there is none to go back to', () => {
    const fleet = createFleet(['w1', 'w2'], { settings });
    for (const twin of fleet.twins.values()) twin.release = 0;
    for (const name of fleet.twins.keys()) fleet.hello(name);
    const { id, version } = fleet.start(2);
    fleet.windows(20);
    const stages = fleet.stages(id);
    expect(() => fleet.rollouts.rollback(version, { who: 'anna', why: 'no' })).toThrow(
      expect.objectContaining({ code: 'not-allowed' }),
    );
    expect(fleet.stages(id)).toEqual(stages);
  });

  test('says of a version that another has followed which one, and what to do', () => {
    const fleet = createFleet(four, { settings });
    const old = fleet.start(2);
    fleet.windows(30);
    const fresh = fleet.start(3);
    const [a, b] = [old.version, fresh.version].map((version) => version.slice(0, 8));
    const undo = (version: string) => () =>
      fleet.rollouts.rollback(version, { who: 'anna', why: 'no' });
    expect(undo(old.version)).toThrow(
      expect.objectContaining({
        code: 'not-found',
        message: `there is no rollout of v${a} to undo: it is champion, and v${b} is on its way to fleet`,
        hint: `undo v${b}: whetstone rollback ${b}`,
      }),
    );
    fleet.windows(30);
    expect(undo(old.version)).toThrow(
      expect.objectContaining({
        message: `there is no rollout of v${a} to undo: it is retired, and fleet runs v${b}`,
        hint: `undo v${b}: whetstone rollback ${b}; back to v${a}: whetstone promote ${a}`,
      }),
    );
    undo(fresh.version)();
    fleet.pump();
    expect(undo(fresh.version)).toThrow(
      expect.objectContaining({
        message: `there is no rollout of v${b} to undo: it is rolledback`,
        hint: 'say what is to run: whetstone promote VERSION; see: whetstone models',
      }),
    );
  });

  test('says when there is nothing to undo', () => {
    const fleet = createFleet(['w1'], { settings });
    expect(() => fleet.rollouts.rollback(undefined, { who: 'anna', why: 'no' })).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
  });
});
