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
 * The defaults: a quarter of a year; and a quarter of the smallest SD card that a Raspberry Pi is sold
 * with (8 GB), so that a backup beside it and the system have room. That is five million windows of
 * three axes.
 */
export const retentionDefaults: RetentionLimits = { maxDays: 90, maxBytes: 2_000_000_000 };

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
/** Marks in `maxDays`: a window stays that much longer than it has to, at most. */
const MARKS = 64;
const STATE = 'retention';

/** What the gateway's clock showed when the gateway had run for so long. */
export interface Mark {
  at: number;
  ranMs: number;
}

/** What retention remembers over a restart. */
export interface RetentionState {
  /** how long the gateway has run, over all its starts, but for what a kill did not let it write */
  ranMs: number;
  /** oldest first; none while nothing is removed for its age */
  marks: Mark[];
  /** windows removed in all, and when the last one was */
  removed: number;
  removedAt: number | null;
  /** since when less is removed than should be: all that is left is labelled or new */
  crowdedSince: number | null;
  /** how long it had run when the last sweep by age began: one a day is enough */
  agedMs: number | null;
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
  /** ms that only ever grow, in step with time, and that nobody sets; default those of the process */
  monotonic?: () => number;
}

/**
 * What is old: all that was stored before this moment of the gateway's clock. The clock tells the order of
 * things alone, for it never goes back; how long ago they were is what the gateway ran since. So a
 * clock that is set, at whatever moment, makes nothing old.
 *
 * @param marks oldest first
 * @param ranMs until now
 * @param ms that make old
 * @returns the moment; undefined if nothing is so old
 * @example oldBefore([{ at: 500, ranMs: 0 }, { at: 9000, ranMs: 40 }], 130, 100) // 500
 * @example oldBefore([{ at: 500, ranMs: 0 }], 90, 100) // undefined
 */
export function oldBefore(marks: readonly Mark[], ranMs: number, ms: number): number | undefined {
  return marks.findLast((mark) => mark.ranMs <= ranMs - ms)?.at;
}

/**
 * Sweeps the store every ten minutes, in steps of some milliseconds with room for windows between.
 * What it removed is an event; so is a store that stays too large.
 */
export function createRetention(parts: RetentionParts): Retention {
  const { store, clock } = parts;
  const monotonic = parts.monotonic ?? (() => performance.now());
  const limits = { ...retentionDefaults, ...parts.limits };
  const maxMs = limits.maxDays === null ? Infinity : limits.maxDays * DAY_MS;
  const state: RetentionState = {
    ...{ ranMs: 0, marks: [], removed: 0, removedAt: null, crowdedSince: null, agedMs: null },
    untold: null,
    ...store.states.load<RetentionState>(STATE),
  };
  // what is stored from now on comes behind every mark, also where the computer's clock was set back
  const begunAt = clock.now();
  for (const mark of state.marks) mark.at = Math.min(mark.at, begunAt);
  let lookedAt = monotonic();
  let timer = clock.setTimeout(begin, STEP_MS);

  /** Counts the time since the last look. @returns before which moment what is stored is old */
  function look(): number | undefined {
    const now = monotonic();
    state.ranMs += now - lookedAt;
    lookedAt = now;
    if (maxMs === Infinity) {
      state.marks = [];
      return undefined;
    }
    const { ranMs, marks } = state;
    const last = marks.at(-1)?.ranMs ?? -Infinity;
    if (ranMs - last >= maxMs / MARKS) marks.push({ at: clock.now(), ranMs });
    // of the marks that are old enough the newest is needed alone
    const old = marks.findLastIndex((mark) => mark.ranMs <= ranMs - maxMs);
    state.marks = marks.slice(Math.max(0, old));
    return oldBefore(state.marks, ranMs, maxMs);
  }

  function begin(): void {
    const before = look();
    const { ranMs, agedMs } = state;
    if (before === undefined || (agedMs !== null && ranMs - agedMs < DAY_MS)) byRoom();
    else {
      state.agedMs = ranMs;
      byAge(before - 1);
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
