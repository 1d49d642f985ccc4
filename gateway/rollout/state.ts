import type { Scope } from '../registry/manifest.ts';

/** How a rollout proceeds; the first three are the task's `rollout` settings. */
export interface RolloutSettings {
  /** share of the devices that get a version first; at least one does */
  canaryShare: number;
  /** windows on the new version before it is judged */
  soakWindows: number;
  /** windows without confirmation after which a device goes back by itself */
  trialWindows: number;
  /** labelled windows on both sides before accuracy decides */
  minLabels: number;
  /** significance at which the new version counts as worse */
  alpha: number;
  /** without labels: share of the mean score that may be lost */
  maxScoreDrop: number;
  /** share of the devices that may fail before everything is undone */
  maxFailedShare: number;
  /** times that a version is offered to a device that keeps losing it */
  maxAttempts: number;
  /** silence after which a device is asked again, and a canary no longer waited for */
  stallMs: number;
  /** 'canary': once the canaries have passed, a person is asked before anything more happens */
  approval: 'none' | 'canary';
}

/** Defaults of {@link RolloutSettings}. */
export const rolloutDefaults: RolloutSettings = {
  ...{ canaryShare: 0.25, soakWindows: 20, trialWindows: 60, minLabels: 5, alpha: 0.01 },
  ...{ maxScoreDrop: 0.5, maxFailedShare: 0.2, maxAttempts: 3, stallMs: 600_000 },
  approval: 'none',
};

/** What was seen of a device's windows in one period. */
export interface Seen {
  windows: number;
  /** mean and sum of squared deviations of the scores */
  mean: number;
  squares: number;
  labelled: number;
  right: number;
  /** labelled windows that this version has right and the one before wrong, and the reverse */
  gained: number;
  lost: number;
}

/**
 * Where a device stands. waiting: not asked yet, or not reachable. offered → transferring →
 * installed → trial: as it reports. confirming: the confirmation is on its way. refused: it cannot
 * take this version. failed: the version did not work on it, and it is back on its own.
 * reverting: told to go back by itself. returning: offered the version before. back: it is there.
 */
export type MemberStage =
  | 'waiting'
  | 'offered'
  | 'transferring'
  | 'installed'
  | 'trial'
  | 'confirming'
  | 'confirmed'
  | 'refused'
  | 'failed'
  | 'reverting'
  | 'returning'
  | 'back';

/** One device in a rollout. */
export interface Member {
  stage: MemberStage;
  canary: boolean;
  online: boolean;
  /** when it was last heard of or asked, ms */
  at: number;
  attempts: number;
  /** why it is refused or failed; '' otherwise */
  reason: string;
  /** why it was refused, while it is given back what it ran before: it is refused still */
  refusal?: string;
  /** what it ran when the rollout began; null if that is not known */
  previous: string | null;
  /** before the rollout, during it on the old version, and on the new one */
  past: Seen;
  during: Seen;
  after: Seen;
}

/**
 * Where the rollout stands. canary: the first devices. awaiting-approval: they have passed, keep it,
 * and a person is waited for. rest: all others. settled: all that can be
 * reached have it; late ones are still served. returning: being undone. returned: undone.
 * superseded: another rollout of the scope took over.
 */
export type RolloutStage =
  | 'canary'
  | 'awaiting-approval'
  | 'rest'
  | 'settled'
  | 'returning'
  | 'returned'
  | 'superseded';

/** Stages in which a rollout has not come to an end, one way or the other. */
export const goesOn = ({ stage }: Pick<RolloutState, 'stage'>): boolean =>
  stage === 'canary' || stage === 'awaiting-approval' || stage === 'rest';

/** Stages in which everything is taken back, or was. */
export const isUndone = ({ stage }: Pick<RolloutState, 'stage'>): boolean =>
  stage === 'returning' || stage === 'returned';

/** The whole state of a rollout: plain JSON. */
export interface RolloutState {
  id: string;
  task: string;
  version: string;
  release: number;
  scope: Scope;
  /** trained on few labels: stays with these devices, and labels have to confirm it */
  provisional: boolean;
  /** released because the version before failed, not because it was proven: labels have to show it */
  unproven?: boolean;
  /** devices of the scope that keep what they run, as long as they run anything */
  spared?: string[];
  stage: RolloutStage;
  /** why it stands where it stands, for people */
  why: string;
  startedAt: number;
  endedAt: number | null;
  settings: RolloutSettings;
  members: Record<string, Member>;
  /** champion of the scope when it began */
  champion: string | null;
  /** ids in the order in which they get it */
  order: string[];
  /** new release numbers of the versions that confirmed devices go back to; 0 while asked for */
  back: Record<string, number>;
}

/** What can happen to a rollout. */
export type RolloutInput =
  | { t: 'begin'; now: number }
  | { t: 'hello'; device: string; release: number; state: number; now: number }
  | { t: 'offline'; device: string; now: number }
  | { t: 'status'; device: string; release: number; code: number; now: number }
  | { t: 'window'; device: string; release: number; score: number; now: number }
  | { t: 'label'; device: string; release: number; correct: boolean; before?: boolean; now: number }
  /** the raw window of a label came after it: now it is known what the version before says of it */
  | { t: 'pair'; device: string; release: number; correct: boolean; before: boolean; now: number }
  | { t: 'enrol'; device: string; previous: string | null; now: number }
  | { t: 'tick'; now: number }
  | { t: 'rollback'; why: string; now: number }
  /** a person lets it go on to the rest */
  | { t: 'approve'; who: string; now: number }
  /** a person ends it before it has settled */
  | { t: 'stop'; who: string; why: string; now: number }
  | { t: 'issued'; version: string; release: number; now: number }
  /** the version before can have no new release: why */
  | { t: 'unissued'; version: string; why: string; now: number }
  /** the gateway itself did not let the offer go out; `rotten`: nobody is to get the version */
  | { t: 'refused'; device: string; release: number; rotten: boolean; why: string; now: number }
  /** the release was said again: who was refused may ask anew */
  | { t: 'renewed'; now: number }
  | { t: 'supersede'; now: number };

/** What a rollout wants done. */
export type RolloutEffect =
  | { t: 'offer'; device: string; version: string; release: number }
  | { t: 'confirm' | 'revert'; device: string; release: number }
  /** the version before needs a release number of its own; answered by input 'issued' */
  | { t: 'issue'; version: string }
  /** the version becomes champion of its scope */
  | { t: 'crown' }
  /** the version is rolled back and the champion before it is champion again */
  | { t: 'restore'; why: string }
  | { t: 'stage'; stage: RolloutStage; why: string }
  /** what a person decided, for the log */
  | { t: 'decided'; what: 'approved' | 'stopped'; who: string; why: string }
  | { t: 'device'; device: string; stage: MemberStage; reason: string };

export const nothingSeen: Seen = {
  ...{ windows: 0, mean: 0, squares: 0, labelled: 0, right: 0, gained: 0, lost: 0 },
};

/**
 * Adds a window to what was seen.
 *
 * @source Welford 1962, Note on a method for calculating corrected sums of squares and products
 * @example addWindow(addWindow(nothingSeen, 4), 8) // { windows: 2, mean: 6, squares: 8, labelled: 0, right: 0, gained: 0, lost: 0 }
 */
export function addWindow(seen: Seen, score: number): Seen {
  const windows = seen.windows + 1;
  const mean = seen.mean + (score - seen.mean) / windows;
  return { ...seen, windows, mean, squares: seen.squares + (score - seen.mean) * (score - mean) };
}

/**
 * Adds the truth of a prediction to what was seen.
 *
 * @param before whether the version before would have been right on the same window, where that is known
 */
export function addLabel(seen: Seen, correct: boolean, before = correct): Seen {
  const more = {
    ...seen,
    labelled: seen.labelled + 1,
    right: seen.right + Number(correct),
  };
  return addPair(more, correct, before);
}

/**
 * Adds what the version before would have said of a window, whose label was added when that was not known.
 *
 * @example addPair(nothingSeen, true, false).gained // 1
 */
export function addPair(seen: Seen, correct: boolean, before: boolean): Seen {
  return {
    ...seen,
    gained: seen.gained + Number(correct && !before),
    lost: seen.lost + Number(before && !correct),
  };
}

/** Two periods, or two devices, as one. */
export function together(a: Seen, b: Seen): Seen {
  const windows = a.windows + b.windows;
  const off = b.mean - a.mean;
  return {
    windows,
    mean: windows === 0 ? 0 : a.mean + (off * b.windows) / windows,
    squares:
      a.squares + b.squares + (windows === 0 ? 0 : (off * off * a.windows * b.windows) / windows),
    labelled: a.labelled + b.labelled,
    right: a.right + b.right,
    gained: a.gained + b.gained,
    lost: a.lost + b.lost,
  };
}
