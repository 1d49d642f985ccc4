import { binomialLowerTail } from '../statistics.ts';
import { type ConformalState, conformal } from './conformal.ts';
import { type Prequential, type PrequentialState, prequential } from './prequential.ts';

/** When the monitor speaks; a task's `monitor` settings fit. */
export interface MonitorSettings {
  /** windows after a change of model that say what is normal */
  referenceWindows: number;
  /** newest windows: those that may not join the reference yet, and labelled ones that are tested */
  recentWindows: number;
  /** false alarms for each window, at most, in the long run */
  falseAlarm: number;
  /** labelled windows before accuracy may raise an alarm */
  minLabels: number;
}

/** Defaults of {@link MonitorSettings}. */
export const monitorDefaults: MonitorSettings = {
  ...{ referenceWindows: 30, recentWindows: 20, falseAlarm: 1e-4, minLabels: 5 },
};

/** A device got worse. */
export interface Alarm {
  device: string;
  /** 'score': it is less sure of itself; 'accuracy': labels say that it is wrong more often */
  what: 'score' | 'accuracy';
  release: number;
  /** when it seems to have begun, ms since 1970 */
  since: number;
  /** when it was seen, ms since 1970 */
  at: number;
  /** mean score, or accuracy, as it was (registered with the version, for accuracy) */
  before: number;
  /** the same since the change */
  after: number;
  /** capital won by betting on a fall (score), or probability that chance alone did it (accuracy) */
  evidence: number;
  /** windows (score) or labelled windows (accuracy) that the figure `after` rests on */
  windows: number;
}

/** What a version promised when it was registered. */
export interface Promised {
  accuracy: number;
  /** windows on which that was measured */
  windows: number;
}

/** One window, as the check let it through. */
export interface SeenWindow {
  release: number;
  /** class that the device said */
  cls: number;
  /** margin of the class, 0 to 255 */
  score: number;
  /** of the window, ms since 1970 */
  at: number;
  /** what the head saw, where it was sent */
  embedding: Int8Array | Uint8Array | null;
  /** samples × axes raw values, where they were sent */
  window: Int8Array | Uint8Array | null;
}

/** The truth of one prediction. */
export interface SeenLabel {
  release: number;
  /** class that the device said */
  said: number;
  /** class that it was */
  truth: number;
  /** margin of what was said, 0 to 255 */
  score: number;
  /** of the window, ms since 1970: a label says when things went wrong, however late it comes */
  at: number;
}

/**
 * What the watchers that need no label say since the last confirmed release: one has alarmed, none
 * has on windows enough to tell, or too few came.
 */
export type Evidence = 'drifted' | 'steady' | 'unknown';

/** What is remembered of one device. */
export interface DeviceState {
  release: number;
  promised: Promised | null;
  /** an episode: from its alarm until another release is confirmed */
  alarm: Alarm | null;
  /** windows of this release, and whether a watcher that needs no label has alarmed since it came */
  windows: number;
  drifted: boolean;
  score: ConformalState | null;
  times: number[];
  outcomes: { correct: boolean; at: number }[];
  accuracy: PrequentialState | null;
}

/** Watches one device. */
export interface DeviceMonitor {
  /** A release is confirmed on it: the episode is over and a new reference begins. */
  installed(release: number, promised: Promised | null): void;
  /** Takes one window without label. */
  window(seen: SeenWindow): Alarm | undefined;
  /** Takes the truth of one of its predictions. */
  label(seen: SeenLabel): Alarm | undefined;
  /** What needs no label says since the release was confirmed. */
  readonly evidence: Evidence;
  readonly alarm: Alarm | null;
  readonly accuracy: Prequential;
  state(): DeviceState;
}

/** Times kept to say when a change began; a change that goes back further is dated to the oldest. */
const timesKept = 256;

/**
 * Watches one device: its scores without labels, and its accuracy where labels arrive. One alarm an
 * episode; windows of a release that is not confirmed are the rollout's to judge and pass by here.
 *
 * @param device its id
 * @param settings when to speak
 * @param state to go on from
 */
export function deviceMonitor(
  device: string,
  settings: MonitorSettings,
  state?: DeviceState,
): DeviceMonitor {
  const detector = (saved?: ConformalState) =>
    conformal(
      {
        ...{ reference: settings.referenceWindows, lag: settings.recentWindows },
        runLength: 1 / settings.falseAlarm,
      },
      saved,
    );
  let release = state?.release ?? -1;
  let promised = state?.promised ?? null;
  let alarm = state?.alarm ?? null;
  let windows = state?.windows ?? 0;
  let drifted = state?.drifted ?? false;
  let scores = detector(state?.score ?? undefined);
  let times = [...(state?.times ?? [])];
  let outcomes = [...(state?.outcomes ?? [])];
  const accuracy = prequential(50, 0.98, state?.accuracy ?? undefined);

  function installed(next: number, promise: Promised | null): void {
    release = next;
    promised = promise;
    alarm = null;
    windows = 0;
    drifted = false;
    scores = detector();
    times = [];
    outcomes = [];
  }

  function raise(found: Omit<Alarm, 'device' | 'release'>): Alarm | undefined {
    if (alarm !== null) return undefined;
    alarm = { device, release, ...found };
    return alarm;
  }

  return {
    installed,
    window(seen) {
      if (release < 0) installed(seen.release, null);
      if (seen.release !== release) return undefined;
      times.push(seen.at);
      if (times.length > timesKept) times.shift();
      windows++;
      if (!scores.update(seen.score) || scores.change === undefined) return undefined;
      drifted = true;
      const { before, after, age, evidence } = scores.change;
      const since = times[Math.max(0, times.length - age)];
      return raise({ what: 'score', since, at: seen.at, before, after, evidence, windows: age });
    },
    label({ release: of, said, truth, at }) {
      const correct = said === truth;
      accuracy.update(correct);
      if (of !== release || promised === null) return undefined;
      outcomes.push({ correct, at });
      if (outcomes.length > settings.recentWindows) outcomes.shift();
      if (outcomes.length < settings.minLabels) return undefined;
      const right = outcomes.filter((outcome) => outcome.correct).length;
      const n = outcomes.length;
      const evidence = binomialLowerTail(right, n, rule(promised));
      if (evidence >= settings.falseAlarm) return undefined;
      const since = outcomes.find((outcome) => !outcome.correct)?.at ?? at;
      const before = promised.accuracy;
      return raise({ what: 'accuracy', since, at, before, after: right / n, evidence, windows: n });
    },
    get alarm() {
      return alarm;
    },
    get evidence() {
      if (drifted) return 'drifted';
      return windows < settings.referenceWindows + settings.recentWindows ? 'unknown' : 'steady';
    },
    accuracy,
    state: () => ({
      ...{ release, promised, alarm, windows, drifted, score: scores.state(), times: [...times] },
      ...{ outcomes: structuredClone(outcomes), accuracy: accuracy.state() },
    }),
  };
}

/** Laplace's rule of succession: all of 5 right does not promise that no error ever comes. */
function rule({ accuracy, windows }: Promised): number {
  return (accuracy * windows + 1) / (windows + 2);
}
