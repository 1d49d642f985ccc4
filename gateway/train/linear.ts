import { softmaxLoss } from './builtin-loss.ts';
import { forwardRows, type Rows, weightGradientRows } from './builtin-rows.ts';
import type { FloatDense } from './net.ts';

/** What a linear head is fitted to. */
export interface LinearData {
  /** [n][features] */
  x: Float32Array;
  n: number;
  features: number;
  /** [n] importance of each sample; 1 where absent */
  weight?: Float32Array;
}

export interface SoftmaxOptions {
  /** penalty l2/2·Σw² beside the mean error, not on biases */
  l2: number;
  /** steps of full-batch Adam, its step size falling to 0 by a half cosine */
  iterations: number;
  /** first step size */
  learningRate: number;
  /** share of each label spread over all classes, in [0, 1) */
  labelSmoothing: number;
}

/** Full-batch steps are not noisy, so that the second moment may forget quicker than Adam's usual. */
const BETA1 = 0.9;
const BETA2 = 0.99;
const EPSILON = 1e-8;

/**
 * Fits multinomial logistic regression: what a head without hidden layers needs, in a fraction of a
 * second. The problem is convex; it starts from zero and needs no seed.
 *
 * @param data samples
 * @param labels [n] classes
 * @param classes how many
 * @param options how strongly held back, how long
 * @returns a dense layer whose outputs are the logits
 * @throws RangeError if the arrays do not fit each other, or there is nothing to fit
 */
export function fitSoftmax(
  data: LinearData,
  labels: Int32Array,
  classes: number,
  options: SoftmaxOptions,
): FloatDense {
  checkLinear(data, labels.length);
  for (const label of labels) {
    if (label < 0 || label >= classes) throw new RangeError(`class ${label} of ${classes}`);
  }
  const { n, features } = data;
  const x = Float64Array.from(data.x);
  const weight = Float64Array.from(data.weight ?? new Float32Array(n).fill(1));
  const w = new Float64Array(classes * features);
  const b = new Float64Array(classes);
  const dw = new Float64Array(w.length);
  const db = new Float64Array(classes);
  const logits = new Float64Array(n * classes);
  const gradient = new Float64Array(n * classes);
  const moments = [w, b].map(({ length }) => ({
    mean: new Float64Array(length),
    square: new Float64Array(length),
  }));
  const rows: Rows = {
    count: n,
    length: features,
    xStart: 0,
    xStride: features,
    yStart: 0,
    outputs: classes,
  };
  for (let t = 1; t <= options.iterations; t++) {
    forwardRows(rows, x, w, b, logits);
    softmaxLoss(logits, gradient, labels, weight, n, classes, options.labelSmoothing);
    for (let i = 0; i < w.length; i++) dw[i] = options.l2 * w[i];
    db.fill(0);
    weightGradientRows(rows, x, gradient, dw, db);
    const rate = (options.learningRate * (1 + Math.cos((Math.PI * t) / options.iterations))) / 2;
    step(w, dw, moments[0], rate, t);
    step(b, db, moments[1], rate, t);
  }
  return dense(w, b, features, classes);
}

function step(
  value: Float64Array,
  gradient: Float64Array,
  { mean, square }: { mean: Float64Array; square: Float64Array },
  rate: number,
  t: number,
): void {
  const meanScale = 1 / (1 - BETA1 ** t);
  const squareScale = 1 / (1 - BETA2 ** t);
  for (let i = 0; i < value.length; i++) {
    mean[i] = BETA1 * mean[i] + (1 - BETA1) * gradient[i];
    square[i] = BETA2 * square[i] + (1 - BETA2) * gradient[i] * gradient[i];
    value[i] -= (rate * mean[i] * meanScale) / (Math.sqrt(square[i] * squareScale) + EPSILON);
  }
}

/**
 * Fits ridge regression in closed form; biases are not held back.
 *
 * @param data samples
 * @param targets [n][outputs]
 * @param outputs how many
 * @param l2 penalty l2·Σw² beside the mean squared error, above 0
 * @returns a dense layer whose outputs are the predictions
 * @throws RangeError if the arrays do not fit each other, or there is nothing to fit
 * @source Hoerl and Kennard 1970
 */
export function fitRidge(
  data: LinearData,
  targets: Float32Array,
  outputs: number,
  l2: number,
): FloatDense {
  checkLinear(data, targets.length / outputs);
  if (!(l2 > 0)) throw new RangeError(`l2 is ${l2}, but must be above 0`);
  const { n, features: d, x } = data;
  const weight = data.weight ?? new Float32Array(n).fill(1);
  const total = weight.reduce((a, b) => a + b, 0);
  const meanOf = (values: Float32Array, width: number): Float64Array => {
    const mean = new Float64Array(width);
    for (let s = 0; s < n; s++) {
      for (let i = 0; i < width; i++) mean[i] += (weight[s] * values[s * width + i]) / total;
    }
    return mean;
  };
  const xMean = meanOf(x, d);
  const yMean = meanOf(targets, outputs);
  const gram = new Float64Array(d * d);
  const right = new Float64Array(outputs * d);
  const row = new Float64Array(d);
  for (let s = 0; s < n; s++) {
    for (let i = 0; i < d; i++) row[i] = x[s * d + i] - xMean[i];
    for (let i = 0; i < d; i++) {
      const v = (weight[s] * row[i]) / total;
      for (let j = 0; j <= i; j++) gram[i * d + j] += v * row[j];
      for (let o = 0; o < outputs; o++) {
        right[o * d + i] += v * (targets[s * outputs + o] - yMean[o]);
      }
    }
  }
  for (let i = 0; i < d; i++) gram[i * d + i] += l2;
  factorise(gram, d);
  const b = new Float64Array(outputs);
  for (let o = 0; o < outputs; o++) {
    const solution = right.subarray(o * d, (o + 1) * d);
    solve(gram, solution, d);
    b[o] = yMean[o] - solution.reduce((sum, w, i) => sum + w * xMean[i], 0);
  }
  return dense(right, b, d, outputs);
}

/**
 * Cholesky's factor of a symmetric matrix, positive definite; in place, in the lower triangle.
 *
 * @param a [d][d]; only its lower triangle is read and written
 * @param d size
 */
export function factorise(a: Float64Array, d: number): void {
  for (let j = 0; j < d; j++) {
    for (let i = j; i < d; i++) {
      let sum = a[i * d + j];
      for (let k = 0; k < j; k++) sum -= a[i * d + k] * a[j * d + k];
      a[i * d + j] = i === j ? Math.sqrt(sum) : sum / a[j * d + j];
    }
  }
}

/**
 * Solves A·x = b by {@link factorise}'s factor.
 *
 * @param lower the factor of A
 * @param b right side; becomes x
 * @param d size
 */
export function solve(lower: Float64Array, b: Float64Array, d: number): void {
  for (let i = 0; i < d; i++) {
    for (let k = 0; k < i; k++) b[i] -= lower[i * d + k] * b[k];
    b[i] /= lower[i * d + i];
  }
  for (let i = d - 1; i >= 0; i--) {
    for (let k = i + 1; k < d; k++) b[i] -= lower[k * d + i] * b[k];
    b[i] /= lower[i * d + i];
  }
}

function dense(w: Float64Array, b: Float64Array, inputs: number, outputs: number): FloatDense {
  const weights = Float32Array.from(w);
  return { type: 'dense', inputs, outputs, weights, bias: Float32Array.from(b), relu: false };
}

function checkLinear({ x, n, features, weight }: LinearData, targets: number): void {
  if (n < 1 || features < 1) throw new RangeError(`${n} samples of ${features} features`);
  if (x.length !== n * features || targets !== n || (weight && weight.length !== n)) {
    throw new RangeError(`${n} samples, but ${x.length / features} inputs, ${targets} targets`);
  }
}
