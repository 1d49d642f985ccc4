import { GatewayError } from '../errors.ts';
import type { Scope } from '../registry/manifest.ts';
import type { Registry } from '../registry/registry.ts';
import type { Store } from '../store/store.ts';
import type { RolloutRepository } from './repository.ts';
import { goesOn, isUndone } from './state.ts';
import type { Feed } from './stepper.ts';

/** Which device is in which rollout: in one at a time. */
export interface Membership {
  /** Is the device in a rollout that has not settled? Then it can be in no other. */
  busy(device: string): boolean;
  /** Id of the rollout of a device that waits for a person's yes; undefined where none does. */
  waiting(device: string): string | undefined;
  /** What a device ran before a release that is on trial on it; null where none is. */
  replaced(device: string, release: number): string | null;
  /** @throws GatewayError 'not-allowed' if one of the devices is in a rollout that goes on */
  refuseIfBusy(devices: readonly string[]): void;
  /** Supersedes the rollout of the same scope; other rollouts leave these devices alone from now on. */
  takeOver(task: string, scope: Scope, devices: readonly string[]): void;
  /** A device that the gateway did not know when a rollout of its scope began. */
  enrol(device: string): void;
  /** Devices that a release spared get it after all: their world has changed since. */
  include(devices: readonly string[]): void;
}

/** @param now ms since 1970 */
export function createMembership({
  devices,
  registry,
  repository,
  feed,
  now,
}: {
  devices: Pick<Store['devices'], 'get'>;
  registry: Pick<Registry, 'served'>;
  repository: Pick<RolloutRepository, 'active' | 'save' | 'hold'>;
  feed: Feed;
  now: () => number;
}): Membership {
  const { active } = repository;

  /** Devices that another rollout takes over are no longer this one's business. */
  function leave(id: string, devices: readonly string[]): void {
    const state = structuredClone(active.get(id)!);
    state.order = state.order.filter((device) => !devices.includes(device));
    for (const device of devices) delete state.members[device];
    repository.save(state);
    repository.hold(state);
  }

  function enrol(device: string): void {
    const known = devices.get(device);
    if (known === undefined) return;
    for (const [id, s] of [...active]) {
      // flashed for another task since
      if (s.members[device] !== undefined && s.task !== known.task) leave(id, [device]);
    }
    for (const [id, s] of [...active]) {
      if (s.members[device] !== undefined || s.task !== known.task) continue;
      if (isUndone(s) && (s.champion === null || known.version !== null)) continue;
      if (s.spared?.includes(device) && known.version !== null) continue;
      const taken = [...active.values()].some((other) => other.members[device] !== undefined);
      if (taken || !registry.served(s.task, s.scope).some((d) => d.id === device)) continue;
      const previous = isUndone(s) ? s.champion : known.version;
      feed(id, { t: 'enrol', device, previous, now: now() });
    }
  }

  return {
    enrol,
    busy: (device) =>
      [...active.values()].some((s) => goesOn(s) && s.members[device] !== undefined),
    waiting: (device) =>
      [...active.values()].find(
        (s) => s.stage === 'awaiting-approval' && s.members[device] !== undefined,
      )?.id,
    replaced(device, release) {
      const on = [...active.values()].find((s) => s.release === release && goesOn(s));
      return on?.members[device]?.previous ?? null;
    },
    refuseIfBusy(devices) {
      for (const [id, state] of active) {
        if (!goesOn(state)) continue;
        const shared = devices.find((device) => state.members[device] !== undefined);
        if (shared === undefined) continue;
        throw new GatewayError('not-allowed', `device ${shared} is in rollout ${id} already`, {
          hint:
            state.stage === 'awaiting-approval'
              ? `it waits for a yes: whetstone rollouts approve ${id}`
              : 'wait until it has settled, or undo it: whetstone rollback',
        });
      }
    },
    takeOver(task, scope, devices) {
      for (const [id, state] of [...active]) {
        const same =
          state.task === task && state.scope.kind === scope.kind && state.scope.id === scope.id;
        if (same) feed(id, { t: 'supersede', now: now() });
        else if (devices.some((device) => state.members[device] !== undefined)) leave(id, devices);
      }
    },
    include(devices) {
      for (const state of [...active.values()]) {
        const back = devices.filter((device) => state.spared?.includes(device));
        if (back.length === 0) continue;
        const spared = state.spared!.filter((device) => !back.includes(device));
        const changed = { ...structuredClone(state), spared };
        repository.save(changed);
        repository.hold(changed);
        for (const device of back) enrol(device);
      }
    },
  };
}
