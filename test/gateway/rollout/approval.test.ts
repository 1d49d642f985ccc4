import { describe, expect, test } from 'vitest';
import { createFleet } from './fleet.ts';

const four = ['w1', 'w2', 'w3', 'w4'];
const settings = { soakWindows: 10, trialWindows: 60, approval: 'canary' };

/** A fleet whose canary has passed. */
function passed() {
  const fleet = createFleet(four, { settings });
  const { id, version } = fleet.start(2);
  fleet.windows(10);
  const stage = () => fleet.rollouts.get(id)?.stage;
  const releases = () => four.map((device) => fleet.twins.get(device)?.release);
  expect(stage()).toBe('awaiting-approval');
  return { fleet, id, version, stage, releases };
}

describe('approve()', () => {
  test('lets the rest have it, however long it took and whatever restarted meanwhile', () => {
    const { fleet, id, version, stage, releases } = passed();
    const canary = fleet.rollouts.get(id)!.order[0]!;
    fleet.windows(100);
    fleet.wait(7 * 24 * 3600 * 1000);
    fleet.restart();
    fleet.windows(100);
    expect([stage(), releases().filter((release) => release === 2).length]).toEqual([
      ...['awaiting-approval', 1],
    ]);
    expect(fleet.twins.get(canary)).toMatchObject({ release: 2, trial: null });
    fleet.rollouts.approve(id, 'ann (operator)');
    fleet.pump();
    fleet.windows(10);
    expect([stage(), releases()]).toEqual(['settled', [2, 2, 2, 2]]);
    expect(fleet.registry.get(version).stage).toBe('champion');
    const [event, ...more] = fleet.store.journal.find({ kind: 'rollout.approved', subject: id });
    expect([event?.data, more]).toMatchObject([{ who: 'ann (operator)', version }, []]);
  });

  test('throws not-allowed where nothing waits for it, and not-found for none', () => {
    const { fleet, id } = passed();
    fleet.rollouts.approve(id, 'ann');
    const failure = (act: () => void) => {
      try {
        act();
      } catch (error) {
        return error;
      }
      return undefined;
    };
    expect(failure(() => fleet.rollouts.approve(id, 'ann'))).toMatchObject({
      ...{
        code: 'not-allowed',
        message: `rollout ${id} waits for no approval any more: it goes out already (rest)`,
      },
    });
    expect(failure(() => fleet.rollouts.approve('nope', 'ann'))).toMatchObject({
      ...{ code: 'not-found', message: "no rollout 'nope'" },
    });
    fleet.windows(10);
    expect(failure(() => fleet.rollouts.stop(id, { who: 'ann', why: 'x' }))).toMatchObject({
      ...{ code: 'not-allowed', message: `rollout ${id} is over: settled` },
      hint: expect.stringContaining('whetstone rollback'),
    });
  });
});

describe('stop()', () => {
  test('takes back what the canaries confirmed, and says who wanted it and why', () => {
    const { fleet, id, version, stage, releases } = passed();
    fleet.rollouts.stop(id, { who: 'ann (operator)', why: 'too early' });
    fleet.pump();
    fleet.windows(1);
    // the way back is offered on trial, and confirmed
    expect([stage(), new Set(Object.values(fleet.stages(id)))]).toEqual([
      ...['returned', new Set(['back', 'waiting'])],
    ]);
    expect(releases().filter((release) => release !== 1)).toEqual([3]);
    expect(fleet.registry.releaseOf(3)?.version).toBe(fleet.first);
    expect(fleet.registry.get(version).stage).toBe('rolledback');
    expect(fleet.registry.champion('gesture', { kind: 'fleet', id: '' })).toBe(fleet.first);
    expect(fleet.rollouts.get(id)?.why).toBe('stopped by ann (operator): too early');
    const [event] = fleet.store.journal.find({ kind: 'rollout.stopped', subject: id });
    expect(event?.data).toMatchObject({ who: 'ann (operator)', why: 'too early', version });
  });

  test('ends one without approval as well, canary or rest, and never offers it again', () => {
    for (const windows of [3, 13]) {
      const fleet = createFleet(four, { settings: { ...settings, approval: 'none' } });
      const { id } = fleet.start(2);
      fleet.windows(windows);
      expect(fleet.rollouts.get(id)?.stage).toBe(windows === 3 ? 'canary' : 'rest');
      fleet.rollouts.stop(id, { who: 'ann', why: 'no' });
      fleet.pump();
      fleet.restart();
      fleet.windows(30);
      expect(fleet.rollouts.get(id)?.stage).toBe('returned');
      const held = new Set(four.map((device) => fleet.twins.get(device)?.release));
      expect(held.has(2)).toBe(false);
    }
  });
});

test('start() refuses devices that wait for a yes, and says what to do', () => {
  const { fleet, id } = passed();
  expect(() => fleet.start(3)).toThrow(
    expect.objectContaining({
      code: 'not-allowed',
      hint: expect.stringContaining(`approve ${id}`),
    }),
  );
});
