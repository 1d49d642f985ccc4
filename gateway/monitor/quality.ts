import { wilson } from '../statistics.ts';

/** One prediction whose truth came. */
export interface Judgement {
  /** group of what the device said, and of what it was: classes, or parts of a range */
  said: number;
  truth: number;
  /** whether it counts as right */
  right: boolean;
  /** margin, 0 to 255, in sixteenths of a logit */
  score: number;
}

/** What {@link quality} remembers: the newest judgements, as [said, truth, right, score]. */
export type QualityState = [number, number, number, number][];

/** How one class fares. */
export interface ClassQuality {
  cls: number;
  /** share of the windows of this class that were said right; null without one */
  recall: number | null;
  /** share of the windows said to be this class that were; null without one */
  precision: number | null;
  /** labelled windows of this class, and windows said to be it */
  truths: number;
  saids: number;
}

/** How often the device was right at a confidence. */
export interface Reliability {
  /** mean confidence and share of right ones of the windows in this bin */
  confidence: number;
  accuracy: number;
  windows: number;
}

/** What the newest labelled windows of some devices say together. */
export interface Quality {
  /** labelled windows that the figures rest on */
  labels: number;
  accuracy: number | null;
  /** 95 % interval of the accuracy */
  low: number | null;
  high: number | null;
  classes: ClassQuality[];
  /** expected calibration error of the score as a confidence, 0 to 1; null without labels */
  calibrationError: number | null;
  reliability: Reliability[];
}

/** Counts over the newest judgements; a new one costs the same however many came before. */
export interface QualityCounts {
  update(judgement: Judgement): void;
  /** pairs 'said truth' → windows; right ones of each; by confidence bin: windows, right, confidence */
  readonly pairs: ReadonlyMap<string, number>;
  readonly bins: readonly { windows: number; right: number; confidence: number }[];
  state(): QualityState;
}

/** Bins of confidence from 0.5 to 1, as wide as those of ten over 0 to 1. */
const BINS = 5;

/**
 * The confidence that a score claims: the probability of the best class against the second best.
 *
 * @param score 0 to 255, a margin in sixteenths of a logit
 * @returns 0.5 to 1
 * @example confidence(16).toFixed(4) // '0.7311'
 */
export function confidence(score: number): number {
  return 1 / (1 + Math.exp(-score / 16));
}

const binOf = (score: number): number =>
  Math.min(BINS - 1, Math.floor((confidence(score) - 0.5) * 2 * BINS));

/**
 * Counts the newest judgements of one device by class and by confidence.
 *
 * @param window judgements that count
 * @param state to go on from
 */
export function quality(window = 100, state: QualityState = []): QualityCounts {
  const ring: QualityState = [];
  const pairs = new Map<string, number>();
  const bins = Array.from({ length: BINS }, () => ({ windows: 0, right: 0, confidence: 0 }));

  function count([said, truth, right, score]: QualityState[number], one: 1 | -1): void {
    const key = `${said} ${truth}`;
    const pair = (pairs.get(key) ?? 0) + one;
    if (pair === 0) pairs.delete(key);
    else pairs.set(key, pair);
    const bin = bins[binOf(score)];
    bin.windows += one;
    bin.right += one * right;
    bin.confidence += one * confidence(score);
  }

  function take(row: QualityState[number]): void {
    ring.push(row);
    count(row, 1);
    if (ring.length > window) count(ring.shift()!, -1);
  }

  for (const row of state) take(row);
  return {
    update: ({ said, truth, right, score }) => take([said, truth, Number(right), score]),
    pairs,
    bins,
    state: () => structuredClone(ring),
  };
}

/**
 * What the counts of some devices say together: of one, of a cohort, or of the fleet.
 *
 * @param devices their counts
 * @returns figures over all of their newest labelled windows
 * @source expected calibration error: Naeini, Cooper and Hauskrecht 2015, Obtaining Well Calibrated
 *   Probabilities Using Bayesian Binning; Guo et al. 2017, On Calibration of Modern Neural Networks,
 *   section 2
 */
export function pooled(devices: readonly QualityCounts[]): Quality {
  const bins = Array.from({ length: BINS }, (_, i) => {
    const sum = { windows: 0, right: 0, confidence: 0 };
    for (const { bins: own } of devices) {
      sum.windows += own[i].windows;
      sum.right += own[i].right;
      sum.confidence += own[i].confidence;
    }
    return sum;
  });
  const labels = bins.reduce((sum, { windows }) => sum + windows, 0);
  const right = bins.reduce((sum, bin) => sum + bin.right, 0);
  const [low, high] = labels === 0 ? [null, null] : wilson(right, labels);
  const gaps = bins.reduce((sum, bin) => sum + Math.abs(bin.right - bin.confidence), 0);
  return {
    ...{ labels, low, high, classes: classesOf(devices) },
    accuracy: labels === 0 ? null : right / labels,
    calibrationError: labels === 0 ? null : gaps / labels,
    reliability: bins
      .filter(({ windows }) => windows > 0)
      .map((bin) => ({
        confidence: bin.confidence / bin.windows,
        accuracy: bin.right / bin.windows,
        windows: bin.windows,
      })),
  };
}

function classesOf(devices: readonly QualityCounts[]): ClassQuality[] {
  const truths = new Map<number, number>();
  const saids = new Map<number, number>();
  const hits = new Map<number, number>();
  const add = (to: Map<number, number>, cls: number, n: number) =>
    to.set(cls, (to.get(cls) ?? 0) + n);
  for (const { pairs } of devices) {
    for (const [pair, n] of pairs) {
      const [said, truth] = pair.split(' ').map(Number);
      add(saids, said, n);
      add(truths, truth, n);
      if (said === truth) add(hits, said, n);
    }
  }
  const share = (cls: number, of: number | undefined) =>
    of === undefined ? null : (hits.get(cls) ?? 0) / of;
  return [...new Set([...truths.keys(), ...saids.keys()])]
    .sort((a, b) => a - b)
    .map((cls) => ({
      ...{ cls, recall: share(cls, truths.get(cls)), precision: share(cls, saids.get(cls)) },
      ...{ truths: truths.get(cls) ?? 0, saids: saids.get(cls) ?? 0 },
    }));
}
