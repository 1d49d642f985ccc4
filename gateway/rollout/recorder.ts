import { GatewayError } from '../errors.ts';
import { scopeName } from '../registry/manifest.ts';
import type { Because, Registry } from '../registry/registry.ts';
import type { Store } from '../store/store.ts';
import { isRotten } from './refusals.ts';
import type { RolloutEffect, RolloutInput, RolloutState } from './state.ts';

/** What a rollout wants of a device. */
export type DeviceEffect = Extract<RolloutEffect, { t: 'offer' | 'confirm' | 'revert' }>;
/** What it wants of the log and the registry. */
export type StoredEffect = Exclude<RolloutEffect, DeviceEffect>;

/** @returns what the rollout is to be told of it, in the same transaction */
export type Recorder = (state: RolloutState, effect: StoredEffect) => RolloutInput[];

/**
 * Does what a rollout wants of the store: the log, the stages of versions, releases.
 *
 * @param now ms since 1970
 */
export function createRecorder({
  journal,
  registry,
  now,
}: {
  journal: Pick<Store['journal'], 'write'>;
  registry: Pick<Registry, 'get' | 'setStage' | 'release'>;
  now: () => number;
}): Recorder {
  return (s, effect) => {
    const at = now();
    const by = (why: string): Because => ({ who: `rollout ${s.id}`, why });
    const about = { version: s.version, release: s.release, scope: scopeName(s.scope) };
    if (effect.t === 'stage') {
      const { stage, why } = effect;
      const kind = stage === 'settled' ? 'rollout.done' : 'rollout.stage';
      const data = { stage, reason: why, ...about };
      journal.write(stage === 'returning' ? 'rollout.rolledback' : kind, s.id, data, at);
    } else if (effect.t === 'device') {
      const { device, stage, reason } = effect;
      const data = { rollout: s.id, version: s.version, release: s.release, stage, reason };
      journal.write('rollout.device', device, data, at);
    } else if (effect.t === 'decided') {
      const { what, who, why } = effect;
      journal.write(`rollout.${what}`, s.id, { who, why, ...about }, at);
    } else if (effect.t === 'crown') {
      if (registry.get(s.version).stage !== 'champion') {
        registry.setStage(s.version, 'champion', by(s.why));
      }
    } else if (effect.t === 'restore') {
      const before = s.champion;
      registry.setStage(s.version, 'rolledback', by(effect.why));
      if (before !== null && registry.get(before).stage === 'retired') {
        registry.setStage(before, 'champion', by(`${s.version} was rolled back`));
      }
    } else {
      const { version } = effect;
      try {
        const release = registry.release(version, `the way back from release ${s.release}`);
        return [{ t: 'issued', version, release, now: at }];
      } catch (error) {
        // its key is revoked, say; a full disk is no reason to give the way back up
        if (!(error instanceof GatewayError && isRotten(error.code))) throw error;
        return [{ t: 'unissued', version, why: error.line(), now: at }];
      }
    }
    return [];
  };
}
