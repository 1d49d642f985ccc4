import { GatewayError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { goesOn, nothingSeen, type RolloutState } from './state.ts';

/** The states of all rollouts. */
export interface RolloutRepository {
  /** by id, oldest first: all that no other has superseded; a late device may still be served */
  readonly active: ReadonlyMap<string, RolloutState>;
  get(id: string): RolloutState | undefined;
  /** The rollout of a version that no other has taken over; undefined where there is none. */
  of(version: string): RolloutState | undefined;
  /** @throws GatewayError 'not-found' if there is none of this id */
  known(id: string): RolloutState;
  /**
   * Newest last.
   *
   * @param newest so many of the newest, and all that are on their way or back; without it all
   */
  list(newest?: number): RolloutState[];
  /** Stores a state at once (or in the transaction that is open); `active` has the one before until `hold`. */
  save(state: RolloutState): void;
  /** Puts a state into `active`, or out of it if it is superseded; the store is not told. */
  hold(state: RolloutState): void;
  /** Stores a state that only windows changed, or puts that off. */
  saveSometimes(state: RolloutState): void;
  /** Stores what was put off. */
  flush(): void;
}

/** Windows may change a state this often before it is stored: a restart then soaks a little longer. */
const unsavedWindows = 20;

/**
 * Takes up what was under way when the gateway ended.
 *
 * @param store where states are kept
 * @param now ms since 1970
 */
export function createRepository(
  store: Pick<Store, 'states'>,
  now: () => number,
): RolloutRepository {
  const active = new Map<string, RolloutState>();
  const unsaved = new Map<string, number>();
  for (const { id, state } of store.states.rollouts({ active: true })) {
    const loaded: RolloutState = JSON.parse(state);
    // Nobody is connected yet, and nobody is late: that the gateway was away is not their silence.
    for (const member of Object.values(loaded.members)) {
      // what was stored before pairs were counted has none
      for (const period of ['past', 'during', 'after'] as const) {
        member[period] = { ...nothingSeen, ...member[period] };
      }
      member.online = false;
      member.at = now();
    }
    active.set(id, loaded);
  }

  function save(state: RolloutState): void {
    unsaved.delete(state.id);
    store.states.saveRollout({
      ...{ id: state.id, at: state.startedAt, active: state.stage !== 'superseded' },
      state: JSON.stringify(state),
    });
  }

  function get(id: string): RolloutState | undefined {
    const held = active.get(id);
    if (held !== undefined) return held;
    const row = store.states.rollouts().find((one) => one.id === id);
    return row && JSON.parse(row.state);
  }

  return {
    ...{ active, get, save },
    of: (version) => [...active.values()].findLast((s) => s.version === version),
    known(id) {
      const found = get(id);
      if (found !== undefined) return found;
      throw new GatewayError('not-found', `no rollout '${id}'`, {
        hint: 'see: whetstone rollouts',
      });
    },
    list(newest = Number.POSITIVE_INFINITY) {
      const rows = store.states.rollouts();
      const isMoving = (s?: RolloutState) => s && (goesOn(s) || s.stage === 'returning');
      return rows
        .filter(({ id }, i) => i >= rows.length - newest || isMoving(active.get(id)))
        .map(({ id, state }) => active.get(id) ?? JSON.parse(state));
    },
    hold(state) {
      if (state.stage === 'superseded') active.delete(state.id);
      else active.set(state.id, state);
    },
    saveSometimes(state) {
      const count = (unsaved.get(state.id) ?? 0) + 1;
      unsaved.set(state.id, count);
      if (count >= unsavedWindows) save(state);
    },
    flush() {
      for (const id of [...unsaved.keys()]) save(active.get(id) as RolloutState);
    },
  };
}
