import { describe, expect, test } from 'vitest';
import { stableOrder } from '../../../gateway/rollout/cohorts.ts';
import { meta, parts } from '../registry/support.ts';
import { createFleet, Died, four, ordered, settings } from './fleet.ts';

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

describe('faults of a device', () => {
  test.each([
    [7, 'it is too large for the device'],
    [11, 'the device has no room for it'],
    [9, 'the device runs a newer release: the next rollout has a higher number'],
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
