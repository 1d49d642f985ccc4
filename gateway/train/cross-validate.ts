import { createRandom } from '../random.ts';

/** Predicts the class of a sample, by its index. */
export type IndexPredictor = (index: number) => number;

/**
 * Predicts every sample with a model that has not seen it: trains once a fold on the others.
 *
 * What is derived from a sample (its augmentations) must be made inside `train`, from the indices
 * that it is given, so that the model has not seen those either.
 *
 * @param labels class of each sample
 * @param folds how many, from 2 on; as many as samples, or more, leaves one out at a time
 * @param seed decides who is in which fold
 * @param train makes a predictor from the samples with these indices, in rising order
 * @returns predicted class of each sample
 * @throws RangeError with fewer than two samples or folds
 */
export async function crossValidate(
  labels: ArrayLike<number>,
  folds: number,
  seed: number,
  train: (indices: number[]) => IndexPredictor | Promise<IndexPredictor>,
): Promise<number[]> {
  const fold = stratifiedFolds(labels, folds, seed);
  const predicted = new Array<number>(labels.length);
  const used = Math.min(folds, labels.length);
  for (let f = 0; f < used; f++) {
    const seen: number[] = [];
    const unseen: number[] = [];
    for (let i = 0; i < fold.length; i++) (fold[i] === f ? unseen : seen).push(i);
    const predict = await train(seen);
    for (const index of unseen) predicted[index] = predict(index);
  }
  return predicted;
}

/**
 * Deals samples into folds so that each class is spread as evenly as it can be, and so are the sizes.
 *
 * @param labels class of each sample
 * @param folds how many, from 2 on; never more than samples
 * @param seed decides who is in which fold
 * @returns fold of each sample
 * @throws RangeError with fewer than two samples or folds
 * @example [...stratifiedFolds([0, 0, 1, 1], 2, 1)].slice(0, 2).sort() // [0, 1]
 */
export function stratifiedFolds(
  labels: ArrayLike<number>,
  folds: number,
  seed: number,
): Int32Array {
  const n = labels.length;
  if (n < 2) throw new RangeError(`${n} samples cannot be cross-validated`);
  if (!Number.isInteger(folds) || folds < 2) throw new RangeError(`folds is ${folds}`);
  const order = Array.from({ length: n }, (_, i) => i);
  createRandom(seed).shuffle(order);
  // a stable sort: shuffled within each class
  order.sort((a, b) => labels[a] - labels[b]);
  const fold = new Int32Array(n);
  for (let i = 0; i < n; i++) fold[order[i]] = i % Math.min(folds, n);
  return fold;
}
