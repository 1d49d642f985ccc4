import type { Alarm } from './alarm.ts';
import { type ClassShareState, classShare } from './class-share.ts';
import { type ConformalState, conformal } from './conformal.ts';
import { type FeatureWatchState, featureWatch, type Moved } from './feature-watch.ts';
import type { MovedFigure, ReadBy } from './recovery.ts';
import type { MonitorSettings, Reads, SeenWindow } from './settings.ts';

/** What one of the watchers found. */
export type Found = Pick<
  Alarm,
  'what' | 'since' | 'before' | 'after' | 'evidence' | 'windows' | 'where'
> &
  Pick<MovedFigure, 'by' | 'index'>;

/** Takes one value of a window: see {@link readWindow}. */
type TakeFigure = (by: ReadBy, at: number, value: (index: number) => number) => void;

/** What {@link createWatchers} remembers. */
export interface WatchersState {
  score: ConformalState;
  classes: ClassShareState;
  features: FeatureWatchState | null;
  raw: FeatureWatchState | null;
  times: number[];
  featureTimes: number[];
  rawTimes: number[];
}

/** The watchers of one release on one device that need no label. */
export interface Watchers {
  /** Takes a window. @returns what each watcher found that speaks with it */
  update(seen: SeenWindow): Found[];
  /**
   * How near scores have come to an alarm: 0 as always, 1 where they raise it; null before it is known
   * what is normal.
   */
  readonly drift: number | null;
  /** Windows of late were no evidence (a sick sensor): they do not become normal. */
  disregard(): void;
  state(): WatchersState;
}

/**
 * Shares of the budget of false alarms. Scores get most: a fall of the score is what a worse model
 * shows soonest; the sensor's share is spent in {@link sensorWatch}.
 */
export const shares = { score: 0.5, features: 0.15, raw: 0.05, classes: 0.2, sensor: 0.1 };
/** Times kept to say when a change began; a change that goes back further is dated to the oldest. */
const timesKept = 256;

/**
 * Watches scores, answers, embeddings and, where they come, the statistics of raw windows of one
 * device. Each watcher has its share of the budget of false alarms, so that all together keep it.
 *
 * @param settings when to speak
 * @param reads what the device's answers mean
 * @param axes of the sensor
 * @param state to go on from
 */
export function createWatchers(
  settings: MonitorSettings,
  reads: Reads,
  axes: readonly string[],
  state?: WatchersState,
): Watchers {
  const { referenceWindows: reference, recentWindows: recent, falseAlarm } = settings;
  const length = (share: number) => ({ runLength: 1 / (falseAlarm * share) });
  const scoreOptions = { reference, lag: recent, ...length(shares.score) };
  let scores = conformal(scoreOptions, state?.score);
  const classes = classShare({ reference, lag: recent, ...length(shares.classes) }, state?.classes);
  const vectors = { reference, window: recent };
  const embeddings = featureWatch({ ...vectors, ...length(shares.features) }, state?.features);
  const raws = featureWatch({ ...vectors, ...length(shares.raw) }, state?.raw);
  const times = [...(state?.times ?? [])];
  const featureTimes = [...(state?.featureTimes ?? [])];
  const rawTimes = [...(state?.rawTimes ?? [])];

  function byScore(seen: SeenWindow): Found | undefined {
    if (!scores.update(reads.watched(seen)) || scores.change === undefined) return undefined;
    const { before, after, age, evidence } = scores.change;
    const since = times[Math.max(0, times.length - age)];
    const figure = { by: 'score', index: 0, before, after, windows: age } as const;
    return { what: 'score', since, evidence, where: [], ...figure };
  }

  function byClass(seen: SeenWindow): Found | undefined {
    if (!classes.update(reads.group(reads.of(seen))) || classes.change === undefined) {
      return undefined;
    }
    const { cls, before, after, age, evidence } = classes.change;
    const since = times[Math.max(0, times.length - age)];
    const where = [reads.groups[cls] ?? String(cls)];
    const figure = { by: 'class', index: cls, before, after, windows: age } as const;
    return { what: 'classes', since, evidence, where, ...figure };
  }

  function byVector(
    by: 'embedding' | 'raw',
    moved: Moved[] | undefined,
    of: number[],
    name: (i: number) => string,
  ): Found | undefined {
    if (moved === undefined) return undefined;
    const [{ feature: index, before, after, pValue }] = moved;
    // a window of vectors is full of the change when it is seen, at the latest
    const since = of[Math.max(0, of.length - recent)];
    const where = moved.map(({ feature }) => name(feature));
    const figure = { by, index, before, after, windows: recent } as const;
    return { what: 'features', since, evidence: pValue, where, ...figure };
  }

  return {
    update(seen) {
      remember(times, seen.at);
      const found: Found[] = [];
      const add = (one: Found | undefined): void => void (one !== undefined && found.push(one));
      add(byScore(seen));
      add(byClass(seen));
      // what a person chose to label is no sample of what the device sees
      if (seen.embedding !== null && !seen.isChosen) {
        remember(featureTimes, seen.at);
        const moved = embeddings.update(signed(seen.embedding));
        add(byVector('embedding', moved, featureTimes, (i) => `feature ${i}`));
      }
      if (seen.window !== null && !seen.isChosen) {
        remember(rawTimes, seen.at);
        const moved = raws.update(statisticsOf(seen.window, axes.length));
        const name = (i: number) =>
          `${i % 2 === 0 ? 'mean' : 'spread'} of ${axes[Math.floor(i / 2)]}`;
        add(byVector('raw', moved, rawTimes, name));
      }
      return found;
    },
    get drift() {
      const { capital } = scores;
      if (capital === undefined) return null;
      const share = Math.log(capital) / Math.log(scoreOptions.runLength);
      return Math.min(1, Math.max(0, share));
    },
    disregard() {
      scores = conformal(scoreOptions, { ...scores.state(), waiting: [] });
    },
    state: () => ({
      ...{ score: scores.state(), classes: classes.state() },
      ...{ features: embeddings.state(), raw: raws.state() },
      ...{ times: [...times], featureTimes: [...featureTimes], rawTimes: [...rawTimes] },
    }),
  };
}

/**
 * The figures of a window that watchers may find moved.
 *
 * @param axes values of a sample
 * @param take told each
 */
export function readWindow(seen: SeenWindow, reads: Reads, axes: number, take: TakeFigure): void {
  const { at, embedding, window, isChosen } = seen;
  take('score', at, () => reads.watched(seen));
  const group = reads.group(reads.of(seen));
  take('class', at, (index) => Number(index === group));
  if (isChosen) return;
  if (embedding !== null) {
    const values = signed(embedding);
    take('embedding', at, (index) => values[index] ?? 0);
  }
  if (window === null) return;
  const statistics = statisticsOf(window, axes);
  take('raw', at, (index) => statistics[index] ?? 0);
}

function remember(times: number[], at: number): void {
  times.push(at);
  if (times.length > timesKept) times.shift();
}

/** Bytes as int8, however they came. */
const signed = (bytes: Int8Array | Uint8Array): Int8Array =>
  bytes instanceof Int8Array ? bytes : Int8Array.from(bytes);

/**
 * Mean and mean absolute deviation from it of each axis of a raw window.
 *
 * @param window samples × axes, int8
 * @param axes values of a sample
 * @returns mean and spread of the first axis, then of the next
 * @example statisticsOf(new Int8Array([1, 10, 3, 10]), 2) // [2, 1, 10, 0]
 */
export function statisticsOf(window: Int8Array | Uint8Array, axes: number): number[] {
  const values = signed(window);
  const samples = Math.floor(values.length / axes);
  return Array.from({ length: axes }, (_, k) => {
    let sum = 0;
    for (let i = 0; i < samples; i++) sum += values[i * axes + k];
    const mean = sum / samples;
    let off = 0;
    for (let i = 0; i < samples; i++) off += Math.abs(values[i * axes + k] - mean);
    return [mean, off / samples];
  }).flat();
}
