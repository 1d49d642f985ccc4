import type { Registry } from '../registry/registry.ts';
import type { Store } from '../store/store.ts';
import { createDecisions, type Decisions } from './decisions.ts';
import { createMembership, type Membership } from './membership.ts';
import { createRecorder } from './recorder.ts';
import { createRepository, type RolloutRepository } from './repository.ts';
import { createStart, type Reads, type StartOptions } from './start.ts';
import type { RolloutInput, RolloutSettings } from './state.ts';
import { createStepper, type RolloutLink } from './stepper.ts';

/** All rollouts of a gateway: what begins them, what devices say, what people decide, and what they are. */
export interface Rollouts
  extends Decisions,
    Pick<Membership, 'busy' | 'waiting' | 'replaced' | 'include'>,
    Pick<RolloutRepository, 'get' | 'of' | 'known' | 'list'> {
  /**
   * Begins to roll a candidate out to the devices of its scope.
   *
   * @returns id of the rollout
   * @throws GatewayError 'not-allowed' if a device is in another rollout that has not settled
   */
  start(version: string, options: StartOptions): string;
  hello(device: string, seen: { release: number; state: number }): void;
  offline(device: string): void;
  status(device: string, seen: { release: number; code: number }): void;
  window(device: string, seen: { release: number; score: number }): void;
  /** @param seen `before`: whether the version before is right on the same window, where that is known */
  label(device: string, seen: { release: number; correct: boolean; before?: boolean }): void;
  /** The raw window of a label came after it: what the version before says of it is known now. */
  pair(device: string, seen: { release: number; correct: boolean; before: boolean }): void;
  /** To be called now and then: devices that fell silent are asked again. */
  tick(): void;
  /** Stores what only windows changed; call it before the process ends. */
  save(): void;
}

const plainReads: Reads = {
  worth: ({ score }) => score,
  isRight: (said, truth) => said === truth,
};

/**
 * Runs the rollout machines: stores each state before anything is done about it, and takes up after
 * a restart whatever was under way. Sessions begin with a hello, and a hello makes the machine ask
 * again for what it waits for; so nothing else has to be repeated.
 *
 * @param store where states are kept
 * @param registry versions and releases
 * @param link to the devices
 * @param now ms since 1970
 * @param reads what the stored windows of a device say of its model; default: as a class with a margin
 * @param approval of rollouts that begin from now on
 */
export function createRollouts(
  store: Store,
  registry: Registry,
  link: RolloutLink,
  now: () => number = Date.now,
  reads: Reads = plainReads,
  approval: RolloutSettings['approval'] = 'none',
): Rollouts {
  const online = new Set<string>();
  const repository = createRepository(store, now);
  const { active, get, of, known, list } = repository;
  const record = createRecorder({ journal: store.journal, registry, now });
  const feed = createStepper({ store, repository, record, link, now });
  const membership = createMembership({
    ...{ devices: store.devices, registry, repository, feed, now },
  });
  const { busy, waiting, replaced, include } = membership;
  const isOnline = (device: string): boolean => online.has(device);

  /** Tells all rollouts that a device is part of. */
  function each(device: string, input: (now: number) => RolloutInput): void {
    for (const [id, state] of [...active]) {
      if (state.members[device] !== undefined) feed(id, input(now()));
    }
  }

  return {
    ...createDecisions({ registry, repository, feed, now }),
    ...{ busy, waiting, replaced, include },
    ...{ get, of, known, list, save: repository.flush },
    start: createStart({
      ...{ store, registry, repository, membership, feed, isOnline, now, reads, approval },
    }),
    hello(device, { release, state }) {
      online.add(device);
      membership.enrol(device);
      each(device, (at) => ({ t: 'hello', device, release, state, now: at }));
    },
    offline(device) {
      online.delete(device);
      each(device, (at) => ({ t: 'offline', device, now: at }));
    },
    status: (device, seen) => each(device, (at) => ({ t: 'status', device, ...seen, now: at })),
    window: (device, seen) => each(device, (at) => ({ t: 'window', device, ...seen, now: at })),
    label: (device, seen) => each(device, (at) => ({ t: 'label', device, ...seen, now: at })),
    pair: (device, seen) => each(device, (at) => ({ t: 'pair', device, ...seen, now: at })),
    tick() {
      for (const id of [...active.keys()]) feed(id, { t: 'tick', now: now() });
    },
  };
}
