import { GatewayError } from './errors.ts';
import { unlessFull } from './full-disk.ts';
import type { Clock } from './link/port.ts';
import type { Cursor } from './store/retain.ts';
import type { Store } from './store/store.ts';

/** How much is kept, in the configuration of `start`: `"retention": { … }`. */
export interface RetentionLimits {
  /** windows without a label are removed after so many days in which the gateway ran; null: never */
  maxDays: number | null;
  /** of the store's file; the oldest windows without a label are removed beyond; null: any size */
  maxBytes: number | null;
}

/**
 * The defaults: nothing is removed for its age, since a clock that was set years forward around a kill could
 * make new windows look old; and a quarter of the smallest SD card that a Raspberry Pi is sold
 * with (8 GB), so that a backup beside it and the system have room. That is five million windows of
 * three axes.
 */
export const retentionDefaults: RetentionLimits = { maxDays: null, maxBytes: 2_000_000_000 };

/** JSON schema of `retention` in a configuration; every field may be left out. */
export const retentionSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    maxDays: { anyOf: [{ type: 'number', exclusiveMinimum: 0 }, { type: 'null' }] },
    maxBytes: { anyOf: [{ type: 'integer', minimum: 10_000_000 }, { type: 'null' }] },
  },
} as const;

const DAY_MS = 86_400_000;
/** Time between two sweeps, and between two steps of one, in which windows arrive. */
const PAUSE_MS = 10 * 60_000;
const STEP_MS = 100;
/** A sweep for room goes on until the file is so much below its limit: it is not for each window. */
const ROOM = 0.95;
/** A clock that gains more than this between two looks was set, or the gateway did not run. */
const JUMP_MS = 60 * 60_000;
const STATE = 'retention';

/** A stretch of the clock in which the gateway did not live: from `at` on, so long. */
export interface Jump {
  at: number;
  ms: number;
}

/** What retention remembers over a restart. */
export interface RetentionState {
  /** the clock at its last look */
  seenAt: number;
  jumps: Jump[];
  /** windows removed in all, and when the last one was */
  removed: number;
  removedAt: number | null;
  /** since when less is removed than should be: all that is left is labelled or new */
  crowdedSince: number | null;
  /** when the last sweep by age began: one a day is enough */
  agedAt: number | null;
  /** removed and not yet told as an event: a kill does not make it forgotten */
  untold: { windows: number; bytes: number; since: number } | null;
}

/** Removes what is too old or too much, a little at a time. */
export interface Retention {
  state(): RetentionState;
  readonly limits: RetentionLimits;
  close(): void;
}

export interface RetentionParts {
  store: Store;
  clock: Clock;
  limits?: Partial<RetentionLimits> | undefined;
  /** ms that only ever grow, in step with time: tells a clock that was set from one that ran */
  monotonic?: () => number;
}

/**
 * The moment that is `ms` of lived time ago: what a clock jumped over, or slept through, is not
 * counted. So a clock that shows next year for an hour removes nothing.
 *
 * @param jumps oldest first
 * @example livedAgo(1000, 100, []) // 900
 * @example livedAgo(1000, 100, [{ at: 200, ms: 750 }]) // 150
 * @example livedAgo(1000, 40, [{ at: 200, ms: 750 }]) // 960
 */
export function livedAgo(now: number, ms: number, jumps: readonly Jump[]): number {
  return jumps.reduceRight(
    (then, jump) => (then < jump.at + jump.ms ? then - jump.ms : then),
    now - ms,
  );
}

/**
 * Sweeps the store every ten minutes, in steps of some milliseconds with room for windows between.
 * What it removed is an event; so is a store that stays too large.
 */
export function createRetention(parts: RetentionParts): Retention {
  const { store, clock } = parts;
  const monotonic = parts.monotonic ?? clock.now;
  const limits = { ...retentionDefaults, ...parts.limits };
  const state: RetentionState = store.states.load<RetentionState>(STATE) ?? {
    ...{ jumps: [], removed: 0, removedAt: null, crowdedSince: null, agedAt: null, untold: null },
    seenAt: store.latestAt() || clock.now(),
  };
  let seenAt = Math.max(state.seenAt, store.latestAt());
  let ranAt: number | undefined;
  let timer = clock.setTimeout(begin, STEP_MS);

  /** Notes time that the clock shows and nobody lived. */
  function look(): void {
    const [now, ran] = [clock.now(), monotonic()];
    const lived = ranAt === undefined ? 0 : ran - ranAt;
    const gained = now - seenAt - lived;
    if (gained > JUMP_MS) state.jumps.push({ at: seenAt, ms: gained });
    [seenAt, ranAt, state.seenAt] = [now, ran, now];
    const oldest =
      limits.maxDays === null ? now : livedAgo(now, limits.maxDays * DAY_MS, state.jumps);
    // samples from before a jump that is older than all that is kept are gone, or kept for ever
    state.jumps = state.jumps.filter((jump) => jump.at + jump.ms > oldest);
  }

  function begin(): void {
    look();
    const now = clock.now();
    const isAged = state.agedAt !== null && now >= state.agedAt && now - state.agedAt < DAY_MS;
    const cut = limits.maxDays === null ? -1 : livedAgo(now, limits.maxDays * DAY_MS, state.jumps);
    if (isAged || cut < 0) byRoom();
    else {
      state.agedAt = now;
      byAge(cut);
    }
  }

  function byAge(cut: number, from?: Cursor): void {
    next(() => {
      const end = remove(cut, from);
      return end === null ? () => byRoom() : () => byAge(cut, end);
    });
  }

  function byRoom(from?: Cursor): void {
    const { maxBytes } = limits;
    const wanted = maxBytes === null ? Infinity : from === undefined ? maxBytes : maxBytes * ROOM;
    if (store.size().used <= wanted) giveBack();
    else {
      next(() => {
        const end = remove(Number.MAX_SAFE_INTEGER, from);
        return end === null ? giveBack : () => byRoom(end);
      });
    }
  }

  function giveBack(): void {
    const { file, used } = store.size();
    if (file === used || !store.canShrink) tell();
    else {
      next(() => {
        store.giveBack();
        return store.size().file < file ? giveBack : tell;
      });
    }
  }

  /** One step, with its tally in the same transaction. @returns where the next goes on */
  function remove(before: number, from?: Cursor): Cursor | null {
    const untold = state.untold ?? { windows: 0, bytes: 0, since: clock.now() };
    const { used } = store.size();
    const {
      removed,
      next: end,
      counted,
    } = store.transaction(() => {
      const swept = store.sweep(before, from);
      const bytes = untold.bytes + used - store.size().used;
      const now = { ...untold, windows: untold.windows + swept.removed, bytes };
      if (swept.removed > 0) store.states.saveNow(STATE, { ...state, untold: now });
      return { ...swept, counted: now };
    });
    if (removed > 0) state.untold = counted;
    return end;
  }

  function tell(): void {
    const now = clock.now();
    const { used } = store.size();
    const { untold } = state;
    const isCrowded = limits.maxBytes !== null && used > limits.maxBytes;
    const after: RetentionState = {
      ...{ ...state, untold: null, crowdedSince: isCrowded ? (state.crowdedSince ?? now) : null },
      ...(untold && { removed: state.removed + untold.windows, removedAt: now }),
    };
    const told = unlessFull(() =>
      store.transaction(() => {
        if (untold) store.journal.write('store.retained', '', { ...untold, ...limits }, now);
        if (isCrowded && state.crowdedSince === null) {
          const data = { bytes: used, maxBytes: limits.maxBytes };
          store.journal.write('store.crowded', '', data, now);
        }
        store.states.saveNow(STATE, after);
        return true;
      }),
    );
    if (told) Object.assign(state, after);
    // where nothing can be removed, all of the store is looked at for nothing: seldom
    timer = clock.setTimeout(begin, isCrowded ? DAY_MS : PAUSE_MS);
  }

  /** Does a step, and what follows it a little later; a store that takes nothing ends the sweep. */
  function next(step: () => () => void): void {
    try {
      timer = clock.setTimeout(step(), STEP_MS);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error; // a full disk; damage is told elsewhere
      timer = clock.setTimeout(begin, PAUSE_MS);
    }
  }

  return {
    state: () => ({ ...state }),
    limits,
    close: () => clock.clearTimeout(timer),
  };
}
