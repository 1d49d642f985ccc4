import { randomUUID } from 'node:crypto';
import type { Answers } from '../answers.ts';
import { scopeName } from '../registry/manifest.ts';
import type { Because, Registry } from '../registry/registry.ts';
import type { Store } from '../store/store.ts';
import { stableOrder } from './cohorts.ts';
import { newMember } from './member.ts';
import type { Membership } from './membership.ts';
import type { RolloutRepository } from './repository.ts';
import {
  addLabel,
  addWindow,
  nothingSeen,
  type RolloutSettings,
  type RolloutState,
  rolloutDefaults,
  type Seen,
} from './state.ts';
import type { Feed } from './stepper.ts';

/** How a rollout begins. */
export interface StartOptions extends Because {
  /** trained on few labels: see {@link RolloutState} */
  provisional?: boolean;
  /** released on the failure of the version before: see {@link RolloutState} */
  unproven?: boolean;
  /** devices that keep what they run: nothing is wrong with it */
  spared?: readonly string[];
  /**
   * windows from then on are the past that it is compared with, ms since 1970: the beginning of the
   * drift that it is to heal. Without it a good update would have to match better days.
   */
  since?: number;
  settings?: Partial<RolloutSettings>;
}

/** What the stored windows of a device say of its model. */
export type Reads = Pick<Answers, 'worth' | 'isRight'>;

/** Windows of a device's past that the new version is compared with. */
const pastWindows = 100;

/**
 * @param isOnline whether a device has said hello and not gone since
 * @param now ms since 1970
 * @param approval of rollouts whose settings do not say
 * @returns begins a rollout; see `Rollouts.start`
 */
export function createStart({
  store,
  registry,
  repository,
  membership,
  feed,
  isOnline,
  now,
  reads,
  approval,
}: {
  store: Pick<Store, 'transaction' | 'journal' | 'samples'>;
  registry: Registry;
  repository: Pick<RolloutRepository, 'save' | 'hold'>;
  membership: Pick<Membership, 'refuseIfBusy' | 'takeOver'>;
  feed: Feed;
  isOnline: (device: string) => boolean;
  now: () => number;
  reads: Reads;
  approval: RolloutSettings['approval'];
}): (version: string, options: StartOptions) => string {
  function past(device: string, release: number, since?: number): Seen {
    const samples = store.samples.find({
      ...{ device, release, since, quarantined: false, order: 'newest', limit: pastWindows },
    });
    return samples.reduce((seen, { score, label, cls }) => {
      const more = addWindow(seen, reads.worth({ cls, score }));
      return label === null ? more : addLabel(more, reads.isRight(cls, label.cls));
    }, nothingSeen);
  }

  return (version, options) => {
    const { task, scope } = registry.get(version).manifest;
    const spared = [...(options.spared ?? [])];
    const devices = registry.served(task, scope).filter(({ id }) => !spared.includes(id));
    const ids = devices.map((device) => device.id);
    const id = randomUUID();
    const at = now();
    membership.refuseIfBusy(ids);
    const champion = registry.champion(task, scope) ?? null;
    const state = store.transaction(() => {
      if (registry.get(version).stage !== 'trial') registry.setStage(version, 'trial', options);
      const made: RolloutState = {
        ...{ id, task, version, scope, champion, provisional: options.provisional ?? false },
        unproven: options.unproven ?? false,
        ...(spared.length > 0 && { spared }),
        ...{ stage: 'canary', why: options.why, startedAt: at, endedAt: null, back: {} },
        release: registry.release(version, options.why),
        settings: { ...rolloutDefaults, approval, ...options.settings },
        order: stableOrder(ids, version),
        members: Object.fromEntries(
          devices.map(({ id, version, release }) => [
            id,
            newMember(version, isOnline(id), at, past(id, release, options.since)),
          ]),
        ),
      };
      membership.takeOver(task, scope, ids);
      const data = {
        version,
        scope: scopeName(scope),
        devices: ids,
        ...(spared.length > 0 && { spared }),
      };
      store.journal.write('rollout.started', id, data, now()); // behind what the registry wrote
      repository.save(made);
      return made;
    });
    repository.hold(state);
    feed(id, { t: 'begin', now: at });
    return id;
  };
}
