import { GatewayError } from '../errors.ts';
import { scopeName } from '../registry/manifest.ts';
import type { Because, Registry } from '../registry/registry.ts';
import type { RolloutRepository } from './repository.ts';
import { goesOn, isUndone, type RolloutState } from './state.ts';
import type { Feed } from './stepper.ts';

/** What a person may decide about a rollout that has begun. */
export interface Decisions {
  /**
   * Undoes the rollout of a version, or the newest one that can be undone.
   *
   * @param because `task`: whose newest, in a store that has those of two
   * @returns id of the rollout
   * @throws GatewayError 'not-found' if there is none; 'not-allowed' if no device had a model before
   */
  rollback(version: string | undefined, because: Because & { task?: string }): string;
  /**
   * Lets a rollout go on whose canaries have passed.
   *
   * @param who says yes
   * @throws GatewayError 'not-found' if there is none of this id; 'not-allowed' if it does not wait for that
   */
  approve(id: string, who: string): void;
  /**
   * Ends a rollout that has not settled, and takes back what went out.
   *
   * @throws GatewayError 'not-found' if there is none of this id; 'not-allowed' if it is over
   */
  stop(id: string, because: Because): void;
  /**
   * Lets the release of a version be offered again: one whose time is over, or whose key is revoked.
   *
   * @returns id of its rollout; undefined where nothing keeps it from being offered, or no rollout has it
   * @throws GatewayError as the registry's `renew`
   */
  renew(version: string, because: Because): string | undefined;
}

/** @param now ms since 1970 */
export function createDecisions({
  registry,
  repository,
  feed,
  now,
}: {
  registry: Pick<Registry, 'get' | 'offer' | 'renew'>;
  repository: Pick<RolloutRepository, 'active' | 'known'>;
  feed: Feed;
  now: () => number;
}): Decisions {
  const { active, known } = repository;

  function isOffered(release: number): boolean {
    try {
      registry.offer(release);
      return true;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      return false;
    }
  }

  /** What there is instead of a rollout that could be undone, and what to do. */
  function nothingToUndo(version: string | undefined): GatewayError {
    if (version === undefined) {
      const hint = 'see: whetstone rollouts';
      return new GatewayError('not-found', 'there is no rollout to undo', { hint });
    }
    const { stage, manifest } = registry.get(version);
    const scope = scopeName(manifest.scope);
    const after = [...active.values()].findLast(
      (s) => !isUndone(s) && s.task === manifest.task && scopeName(s.scope) === scope,
    );
    const short = version.slice(0, 8);
    const own = `there is no rollout of v${short} to undo: it is ${stage}`;
    if (after === undefined) {
      const hint = 'say what is to run: whetstone promote VERSION; see: whetstone models';
      return new GatewayError('not-found', own, { hint });
    }
    const other = after.version.slice(0, 8);
    const runs =
      after.stage === 'settled' ? `${scope} runs v${other}` : `v${other} is on its way to ${scope}`;
    const back = stage === 'champion' ? '' : `; back to v${short}: whetstone promote ${short}`;
    const hint = `undo v${other}: whetstone rollback ${other}${back}`;
    return new GatewayError('not-found', `${own}, and ${runs}`, { hint });
  }

  return {
    rollback(version, { who, why, task }) {
      const isMeant = (s: RolloutState): boolean =>
        version === undefined ? task === undefined || s.task === task : s.version === version;
      const found = [...active.values()].findLast((s) => !isUndone(s) && isMeant(s));
      if (found === undefined) throw nothingToUndo(version);
      const members = Object.values(found.members);
      if (members.length > 0 && members.every(({ previous }) => previous === null)) {
        const name = scopeName(found.scope);
        throw new GatewayError(
          'not-allowed',
          `v${found.version.slice(0, 8)} is the first model of ${name}`,
          {
            hint: 'there is none to go back to; name another version',
          },
        );
      }
      feed(found.id, { t: 'rollback', why: `${who}: ${why}`, now: now() });
      return found.id;
    },
    approve(id, who) {
      const { stage } = known(id);
      if (stage !== 'awaiting-approval') {
        const hint = 'see: whetstone rollouts';
        throw new GatewayError('not-allowed', `rollout ${id} ${unasked(stage)}`, { hint });
      }
      feed(id, { t: 'approve', who, now: now() });
    },
    stop(id, { who, why }) {
      const { stage, version } = known(id);
      if (!goesOn({ stage })) {
        throw new GatewayError('not-allowed', `rollout ${id} is over: ${stage}`, {
          hint:
            stage === 'settled'
              ? `undo it: whetstone rollback ${version.slice(0, 8)}`
              : 'see: whetstone rollouts',
        });
      }
      feed(id, { t: 'stop', who, why, now: now() });
    },
    renew(version, { who, why }) {
      const found = [...active.values()].find(
        (s) => s.version === version && (goesOn(s) || s.stage === 'settled'),
      );
      if (found === undefined || isOffered(found.release)) return undefined;
      registry.renew(found.release, `${who}: ${why}`);
      feed(found.id, { t: 'renewed', now: now() });
      return found.id;
    },
  };
}

/** Why a rollout takes no yes. */
function unasked(stage: RolloutState['stage']): string {
  if (stage === 'rest' || stage === 'settled') {
    return `waits for no approval any more: it goes out already (${stage})`;
  }
  const isOver = stage === 'canary' ? 'its canaries have not passed yet' : 'it was ended';
  return `waits for no approval: ${isOver} (${stage})`;
}
