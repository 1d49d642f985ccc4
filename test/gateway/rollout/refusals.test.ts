import { describe, expect, test } from 'vitest';
import { STATUSES } from '../../../device/core/messages.ts';
import type { ErrorCode } from '../../../gateway/errors.ts';
import { isRefusal } from '../../../gateway/rollout/refusals.ts';
import { createFleet } from './fleet.ts';

const codes = Object.entries(STATUSES)
  .filter(([, name]) => isRefusal(name))
  .map(([code, name]) => [name, Number(code)] as const);
const ids = ['a', 'b', 'c', 'd'];
/** Everything that happens to a device in a long time: it comes back, says hello, ticks go by. */
function live(fleet: ReturnType<typeof createFleet>, id: string): void {
  for (let i = 0; i < 50; i++) {
    fleet.leave(id);
    fleet.comeBack(id);
    fleet.wait(700_000);
  }
}
const offers = (fleet: ReturnType<typeof createFleet>, id: string, release = 2) =>
  fleet.calls.filter((call) => call.startsWith('offer') && call.endsWith(`${id} ${release}`))
    .length;

describe('a device that refuses', () => {
  test.each(codes)('%s is not offered the version for ever', (name, code) => {
    const fleet = createFleet(ids);
    for (const id of ids) {
      const twin = fleet.twins.get(id);
      if (twin) twin.fault = { status: code };
    }
    const { id: rollout } = fleet.start(2);
    for (const id of ids) live(fleet, id);
    const state = fleet.rollouts.get(rollout);
    expect(state?.stage).toBe('returned');
    for (const id of ids) expect(offers(fleet, id), `${name} ${id}`).toBeLessThanOrEqual(3);
    expect(state?.why).not.toBe('');
    const told = Object.values(state?.members ?? {}).map(({ reason }) => reason);
    expect(told.some((reason) => reason !== '')).toBe(true);
  });

  test.each([['selftest-different', 10]])(
    '%s as a canary keeps the version from everybody else',
    (_, code) => {
      const fleet = createFleet(ids);
      for (const twin of fleet.twins.values()) twin.fault = { status: code };
      const { id } = fleet.start(2);
      expect(fleet.rollouts.get(id)?.stage).toBe('returned');
      expect(ids.filter((device) => offers(fleet, device) > 0)).toHaveLength(1);
    },
  );

  test.each([
    ['refused-board', 15],
    ['refused-stale', 16],
    ['refused-size', 7],
    ['refused-golden', 17],
  ])('%s is left out, and the others go on', (_, code) => {
    const fleet = createFleet(ids, { settings: { soakWindows: 5 } });
    const { id } = fleet.start(2);
    const first = Object.entries(fleet.stages(id)).find(([, stage]) => stage === 'trial')?.[0];
    const other = ids.find((device) => device !== first) as string;
    const twin = fleet.twins.get(other);
    if (twin) twin.fault = { status: code };
    fleet.windows(30);
    live(fleet, other);
    expect(fleet.stages(id)[other]).toBe('refused');
    expect(Object.values(fleet.stages(id)).filter((stage) => stage === 'confirmed')).toHaveLength(
      3,
    );
    expect(fleet.rollouts.get(id)?.stage).toBe('settled');
    expect(offers(fleet, other)).toBe(1);
  });
});

describe('a device that refused and comes back with nothing', () => {
  /** The first canary comes back with what another gateway released under the same number. */
  function moved() {
    const fleet = createFleet(ids, { settings: { soakWindows: 5 } });
    const { id: rollout } = fleet.start(2);
    const [device] = Object.entries(fleet.stages(rollout)).find(([, stage]) => stage === 'trial')!;
    const twin = fleet.twins.get(device)!;
    fleet.leave(device);
    Object.assign(twin, { release: 2, trial: null, online: true });
    const greet = () => {
      fleet.rollouts.hello(device, { release: 0, state: 0 });
      fleet.pump();
    };
    greet();
    expect(fleet.stages(rollout)[device]).toBe('refused');
    return { fleet, rollout, device, twin, greet };
  }
  const member = ({ fleet, rollout, device }: ReturnType<typeof moved>) =>
    fleet.rollouts.get(rollout)!.members[device];

  test('gets what it ran before, stays left out, and ends nothing', () => {
    const world = moved();
    const { fleet, rollout, twin, greet } = world;
    greet();
    expect(twin.release).toBe(3);
    expect(member(world)).toMatchObject({
      ...{
        stage: 'refused',
        reason: 'the device runs a newer release: the next rollout has a higher number',
      },
    });
    fleet.windows(30);
    expect(fleet.rollouts.get(rollout)?.stage).toBe('settled');
    expect(Object.values(fleet.stages(rollout)).toSorted()).toEqual([
      ...['confirmed', 'confirmed', 'confirmed', 'refused'],
    ]);
  });

  test('and cannot take what it ran before either, stays left out, and ends nothing', () => {
    const world = moved();
    const { fleet, rollout, twin, greet } = world;
    twin.release = 9;
    greet();
    expect(member(world)).toMatchObject({ stage: 'refused' });
    fleet.windows(30);
    expect(fleet.rollouts.get(rollout)?.stage).toBe('settled');
  });

  test('is back where the rollout is undone meanwhile', () => {
    const world = moved();
    const { fleet, rollout, twin, greet } = world;
    twin.fault = { silent: true };
    greet();
    expect(member(world)?.stage).toBe('returning');
    fleet.rollouts.stop(rollout, { who: 'test', why: 'no' });
    delete twin.fault;
    greet();
    expect(member(world)?.stage).toBe('back');
    expect(fleet.rollouts.get(rollout)?.stage).toBe('returned');
  });
});

describe('a gateway that refuses', () => {
  const rotten: ErrorCode[] = ['bad-hash', 'bad-signature', 'bad-key', 'revoked-key'];

  test.each(rotten)('%s stops the rollout at once, and the version before stays', (code) => {
    const fleet = createFleet(ids);
    for (const twin of fleet.twins.values())
      twin.fault = { gateway: { code, why: `it is ${code}` } };
    const { id, version } = fleet.start(2);
    expect(fleet.rollouts.get(id)).toMatchObject({ stage: 'returned', why: `it is ${code}` });
    expect(fleet.registry.get(version).stage).toBe('rolledback');
    expect(fleet.registry.get(fleet.first).stage).toBe('champion');
    for (const device of ids) live(fleet, device);
    expect(fleet.calls.filter((call) => call.startsWith('held'))).toHaveLength(1);
  });

  test('expired-release leaves devices out until it is released again', () => {
    const fleet = createFleet(ids, { settings: { soakWindows: 5 } });
    const { id, version } = fleet.start(2);
    const late = Object.entries(fleet.stages(id)).find(([, stage]) => stage === 'waiting')?.[0];
    const twin = fleet.twins.get(late as string);
    const why = 'release 2 is over';
    if (twin) twin.fault = { gateway: { code: 'expired-release', why } };
    fleet.windows(30);
    live(fleet, late as string);
    expect(fleet.rollouts.get(id)).toMatchObject({ stage: 'settled' });
    expect(fleet.rollouts.get(id)?.members[late as string]).toMatchObject({
      ...{ stage: 'refused', reason: why },
    });
    expect(fleet.calls.filter((call) => call.startsWith('held'))).toHaveLength(1);
    // nothing keeps it from being offered: nothing to say again
    expect(fleet.rollouts.renew(version, { who: 'test', why: 'again' })).toBeUndefined();
    if (twin) twin.fault = undefined;
    // its key is revoked, and it was signed again: the statement of the release is still the old key's
    const [old] = fleet.registry.keyring.list();
    fleet.registry.keyring.rotate('test');
    fleet.registry.keyring.revoke(old?.id as string, { who: 'test', why: 'stolen' });
    expect(() => fleet.rollouts.renew(version, { who: 'test', why: 'again' })).toThrow(
      expect.objectContaining({ code: 'revoked-key' }),
    );
    fleet.registry.signAgain(version, { who: 'test', why: 'looked at' });
    expect(fleet.rollouts.renew(version, { who: 'test', why: 'again' })).toBe(id);
    fleet.pump();
    fleet.windows(30);
    expect(fleet.stages(id)[late as string]).toBe('confirmed');
    expect(fleet.registry.offer(2).release).toBe(2);
  });

  test('revoked-key of the version before leaves its devices where they are, and says why', () => {
    const fleet = createFleet(ids, { settings: { soakWindows: 5 } });
    const [old] = fleet.registry.keyring.list();
    fleet.registry.keyring.rotate('test');
    fleet.registry.keyring.revoke(old?.id as string, { who: 'test', why: 'stolen' });
    const { id, version } = fleet.start(2);
    fleet.windows(30);
    expect(fleet.rollouts.get(id)?.stage).toBe('settled');
    fleet.rollouts.rollback(version, { who: 'test', why: 'not good' });
    fleet.pump();
    const state = fleet.rollouts.get(id);
    expect(state?.stage).toBe('returned');
    for (const member of Object.values(state?.members ?? {})) {
      expect(member).toMatchObject({ stage: 'failed' });
      expect(member.reason).toContain('it cannot go back');
    }
  });
});
