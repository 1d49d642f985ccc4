import type { LinearData } from './linear.ts';
import { factorise, solve } from './linear.ts';
import type { FloatDense } from './net.ts';

/**
 * Fits linear discriminant analysis with a shrunken covariance, every class alike likely.
 *
 * What varies within the classes counts little, in whatever direction: prefer it to a softmax head
 * where a sensor drifts, since drift mostly goes where amounts and conditions already vary. Closed
 * form, no seed.
 *
 * @param data samples; features of about equal spread, since they are shrunk alike
 * @param labels [n] classes
 * @param classes how many; one without a sample never wins
 * @param shrinkage share of the covariance that is replaced by its mean variance, above 0, below 1
 * @returns a dense layer whose outputs spread by 1 over the samples
 * @throws RangeError if there are not two classes with samples, or the shrinkage is outside its range
 * @source Friedman 1989, 'Regularized discriminant analysis', equation 18
 */
export function fitDiscriminant(
  { x, n, features: d }: LinearData,
  labels: Int32Array,
  classes: number,
  shrinkage: number,
): FloatDense {
  if (!(shrinkage > 0 && shrinkage < 1)) throw new RangeError(`shrinkage is ${shrinkage}`);
  const counts = new Float64Array(classes);
  const mean = new Float64Array(classes * d);
  for (const label of labels) counts[label]! += 1;
  const present = counts.filter((count) => count > 0).length;
  if (present < 2) throw new RangeError(`${present} classes have samples, two are needed`);
  for (let s = 0; s < n; s++) {
    for (let i = 0; i < d; i++) mean[labels[s]! * d + i]! += x[s * d + i]! / counts[labels[s]!]!;
  }
  const within = new Float64Array(d * d);
  const row = new Float64Array(d);
  for (let s = 0; s < n; s++) {
    const share = 1 / (counts[labels[s]!]! * present);
    for (let i = 0; i < d; i++) row[i] = x[s * d + i]! - mean[labels[s]! * d + i]!;
    for (let i = 0; i < d; i++) {
      const v = row[i]! * share;
      for (let j = 0, at = i * d; j <= i; j++, at++) within[at]! += v * row[j]!;
    }
  }
  let trace = 0;
  for (let i = 0; i < d; i++) trace += within[i * d + i]! / d;
  // a class without any spread would leave nothing to divide by
  const floor = shrinkage * (trace || 1);
  for (let i = 0; i < within.length; i++) within[i]! *= 1 - shrinkage;
  for (let i = 0; i < d; i++) within[i * d + i]! += floor;
  factorise(within, d);
  const weights = Float64Array.from(mean);
  const bias = new Float64Array(classes);
  for (let c = 0; c < classes; c++) {
    const w = weights.subarray(c * d, (c + 1) * d);
    solve(within, w, d);
    for (let i = 0; i < d; i++) bias[c]! -= (w[i]! * mean[c * d + i]!) / 2;
  }
  return spreadBy1({ x, n, features: d }, weights, bias, counts);
}

/** Scales the outputs, and puts classes that nobody has seen below all others. */
function spreadBy1(
  { x, n, features: d }: LinearData,
  weights: Float64Array,
  bias: Float64Array,
  counts: Float64Array,
): FloatDense {
  const seen = [...counts.keys()].filter((c) => counts[c]! > 0);
  let square = 0;
  let lowest = Infinity;
  for (let s = 0; s < n; s++) {
    const scores = seen.map((c) => {
      let sum = bias[c]!;
      for (let i = 0; i < d; i++) sum += weights[c * d + i]! * x[s * d + i]!;
      return sum;
    });
    const middle = scores.reduce((a, b) => a + b, 0) / seen.length;
    for (const score of scores) {
      square += (score - middle) ** 2 / (n * seen.length);
      lowest = Math.min(lowest, score);
    }
  }
  const scale = 1 / Math.sqrt(square);
  return {
    type: 'dense',
    inputs: d,
    outputs: counts.length,
    weights: Float32Array.from(weights, (w) => w * scale),
    bias: Float32Array.from(bias, (b, c) => (counts[c] === 0 ? lowest : b) * scale),
    relu: false,
  };
}
