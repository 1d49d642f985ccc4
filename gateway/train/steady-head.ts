import { setImmediate } from 'node:timers/promises';
import type { Group } from './array-members.ts';
import type { LabelledWindow } from './augment.ts';
import { fitDiscriminant } from './discriminant.ts';
import { createEmbedder, type QuantModel } from './model.ts';
import type { FloatDense } from './net.ts';
import { fitPre } from './pre.ts';
import { dequantise, PRE_OUTPUT, quantise } from './quantise.ts';

/** Deviations that the int8 input holds: those of the rung that re-estimates the normalisation. */
const SIGMAS = 4;
/** Shares of the covariance that are shrunk; no one of them is chosen, their answers are added. */
const SHRINKAGES = [0.003, 0.01, 0.03, 0.1];

/**
 * Fits a linear model that is made to be realigned: linear discriminants on every group of features
 * and at every shrinkage, added up to one dense layer. Nothing in it is chosen, so that there is
 * nothing to choose wrongly where later windows have no labels.
 *
 * @param windows labelled, of one sample each
 * @param classes how many
 * @param groups features to learn from, alone and together
 * @returns a model in int8: normalisation and head
 * @throws RangeError without windows of two classes
 */
export async function fitSteadyHead(
  windows: readonly LabelledWindow[],
  classes: number,
  groups: readonly Group[],
): Promise<QuantModel> {
  const n = windows.length;
  const pre = fitPre(
    windows.map(({ window }) => window),
    { sigmas: SIGMAS, set: 0 },
  );
  const embed = createEmbedder({ pre, layers: [] }, 0);
  const features = windows[0]!.window.length;
  const inputs = new Int8Array(n * features);
  windows.forEach(({ window }, i) => {
    inputs.set(embed(window, 1), i * features);
  });
  const all = dequantise(inputs, PRE_OUTPUT);
  const labels = Int32Array.from(windows, ({ cls }) => cls);
  const weights = new Float32Array(classes * features);
  const bias = new Float32Array(classes);
  for (const { from, to } of groups) {
    const x = new Float32Array(n * (to - from));
    for (let s = 0; s < n; s++) {
      x.set(all.subarray(s * features + from, s * features + to), s * (to - from));
    }
    for (const shrinkage of SHRINKAGES) {
      await setImmediate(); // the gateway's other work
      const part = fitDiscriminant({ x, n, features: to - from }, labels, classes, shrinkage);
      for (let c = 0; c < classes; c++) {
        bias[c]! += part.bias[c]!;
        for (let f = from; f < to; f++) {
          weights[c * features + f]! += part.weights[c * (to - from) + f - from]!;
        }
      }
    }
  }
  const layer: FloatDense = {
    ...{ type: 'dense', inputs: features, outputs: classes, weights, bias, relu: false },
  };
  const net = { input: { length: 1, channels: features }, layers: [layer] };
  return { pre, layers: quantise(net, inputs), cut: 0 };
}
