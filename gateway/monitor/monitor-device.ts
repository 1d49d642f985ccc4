import { binomialLowerTail } from '../statistics.ts';
import type { Alarm, AlarmKind } from './alarm.ts';
import type { CalibratorState } from './calibrator.ts';
import { type Estimate, type EstimatorState, estimator } from './estimator.ts';
import { type Prequential, type PrequentialState, prequential } from './prequential.ts';
import { type QualityCounts, type QualityState, quality } from './quality.ts';
import { type RecoveryState, recovery } from './recovery.ts';
import { type SensorState, type Sickness, sensorWatch } from './sensor.ts';
import type {
  Evidence,
  MonitorSettings,
  Promised,
  SeenLabel,
  SeenWindow,
  Watched,
} from './settings.ts';
import { createWatchers, type Found, readWindow, shares, type WatchersState } from './watchers.ts';

/** What is remembered of one device. */
export interface DeviceState {
  release: number;
  promised: Promised | null;
  /** an episode: from its alarm until another release is confirmed, or what had raised it is over */
  alarm: Alarm | null;
  /** windows of this release, and whether a watcher that needs no label has alarmed since it came */
  windows: number;
  drifted: boolean;
  watchers: WatchersState | null;
  sensor: SensorState | null;
  outcomes: { correct: boolean; at: number }[];
  accuracy: PrequentialState | null;
  quality: QualityState | null;
  estimator: EstimatorState | null;
  /** figures of the episode, on their way back; stores of before have none */
  recovery?: RecoveryState;
}

/** An alarm that is over although no release came. */
export interface Recovered {
  alarm: Alarm;
  /** since when its figures are back, ms since 1970; null where its sensor measures again */
  since: number | null;
}

/** Watches one device. */
export interface DeviceMonitor {
  /** A release is confirmed on it: the episode is over and a new reference begins. */
  installed(release: number, promised: Promised | null, curve: CalibratorState): void;
  /** Takes one window without label. */
  window(seen: SeenWindow): Alarm | undefined;
  /** Takes a raw window that the check set aside, or that came later because it was asked for. */
  raw(seen: { window: ArrayLike<number>; at: number }): Alarm | undefined;
  /** Takes the truth of one of its predictions. */
  label(seen: SeenLabel): Alarm | undefined;
  /** Windows that it had to forget. */
  lost(windows: number): void;
  /** @returns an alarm that is over by itself, once */
  recovered(): Recovered | undefined;
  /** What needs no label says since the release was confirmed. */
  readonly evidence: Evidence;
  readonly alarm: Alarm | null;
  /** how near it is to an alarm by its scores, 0 to 1, and 1 in an episode; null before that is known */
  readonly drift: number | null;
  readonly isSick: boolean;
  /** share of its windows that were lost of late */
  readonly missing: number;
  readonly accuracy: Prequential;
  readonly quality: QualityCounts;
  estimate(): Estimate | undefined;
  state(): DeviceState;
}

/** How far the accuracy of one device lies from what the gate saw on others: a standard deviation. */
const apart = 0.05;

/**
 * Watches one device: its scores, answers, embeddings and sensor without labels, and its accuracy where
 * labels arrive. One alarm an episode, which counts what else is said in it; windows of a release that
 * is not confirmed are the rollout's to judge and pass by here.
 *
 * An episode ends with another confirmed release, or by itself once everything that was said in it is as
 * before ({@link recovery}): what is normal is then learned anew.
 *
 * A sick sensor is an alarm of its own kind, takes the place of an alarm that it caused, and ends when
 * the sensor is well again. Meanwhile nothing is learned from its windows.
 *
 * @param device its id
 * @param settings when to speak
 * @param watched what is known of the task
 * @param curve from score to accuracy, where to begin
 * @param state to go on from
 */
export function deviceMonitor(
  device: string,
  settings: MonitorSettings,
  watched: Watched,
  curve: CalibratorState,
  state?: DeviceState,
): DeviceMonitor {
  const { reads, sensor, isMargin } = watched;
  const begin = (saved?: WatchersState) => createWatchers(settings, reads, sensor.axes, saved);
  let release = state?.release ?? -1;
  let promised = state?.promised ?? null;
  let alarm = state?.alarm ?? null;
  let windows = state?.windows ?? 0;
  let drifted = state?.drifted ?? false;
  let watchers = begin(state?.watchers ?? undefined);
  let outcomes = [...(state?.outcomes ?? [])];
  let well: Recovered | undefined;
  const least = { windows: settings.recentWindows, labels: 2 * settings.minLabels };
  const figures = recovery(least, state?.recovery);
  const health = sensorWatch(
    sensor,
    settings.falseAlarm * shares.sensor,
    state?.sensor ?? undefined,
  );
  const accuracy = prequential(50, 0.98, state?.accuracy ?? undefined);
  const counts = quality(100, state?.quality ?? undefined);
  const estimates = estimator(curve, state?.estimator ?? undefined);

  function installed(next: number, promise: Promised | null, from: CalibratorState): void {
    release = next;
    promised = promise;
    if (!health.isSick) alarm = null;
    figures.forget();
    windows = 0;
    drifted = false;
    watchers = begin();
    outcomes = [];
    estimates.restart(from);
  }

  function raise(said: Found, at: number): Alarm | undefined {
    const { by, index, ...found } = said;
    const { what, before, after, windows: on } = found;
    figures.follow({ what, by, index, before, after, windows: on });
    return enter(found, at);
  }

  function enter(
    found: Omit<Found, 'by' | 'index'>,
    at: number,
    reason: string | null = null,
  ): Alarm | undefined {
    if (alarm !== null) {
      const also = [...new Set<AlarmKind>([...alarm.also, found.what])];
      const others = also.filter((what) => what !== alarm?.what);
      alarm = { ...alarm, also: others, count: alarm.count + 1, lastAt: at };
      return undefined;
    }
    const once = { count: 1, also: [], lastAt: at, raisedAs: null };
    alarm = { device, release, ...found, at, reason, ...once };
    // what its scores meant before says little about now
    if (found.what !== 'sensor') estimates.doubt(found.windows);
    return alarm;
  }

  function sicken(found: Sickness, at: number): Alarm {
    const { reason, axes, ...rest } = found;
    const raisedAs = alarm?.what ?? null;
    const known = alarm;
    alarm = null;
    figures.forget();
    enter({ what: 'sensor', ...rest, where: axes }, at, reason);
    alarm = { ...alarm!, raisedAs, count: (known?.count ?? 0) + 1, at: known?.at ?? at };
    // it was the sensor, and not the world
    drifted = false;
    watchers.disregard();
    return alarm;
  }

  /** The alarm of a sensor is over when the sensor is well. */
  function heed(found: Sickness | undefined, at: number): Alarm | undefined {
    if (found !== undefined) return sicken(found, at);
    if (health.isSick || alarm?.what !== 'sensor') return undefined;
    well = { alarm, since: null };
    alarm = null;
    watchers.disregard();
    return undefined;
  }

  /** The alarm is over when all that was said in it is as before, without another release. */
  function mend(): void {
    const { since } = figures;
    if (alarm === null || since === undefined) return;
    well = { alarm, since };
    alarm = null;
    figures.forget();
    // windows of the episode may have become normal meanwhile
    watchers = begin();
    outcomes = outcomes.filter(({ at }) => at >= since);
  }

  function anchor(): void {
    if (promised === null || windows !== settings.referenceWindows) return;
    const share = rule(promised);
    estimates.anchor(share, (share * (1 - share)) / (promised.windows + 2) + apart * apart);
  }

  return {
    installed,
    window(seen) {
      const { at, score, cls, embedding, window } = seen;
      if (release < 0) installed(seen.release, null, curve);
      const byRaw = window === null ? undefined : health.raw({ window, at });
      const bySaid = health.window({ key: `${seen.release} ${cls} ${score}`, embedding, at });
      const sick = heed(byRaw ?? bySaid, at);
      if (sick !== undefined || health.isSick) return sick;
      if (seen.release !== release) return undefined;
      windows++;
      if (isMargin) estimates.window(score);
      anchor();
      if (alarm !== null) readWindow(seen, reads, sensor.axes.length, figures.take);
      let first: Alarm | undefined;
      for (const found of watchers.update(seen)) {
        drifted = true;
        const raised = raise(found, at);
        first ??= raised;
      }
      if (first === undefined) mend();
      return first;
    },
    raw: ({ window, at }) => heed(health.raw({ window, at }), at),
    label({ release: of, said, truth, score, at }) {
      const correct = reads.isRight(said, truth);
      accuracy.update(correct);
      const groups = { said: reads.group(said), truth: reads.group(truth) };
      counts.update({ ...groups, right: correct, score });
      if (health.isSick) return undefined;
      if (of === release && isMargin) estimates.label(score, correct);
      if (of !== release || promised === null) return undefined;
      outcomes.push({ correct, at });
      figures.take('label', at, () => Number(correct));
      mend();
      if (outcomes.length > settings.recentWindows) outcomes.shift();
      if (outcomes.length < settings.minLabels) return undefined;
      const right = outcomes.filter((outcome) => outcome.correct).length;
      const n = outcomes.length;
      const evidence = binomialLowerTail(right, n, rule(promised));
      // labels go on saying the same of the same windows: in an episode they are counted once
      if (evidence >= settings.falseAlarm || alarm?.what === 'accuracy') return undefined;
      if (alarm?.also.includes('accuracy')) return undefined;
      const since = outcomes.find((outcome) => !outcome.correct)?.at ?? at;
      const found = { since, before: promised.accuracy, after: right / n, evidence, windows: n };
      return raise({ what: 'accuracy', where: [], by: 'label', index: 0, ...found }, at);
    },
    lost: health.lost,
    recovered() {
      const over = well;
      well = undefined;
      return over;
    },
    get evidence() {
      if (drifted) return 'drifted';
      const few = windows < settings.referenceWindows + settings.recentWindows;
      return few || health.isSick ? 'unknown' : 'steady';
    },
    get alarm() {
      return alarm;
    },
    get drift() {
      return alarm === null ? watchers.drift : 1;
    },
    get isSick() {
      return health.isSick;
    },
    get missing() {
      return health.missing;
    },
    accuracy,
    quality: counts,
    estimate: () => (isMargin ? estimates.estimate() : undefined),
    state: () => ({
      ...{ release, promised, alarm, windows, drifted, outcomes: structuredClone(outcomes) },
      ...{ watchers: watchers.state(), sensor: health.state(), accuracy: accuracy.state() },
      ...{ quality: counts.state(), estimator: estimates.state(), recovery: figures.state() },
    }),
  };
}

/** Laplace's rule of succession: all of 5 right does not promise that no error ever comes. */
function rule({ accuracy, windows }: Promised): number {
  return (accuracy * windows + 1) / (windows + 2);
}
