import type { ErrorCode } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { next } from './machine.ts';
import type { DeviceEffect, Recorder } from './recorder.ts';
import { isRotten } from './refusals.ts';
import type { RolloutRepository } from './repository.ts';
import type { RolloutEffect, RolloutInput, RolloutState } from './state.ts';

/** What a rollout asks of the devices; bound to their sessions. A device that is away is left out. */
export interface RolloutLink {
  /** @returns why the gateway does not let it go out; undefined where it does */
  offer(
    device: string,
    version: string,
    release: number,
  ): { code: ErrorCode; why: string } | undefined;
  confirm(device: string, release: number): void;
  revert(device: string, release: number): void;
}

/** Tells an active rollout what happened. */
export type Feed = (id: string, input: RolloutInput) => void;

/**
 * Runs the rollout machine: what a step wants of the store is one transaction with its state, and the
 * devices are asked once that is stored.
 *
 * @param now ms since 1970
 */
export function createStepper({
  store,
  repository,
  record,
  link,
  now,
}: {
  store: Pick<Store, 'transaction'>;
  repository: Pick<RolloutRepository, 'active' | 'save' | 'saveSometimes' | 'hold'>;
  record: Recorder;
  link: RolloutLink;
  now: () => number;
}): Feed {
  const { active } = repository;

  function feed(id: string, input: RolloutInput): void {
    let { state, effects } = next(active.get(id) as RolloutState, input);
    const asked: DeviceEffect[] = [];
    if (effects.length === 0 && ['window', 'label', 'pair'].includes(input.t)) {
      repository.saveSometimes(state);
    } else if (effects.length > 0 || input.t !== 'tick') {
      store.transaction(() => {
        while (effects.length > 0) {
          const answers: RolloutInput[] = [];
          for (const effect of effects) {
            if (isForDevice(effect)) asked.push(effect);
            else answers.push(...record(state, effect));
          }
          effects = [];
          for (const answer of answers) {
            const step = next(state, answer);
            state = step.state;
            effects.push(...step.effects);
          }
        }
        repository.save(state);
      });
    }
    repository.hold(state);
    for (const effect of asked) ask(id, effect);
  }

  function ask(id: string, effect: DeviceEffect): void {
    const { device, release } = effect;
    if (effect.t === 'offer') {
      const refused = link.offer(device, effect.version, release);
      if (!refused || !active.has(id)) return;
      const { code, why } = refused;
      feed(id, { t: 'refused', device, release, rotten: isRotten(code), why, now: now() });
    } else if (effect.t === 'confirm') link.confirm(device, release);
    else link.revert(device, release);
  }

  return feed;
}

function isForDevice(effect: RolloutEffect): effect is DeviceEffect {
  return effect.t === 'offer' || effect.t === 'confirm' || effect.t === 'revert';
}
