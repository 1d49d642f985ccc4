import { describe, expect, test } from 'vitest';
import { canaryCount, stableOrder } from '../../../gateway/rollout/cohorts.ts';
import { meta, parts } from '../registry/support.ts';
import { createFleet, Died } from './fleet.ts';

const four = ['w1', 'w2', 'w3', 'w4'];
const settings = { soakWindows: 10, trialWindows: 60 };

/** Every device, in the order in which a version reaches them. */
function ordered(fleet: ReturnType<typeof createFleet>, id: string): string[] {
  return fleet.rollouts.get(id)?.order as string[];
}

describe('stableOrder()', () => {
  test('depends on ids and salt alone, and another salt puts others first', () => {
    const ids = Array.from({ length: 50 }, (_, i) => `w${i}`);
    const order = stableOrder(ids, 'a');
    expect(stableOrder([...ids].reverse(), 'a')).toEqual(order);
    expect([...order].sort()).toEqual([...ids].sort());
    const firsts = new Set(Array.from({ length: 40 }, (_, i) => stableOrder(ids, `${i}`)[0]));
    expect(firsts.size).toBeGreaterThan(15);
  });
});

describe('canaryCount()', () => {
  test('is a share, one at least and all at most', () => {
    expect([canaryCount(4, 0.25), canaryCount(9, 0.25), canaryCount(3, 0.01)]).toEqual([1, 3, 1]);
    expect([canaryCount(2, 1), canaryCount(0, 0.5)]).toEqual([2, 0]);
  });
});

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

describe('devices that are away', () => {
  test('are no canary, and are caught up when they say hello, long after', () => {
    const fleet = createFleet(four, { settings });
    for (const id of ['w1', 'w2']) fleet.leave(id);
    const { id } = fleet.start(2);
    fleet.windows(20);
    expect(fleet.stages(id)).toEqual({
      ...{ w1: 'waiting', w2: 'waiting', w3: 'confirmed', w4: 'confirmed' },
    });
    expect(fleet.rollouts.get(id)?.stage).toBe('settled');
    fleet.comeBack('w1');
    expect(fleet.stages(id).w1).toBe('trial');
    fleet.windows(10);
    expect(fleet.stages(id).w1).toBe('confirmed');
  });

  test('hold nobody up when they were canaries', () => {
    const fleet = createFleet(four, { settings });
    const { id } = fleet.start(2);
    const [canary, second] = ordered(fleet, id);
    fleet.leave(canary);
    fleet.windows(20);
    expect(fleet.stages(id)[second]).toBe('waiting');
    fleet.wait(600_000);
    fleet.windows(1);
    expect(fleet.stages(id)[second]).toBe('trial');
    fleet.windows(20);
    fleet.windows(20);
    expect(fleet.stages(id)[second]).toBe('confirmed');
    fleet.comeBack(canary);
    fleet.windows(10);
    expect(fleet.stages(id)[canary]).toBe('confirmed');
  });

  test('that are new get the version too', () => {
    const fleet = createFleet(['w1'], { settings });
    const { id } = fleet.start(2);
    fleet.windows(10);
    fleet.twins.set('w9', { release: 1, trial: null, online: true });
    fleet.comeBack('w9');
    fleet.windows(10);
    expect(fleet.stages(id)).toEqual({ w1: 'confirmed', w9: 'confirmed' });
  });
});

describe('a version that does harm', () => {
  test('is taken back from the canary when its labels say so, before anyone else has it', async () => {
    const fleet = createFleet(four, { settings });
    for (const id of four) await fleet.past(id, 40, true);
    for (const twin of fleet.twins.values()) twin.worse = { score: 80, right: false };
    const { id, version } = fleet.start(2);
    const [canary] = ordered(fleet, id);
    fleet.windows(10, true);
    expect(fleet.rollouts.get(id)).toMatchObject({ stage: 'returned' });
    expect(fleet.rollouts.get(id)?.why).toMatch(/0 % of 9 labelled windows, before: 9\d % of/);
    expect(fleet.stages(id)[canary]).toBe('back');
    expect(fleet.calls).toEqual([`offer ${canary} 2`, `revert ${canary} 2`]);
    expect(fleet.registry.get(version).stage).toBe('rolledback');
    expect(fleet.registry.get(fleet.first).stage).toBe('champion');
  });

  test('is taken back when its scores collapse and nobody gives labels', async () => {
    const fleet = createFleet(four, { settings });
    for (const id of four) await fleet.past(id, 40, false);
    for (const twin of fleet.twins.values()) twin.worse = { score: 10, right: false };
    const { id } = fleet.start(2);
    fleet.windows(10);
    expect(fleet.rollouts.get(id)?.stage).toBe('returned');
    expect(fleet.rollouts.get(id)?.why).toMatch(/mean score 1\d, expected 8\d/);
  });

  test('is compared with the days since the drift, where that is known', async () => {
    const harmless = async (since: number | undefined) => {
      const fleet = createFleet(['w1'], { settings });
      await fleet.past('w1', 40, true);
      fleet.twins.set('w1', { release: 1, trial: null, online: true });
      const { id } = fleet.start(2, { since });
      for (let i = 0; i < 10; i++) {
        fleet.rollouts.label('w1', { release: 2, correct: i < 3 });
      }
      fleet.windows(10);
      return fleet.rollouts.get(id)?.stage;
    };
    expect(await harmless(undefined)).toBe('returned');
    expect(await harmless(1001)).toBe('settled');
  });

  test('is not blamed for what the unchanged devices suffer as well', async () => {
    const fleet = createFleet(four, { settings });
    for (const id of four) await fleet.past(id, 40, false);
    const { id } = fleet.start(2);
    for (let i = 0; i < 10; i++) {
      for (const [name, twin] of fleet.twins) {
        fleet.rollouts.window(name, { release: twin.trial ?? twin.release, score: 12 + (i % 5) });
      }
    }
    fleet.pump();
    expect(fleet.rollouts.get(id)?.stage).toBe('rest');
  });

  test('is undone everywhere when too many of the rest fail', async () => {
    const fleet = createFleet(four, { settings });
    for (const id of four) await fleet.past(id, 40, true);
    const { id } = fleet.start(2);
    const [canary, ...rest] = ordered(fleet, id);
    fleet.windows(10, true);
    for (const name of rest) {
      const twin = fleet.twins.get(name);
      if (twin !== undefined) twin.worse = { score: 80, right: false };
    }
    fleet.windows(12, true);
    expect(fleet.rollouts.get(id)?.stage).toBe('returned');
    expect(fleet.twins.get(canary)).toMatchObject({ release: 3, trial: null });
    expect(fleet.registry.releaseOf(3)?.version).toBe(fleet.first);
    for (const name of rest)
      expect(fleet.twins.get(name)).toMatchObject({ release: 1, trial: null });
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

describe('faults of a device', () => {
  test.each([
    [7, 'it is too large for the device'],
    [11, 'the device has no room for it'],
    [9, 'the device runs a newer release'],
  ])('status %i as canary: refused, the next one goes first', (status, reason) => {
    const fleet = createFleet(four, { settings });
    const first = stableOrder(four, versionOf(fleet))[0];
    const twin = fleet.twins.get(first);
    if (twin !== undefined) twin.fault = { status };
    const { id } = fleet.start(2);
    expect(fleet.rollouts.get(id)?.members[first]).toMatchObject({ stage: 'refused', reason });
    fleet.windows(20);
    expect(fleet.rollouts.get(id)).toMatchObject({
      stage: 'settled',
      why: '3 of 4 devices confirmed it',
    });
  });

  test('a self-test that differs on the canary undoes the rollout', () => {
    const fleet = createFleet(four, { settings });
    for (const twin of fleet.twins.values()) twin.fault = { status: 10 };
    const { id, version } = fleet.start(2);
    expect(fleet.rollouts.get(id)?.stage).toBe('returned');
    expect(fleet.rollouts.get(id)?.why).toMatch(/self-test/);
    expect(fleet.calls).toHaveLength(1);
    expect(fleet.registry.get(version).stage).toBe('rolledback');
  });

  test('damage on the way is tried again, and given up in the end', () => {
    const fleet = createFleet(['w1'], { settings });
    fleet.twins.set('w1', { release: 1, trial: null, online: true, fault: { status: 8 } });
    const { id } = fleet.start(2);
    expect(fleet.calls).toEqual(['offer w1 2', 'offer w1 2', 'offer w1 2']);
    expect(fleet.rollouts.get(id)).toMatchObject({ stage: 'returned' });
    expect(fleet.rollouts.get(id)?.why).toMatch(/damaged/);
  });

  test('a device that dies in the middle is asked again and gets there', () => {
    const fleet = createFleet(['w1'], { settings });
    fleet.twins.set('w1', { release: 1, trial: null, online: true, fault: { dies: 1 } });
    const { id } = fleet.start(2);
    expect(fleet.stages(id)).toEqual({ w1: 'transferring' });
    fleet.comeBack('w1');
    expect(fleet.stages(id)).toEqual({ w1: 'trial' });
    fleet.windows(10);
    expect(fleet.stages(id)).toEqual({ w1: 'confirmed' });
  });

  test('a device that never answers is given up after some silence', () => {
    const fleet = createFleet(['w1'], { settings });
    fleet.twins.set('w1', { release: 1, trial: null, online: true, fault: { silent: true } });
    const { id } = fleet.start(2);
    for (let i = 0; i < 3; i++) fleet.wait(600_000);
    expect(fleet.rollouts.get(id)?.why).toMatch(/does not answer/);
    expect(fleet.calls.filter((call) => call.startsWith('offer'))).toHaveLength(3);
  });

  test('a device that restarts on trial loses it, is asked again, and fails at the third time', () => {
    const fleet = createFleet(['w1'], { settings });
    const { id } = fleet.start(2);
    fleet.windows(5);
    fleet.crash('w1');
    expect(fleet.rollouts.get(id)?.members.w1).toMatchObject({ stage: 'trial', attempts: 1 });
    fleet.windows(9);
    expect(fleet.stages(id).w1).toBe('trial');
    fleet.crash('w1');
    fleet.crash('w1');
    expect(fleet.rollouts.get(id)).toMatchObject({ stage: 'returned' });
  });

  test('a confirmation that was lost is said again at the next hello', () => {
    const fleet = createFleet(['w1'], { settings });
    const { id } = fleet.start(2);
    fleet.windows(9);
    fleet.dieAfter(0);
    expect(() => fleet.windows(1)).toThrow(Died);
    expect(fleet.twins.get('w1')).toMatchObject({ release: 1, trial: 2 });
    fleet.restart();
    expect(fleet.stages(id)).toEqual({ w1: 'confirmed' });
  });
});

describe('a gateway that is restarted', () => {
  const run = (fleet: ReturnType<typeof createFleet>, act: (step: number) => void) => {
    const id = fleet.start(2).id;
    for (let step = 0; step < 45; step++) {
      act(step);
      fleet.windows(1);
    }
    return id;
  };

  test('finishes the rollout, wherever it was stopped', () => {
    for (let at = 0; at < 45; at += 2) {
      const fleet = createFleet(four, { settings });
      const id = run(fleet, (step) => {
        if (step === at) fleet.restart();
      });
      expect(fleet.rollouts.get(id)?.stage, `restarted before window ${at}`).toBe('settled');
      expect([...fleet.twins.values()].map((twin) => twin.release)).toEqual([2, 2, 2, 2]);
    }
  });

  test('finishes it when it dies between storing a step and doing it, at every call', () => {
    let deaths = 0;
    for (let n = 0; n < 8; n++) {
      const fleet = createFleet(four, { settings });
      fleet.dieAfter(n);
      const survive = (act: () => void) => {
        try {
          act();
        } catch (error) {
          if (!(error instanceof Died)) throw error;
          deaths++;
          fleet.restart();
        }
      };
      survive(() => fleet.start(2));
      for (let i = 0; i < 45; i++) survive(() => fleet.windows(1));
      const [{ id }] = fleet.rollouts.list();
      expect(fleet.rollouts.get(id)?.stage, `died at call ${n}`).toBe('settled');
      expect([...fleet.twins.values()].map((twin) => twin.release)).toEqual([2, 2, 2, 2]);
    }
    expect(deaths).toBe(8);
  });

  test('finishes a rollback, wherever it was stopped', () => {
    for (let n = 0; n < 8; n++) {
      const fleet = createFleet(four, { settings });
      const { id, version } = fleet.start(2);
      fleet.windows(n % 2 === 0 ? 10 : 30);
      fleet.dieAfter(n >> 1);
      try {
        fleet.rollouts.rollback(version, { who: 'anna', why: 'no' });
        fleet.pump();
      } catch (error) {
        if (!(error instanceof Died)) throw error;
      }
      fleet.restart();
      expect(fleet.rollouts.get(id)?.stage, `died at call ${n >> 1}`).toBe('returned');
      for (const twin of fleet.twins.values()) {
        expect(twin.trial).toBeNull();
        expect(fleet.registry.releaseOf(twin.release)?.version).toBe(fleet.first);
      }
      expect(fleet.registry.champion('gesture', { kind: 'fleet', id: '' })).toBe(fleet.first);
    }
  });
});

/** The version that the fleet's `start(2)` will have: to register it twice changes nothing. */
function versionOf(fleet: ReturnType<typeof createFleet>): string {
  return fleet.registry.register(parts(2), meta({ parent: fleet.first }), null);
}
