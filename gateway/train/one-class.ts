import { setImmediate } from 'node:timers/promises';
import { ANOMALY, NORMAL } from '../answers.ts';
import { normalQuantile } from '../statistics.ts';
import type { Task } from '../task.ts';
import { eigen } from './eigen.ts';
import type { FloatDense, FloatNet } from './net.ts';
import type { Quantisation } from './quant-layer.ts';
import type { Fitting, Recipe } from './recipe.ts';
import { heed } from './trainer.ts';

/** Both logits in sixteenths, as a device's score is: at most 8, for a window in the very middle. */
const VERDICT_OUTPUT: Quantisation = { scale: 1 / 16, zero: 0 };
/** Logit of 'normal' for a window in the very middle, which is what the output can hold. */
const TOP = 8;
/**
 * Variance that every direction has at least, in units of the int8 input: a direction in which normal
 * windows differ by less than an eighth of a feature's deviation is noise of the steps.
 */
const LEAST_VARIANCE = 1 / 64;
/** A unit that normal windows hardly excite counts as if it had this share of the mean excitement. */
const LEAST_SHARE = 0.1;
/** And this much at least, so that a handful of equal windows makes no weight too large for int8. */
const LEAST_MEAN = 0.02;
/** The mean distance of normal windows, by construction: no threshold lies within. */
const LEAST_LIMIT = 1;
/** Windows that a champion's proportions count for when its head alone is refitted. */
const PRIOR_WINDOWS = 10;
/** Windows beyond a quantile from which on it is read off; fewer, and it is extrapolated. */
const ENOUGH_BEYOND = 3;
/** With fewer windows their spread is not believed to be below {@link LEAST_SPREAD}. */
const FEW = 8;
/** Of the logarithm of the distance. */
const LEAST_SPREAD = 0.25;
/** Times as far from the middle as normal windows that a layer still tells apart. */
const REACH = 3;

/**
 * Learns from normal windows alone what is normal, in closed form.
 *
 * The first layer turns features into directions in which normal windows vary independently, one
 * ReLU unit for each side of each; the second adds up how far out a window lies on every side, in
 * units of how far normal ones lie there, and compares with a threshold. The threshold is where the
 * task's expected share of normal windows lies beyond, judged by nets that were fitted without the
 * window in question.
 *
 * Anomalies that somebody labelled never teach: all of them are left to judge.
 *
 * @param task of kind 'anomaly'; its layers are two dense ones, see gateway/task-kind.ts
 * @source whitening by principal components; the sum of sides is the L1 counterpart of Mahalanobis'
 *   distance, and each side has its own scale, so that skewed features are no anomaly. On synthetic
 *   motors it separates better than the squared distance, see test/gateway/train/one-class.test.ts
 */
export function oneClass(task: Task): Recipe {
  const { folds } = task.training;
  const falseAlarm = task.anomaly!.falseAlarm;
  return {
    groups: 1,
    output: VERDICT_OUTPUT,
    reach: REACH,
    said: (logits) => (logits[ANOMALY]! > logits[NORMAL]! ? ANOMALY : NORMAL),
    draw(fresh, old) {
      const normal = [...fresh, ...old].filter(({ cls }) => cls === NORMAL);
      if (normal.length === 0) throw new RangeError('no normal window to learn from');
      return normal;
    },
    async fit(net, { x, answers, isWarm, signal }: Fitting): Promise<FloatNet> {
      await setImmediate(); // the gateway's other work, and whoever wants to cancel this
      heed(signal);
      const n = answers.length;
      const rows = rowsOf(x, n);
      const end = net.layers.at(-1) as FloatDense;
      const isHead = net.layers.length === 1;
      const prior = isHead && isWarm ? end.weights.subarray(ANOMALY * end.inputs) : undefined;
      const fitTo = (some: readonly Float64Array[]): OneClass => {
        const directions = isHead ? null : whiten(some);
        const seen = directions === null ? some : some.map(directions.sides);
        return { directions, weights: weigh(seen, prior) };
      };
      const outside: number[] = [];
      for (let fold = 0; fold < folds && n > folds; fold++) {
        heed(signal);
        const part = fitTo(rows.filter((_, i) => i % folds !== fold));
        for (let i = fold; i < n; i += folds) outside.push(distance(part, rows[i]!));
      }
      const final = fitTo(rows);
      if (outside.length === 0) outside.push(...rows.map((row) => distance(final, row)));
      const head = headOf(final.weights, threshold(outside, falseAlarm));
      return {
        ...net,
        layers: final.directions === null ? [head] : [final.directions.layer, head],
      };
    },
  };
}

/** A fitted pair of layers; only the second where the first one is frozen. */
interface OneClass {
  directions: Directions | null;
  weights: Float64Array;
}

interface Directions {
  layer: FloatDense;
  /** what the layer gives for an input */
  sides: (row: Float64Array) => Float64Array;
}

function rowsOf(x: Float32Array, n: number): Float64Array[] {
  const width = x.length / n;
  return Array.from({ length: n }, (_, i) =>
    Float64Array.from(x.subarray(i * width, (i + 1) * width)),
  );
}

function whiten(rows: readonly Float64Array[]): Directions {
  const d = rows[0]!.length;
  const mean = new Float64Array(d);
  for (const row of rows) for (let i = 0; i < d; i++) mean[i] += row[i] / rows.length;
  const covariance = new Float64Array(d * d);
  for (const row of rows) {
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) {
        covariance[i * d + j] += ((row[i] - mean[i]) * (row[j] - mean[j])) / rows.length;
      }
    }
  }
  const { values, vectors } = eigen(covariance, d);
  const weights = new Float32Array(2 * d * d);
  const bias = new Float32Array(2 * d);
  for (let k = 0; k < d; k++) {
    // the root is shared with the next layer: neither of the two int8 tables spans a wide range
    const scale = (Math.max(0, values[k]) + LEAST_VARIANCE) ** -0.25;
    for (let i = 0; i < d; i++) {
      const w = vectors[k * d + i] * scale;
      weights[2 * k * d + i] = w;
      weights[(2 * k + 1) * d + i] = -w;
      bias[2 * k] -= w * mean[i];
      bias[2 * k + 1] += w * mean[i];
    }
  }
  const layer: FloatDense = { type: 'dense', inputs: d, outputs: 2 * d, weights, bias, relu: true };
  const sides = (row: Float64Array): Float64Array => {
    const out = new Float64Array(2 * d);
    for (let u = 0; u < out.length; u++) {
      let sum = bias[u];
      for (let i = 0; i < d; i++) sum += weights[u * d + i] * row[i];
      out[u] = Math.max(0, sum);
    }
    return out;
  };
  return { layer, sides };
}

/** What a unit's excitement counts: 1 for the mean of normal windows, shared by all units. */
function weigh(seen: readonly Float64Array[], prior?: ArrayLike<number>): Float64Array {
  const units = seen[0]!.length;
  const mean = new Float64Array(units);
  for (const row of seen) for (let u = 0; u < units; u++) mean[u] += row[u] / seen.length;
  if (prior !== undefined) {
    // a champion's head tells its proportions, not its level: that is the new windows'
    let level = 0;
    for (let u = 0; u < units; u++) level += (Math.max(0, prior[u]) * mean[u]) / units;
    const share = PRIOR_WINDOWS / (PRIOR_WINDOWS + seen.length);
    for (let u = 0; u < units; u++) {
      if (prior[u] > 0) mean[u] = (1 - share) * mean[u] + (share * level) / prior[u];
    }
  }
  const level = mean.reduce((sum, m) => sum + m / units, 0);
  const floor = Math.max(LEAST_SHARE * level, LEAST_MEAN);
  return mean.map((m) => 1 / ((m + floor) * units));
}

function distance({ directions, weights }: OneClass, row: Float64Array): number {
  const seen = directions === null ? row : directions.sides(row);
  return seen.reduce((sum, value, u) => sum + value * weights[u]!, 0);
}

/**
 * The distance beyond which a share of normal windows lies.
 *
 * Read off the windows where enough lie beyond; else from a normal distribution of the logarithm,
 * widened for what so few windows leave unknown (Student's prediction interval with its normal limit).
 */
function threshold(distances: readonly number[], share: number): number {
  const sorted = [...distances].sort((a, b) => a - b);
  const n = sorted.length;
  if (n * share >= ENOUGH_BEYOND) return sorted[Math.min(n, Math.ceil((n + 1) * (1 - share))) - 1]!;
  const logs = sorted.map((value) => Math.log(Math.max(value, Number.MIN_VALUE)));
  const mean = logs.reduce((sum, x) => sum + x, 0) / n;
  const square = logs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, n - 1);
  const spread = Math.max(Math.sqrt(square), n < FEW ? LEAST_SPREAD : 0);
  return Math.exp(mean + normalQuantile(1 - share) * spread * Math.sqrt(1 + 1 / n));
}

/** Logits: how much nearer than the threshold, and how much farther. */
function headOf(weights: Float64Array, limit: number): FloatDense {
  const gain = TOP / Math.max(limit, LEAST_LIMIT);
  const inputs = weights.length;
  const rows = new Float32Array(2 * inputs);
  for (let u = 0; u < inputs; u++) {
    rows[NORMAL * inputs + u] = -gain * weights[u]!;
    rows[ANOMALY * inputs + u] = gain * weights[u]!;
  }
  const bias = new Float32Array(2);
  bias[NORMAL] = TOP;
  bias[ANOMALY] = -TOP;
  return { type: 'dense', inputs, outputs: 2, weights: rows, bias, relu: false };
}
