import { type Calibrator, type CalibratorState, calibrator } from './calibrator.ts';

/** What the accuracy seems to be, by scores alone. */
export interface Estimate {
  accuracy: number;
  /** 95 % interval: chance, what is not known of the curve, and how wrong it was before */
  low: number;
  high: number;
  /** newest windows that it is about */
  windows: number;
  /** labels that the curve was learned from, on this device since its release */
  labels: number;
  /** earlier estimates beside what labels then said; null before the first ten labels */
  past: PastEstimates | null;
}

/** How wrong estimates were once the labels came, ten windows each. */
export interface PastEstimates {
  estimates: number;
  /** mean of |estimated − measured| */
  meanError: number;
  /** mean of estimated − measured: above 0 it promised too much */
  bias: number;
  /** share of the estimates whose interval held what was measured */
  held: number;
}

/** One finished estimate of ten windows: right ones that were expected, variance, right ones. */
type Batch = [expected: number, variance: number, right: number];

/** What {@link estimator} remembers. */
export interface EstimatorState {
  curve: CalibratorState;
  scores: number[];
  labels: number;
  batch: Batch;
  inBatch: number;
  past: Batch[];
  anchored: boolean;
}

/** Estimates the accuracy of one device. */
export interface Estimator {
  window(score: number): void;
  /** Judges what was expected of the score, then learns from it. */
  label(score: number, right: boolean): void;
  /** What is known of the share of right ones among the windows so far; once a release. */
  anchor(share: number, variance: number): void;
  /** Another release: other scores mean other things. @param curve where to begin */
  restart(curve: CalibratorState): void;
  /**
   * The world changed: what the scores mean is in doubt, and older windows are of another world.
   *
   * @param windows since the change
   */
  doubt(windows: number): void;
  /** undefined before there are windows enough */
  estimate(): Estimate | undefined;
  state(): EstimatorState;
}

/** Newest windows that an estimate is about, and the fewest. */
const newest = 200;
const fewest = 10;
/** Labels after which an estimate is compared, and comparisons that are kept. */
const batchSize = 10;
const batchesKept = 20;
/** Comparisons without surprise that a device starts with, so that the first proves little. */
const unsurprising = 2;
const z = 1.959963984540054;

/**
 * Estimated accuracy without labels: the mean over the newest windows of the probability that each is
 * right, by a curve that earlier labels taught. It rests on the curve still holding: where the world
 * changes so that a score means something else, it errs, and says by how much it did so far. Its
 * interval covers chance and the curve's own uncertainty, and grows by the factor by which past
 * estimates were further off than they should have been (overdispersion).
 *
 * @param curve where to begin
 * @param state to go on from
 * @source confidence-based performance estimation: Guillory et al. 2021, Predicting with Confidence on
 *   Unseen Distributions; Garg et al. 2022, Leveraging Unlabeled Data to Predict Out-of-Distribution
 *   Performance (average confidence, ATC); overdispersion: McCullagh and Nelder 1989, section 4.5
 */
export function estimator(curve: CalibratorState, state?: EstimatorState): Estimator {
  const fresh = (from: CalibratorState): EstimatorState => ({
    ...{ curve: from, scores: [], labels: 0, batch: [0, 0, 0], inBatch: 0, past: [] },
    anchored: false,
  });
  let s: EstimatorState = structuredClone(state ?? fresh(curve));
  let learned: Calibrator = calibrator(s.curve);

  /** Mean probability of the newest windows, its gradient, and the variance that is chance. */
  function mean(): { p: number; gradient: [number, number]; chance: number } {
    const n = s.scores.length;
    const sum = { p: 0, gradient: [0, 0] as [number, number], chance: 0 };
    for (const score of s.scores) {
      const { p, gradient } = learned.of(score);
      sum.p += p / n;
      sum.gradient[0] += gradient[0] / n;
      sum.gradient[1] += gradient[1] / n;
      sum.chance += (p * (1 - p)) / (n * n);
    }
    return sum;
  }

  /** How many times the variance was larger than it should have been, at least 1. */
  function dispersion(): number {
    const sum = s.past.reduce((all, [p, v, right]) => all + (right - p) ** 2 / v, 0);
    return Math.max(1, (unsurprising + sum) / (unsurprising + s.past.length));
  }

  function past(): PastEstimates | null {
    const n = s.past.length;
    if (n === 0) return null;
    const offs = s.past.map(([p, , right]) => (p - right) / batchSize);
    const held = s.past.filter(([p, v, right]) => Math.abs(right - p) <= z * Math.sqrt(v));
    return {
      ...{ estimates: n, held: held.length / n },
      meanError: offs.reduce((sum, off) => sum + Math.abs(off), 0) / n,
      bias: offs.reduce((sum, off) => sum + off, 0) / n,
    };
  }

  return {
    window(score) {
      s.scores.push(score);
      if (s.scores.length > newest) s.scores.shift();
    },
    label(score, right) {
      const { p, variance } = learned.of(score);
      s.batch[0] += p;
      s.batch[1] += p * (1 - p) + variance;
      s.batch[2] += Number(right);
      if (++s.inBatch === batchSize) {
        s.past.push(s.batch);
        if (s.past.length > batchesKept) s.past.shift();
        s.batch = [0, 0, 0];
        s.inBatch = 0;
      }
      learned.update(score, right);
      s.labels++;
    },
    anchor(share, variance) {
      if (s.anchored || s.scores.length === 0) return;
      const score = s.scores.reduce((sum, one) => sum + one, 0) / s.scores.length;
      learned.anchor(mean, score, share, variance);
      s.anchored = true;
    },
    restart(from) {
      // how wrong estimates were on this device is worth knowing beyond a release
      s = { ...fresh(from), past: s.past };
      learned = calibrator(from);
    },
    doubt(windows) {
      s.scores = s.scores.slice(-Math.max(fewest, windows));
      learned.doubt();
    },
    estimate() {
      if (s.scores.length < fewest) return undefined;
      const { p, gradient, chance } = mean();
      const deviation = Math.sqrt(dispersion() * (chance + learned.spread(gradient)));
      // on the scale of logits, where no interval leaves 0 to 1
      const at = Math.log(p / (1 - p));
      const reach = (z * deviation) / (p * (1 - p));
      const share = (logit: number) => 1 / (1 + Math.exp(-logit));
      return {
        ...{ accuracy: p, low: share(at - reach), high: share(at + reach) },
        ...{ windows: s.scores.length, labels: s.labels, past: past() },
      };
    },
    state: () => structuredClone({ ...s, curve: learned.state() }),
  };
}

/**
 * The estimate of some devices together. Their curves err alike, so their errors add up instead of
 * cancelling out.
 *
 * @returns undefined where none of them has one
 */
export function together(all: readonly Estimate[]): Estimate | undefined {
  const windows = all.reduce((sum, { windows: n }) => sum + n, 0);
  if (windows === 0) return undefined;
  const mean = (value: (one: Estimate) => number): number =>
    all.reduce((sum, one) => sum + (value(one) * one.windows) / windows, 0);
  const judged = all.flatMap(({ past }) => (past === null ? [] : [past]));
  const estimates = judged.reduce((sum, one) => sum + one.estimates, 0);
  const meanPast = (value: (one: PastEstimates) => number): number =>
    judged.reduce((sum, one) => sum + (value(one) * one.estimates) / estimates, 0);
  return {
    ...{ accuracy: mean((e) => e.accuracy), low: mean((e) => e.low), high: mean((e) => e.high) },
    ...{ windows, labels: all.reduce((sum, { labels }) => sum + labels, 0) },
    past:
      estimates === 0
        ? null
        : {
            ...{ estimates, meanError: meanPast((p) => p.meanError) },
            ...{ bias: meanPast((p) => p.bias), held: meanPast((p) => p.held) },
          },
  };
}
