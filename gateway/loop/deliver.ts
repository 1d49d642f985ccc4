import { kindOf } from '../../device/kind.ts';
import { GatewayError } from '../errors.ts';
import type { Connection } from '../link/connect.ts';
import type { Registry } from '../registry/registry.ts';
import type { RolloutLink } from '../rollout/stepper.ts';
import type { Store } from '../store/store.ts';
import type { Task } from '../task.ts';
import type { RefusedUpdate } from './refused-updates.ts';

/**
 * Brings what a rollout decides to the devices that are connected. A release that does not verify stays
 * here.
 *
 * @param parts what is offered and to whom; `refused` is told of what stays here
 */
export function deliverTo(parts: {
  task: Task;
  store: Pick<Store, 'devices'>;
  registry: Registry;
  online: ReadonlyMap<string, Pick<Connection, 'offer' | 'confirm' | 'revert'>>;
  refused: (device: string, update: RefusedUpdate) => void;
}): RolloutLink {
  const { task, store, registry, online, refused } = parts;
  return {
    offer(device, _version, release) {
      try {
        const { bytes, expires: endMs, ...offer } = registry.offer(release, task.name);
        const { trialWindows } = task.rollout;
        const kind = kindOf(store.devices.get(device)?.board ?? '', task.name);
        const expires = Math.floor(endMs / 1000);
        online.get(device)?.offer({ ...offer, trialWindows, kind, expires }, bytes);
        return undefined;
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        const { code } = error;
        refused(device, { release, code, by: 'gateway', reason: error.line() });
        return { code, why: error.line() };
      }
    },
    confirm: (device, release) => online.get(device)?.confirm(release),
    revert: (device, release) => online.get(device)?.revert(release),
  };
}
