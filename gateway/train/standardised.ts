import { fitSoftmax, type LinearData, type SoftmaxOptions } from './linear.ts';
import type { FloatDense } from './net.ts';

/** A feature that moves less than this many units of the input is noise, not to be blown up. */
const LEAST_DEVIATION = 1 / 8;

/**
 * Fits a softmax head on standardised features, see {@link fitStandardised}.
 *
 * @param data samples; not changed
 * @param labels [n] classes
 * @param classes how many
 * @param options see {@link fitSoftmax}
 * @returns a dense layer for the features as they are
 * @throws RangeError as {@link fitSoftmax}
 */
export function fitStandardisedSoftmax(
  data: LinearData,
  labels: Int32Array,
  classes: number,
  options: SoftmaxOptions,
): FloatDense {
  return fitStandardised(data, (even) => fitSoftmax(even, labels, classes, options));
}

/**
 * Fits a linear head on standardised features and folds the standardisation into its weights.
 *
 * The penalty then weighs every feature alike, whatever the frozen normalisation was fitted to, so
 * that a head alone adapts as well as normalisation and head together.
 *
 * @param data samples; not changed
 * @param fit is given the standardised samples
 * @returns a dense layer for the features as they are
 */
export function fitStandardised(
  data: LinearData,
  fit: (data: LinearData) => FloatDense,
): FloatDense {
  const { n, features } = data;
  const mean = new Float64Array(features);
  const deviation = new Float64Array(features);
  for (let i = 0; i < data.x.length; i++) mean[i % features] += data.x[i]! / n;
  for (let i = 0; i < data.x.length; i++) {
    deviation[i % features] += (data.x[i]! - mean[i % features]!) ** 2 / n;
  }
  const scale = deviation.map((square) => Math.max(Math.sqrt(square), LEAST_DEVIATION));
  const x = data.x.map((value, i) => (value - mean[i % features]!) / scale[i % features]!);
  const layer = fit({ ...data, x });
  const weights = layer.weights.map((w, i) => w / scale[i % features]!);
  const bias = layer.bias.map((b, c) => {
    let moved = b;
    for (let f = 0; f < features; f++) moved -= mean[f]! * weights[c * features + f]!;
    return moved;
  });
  return { ...layer, weights, bias };
}
