/**
 * Softmax cross-entropy and its gradient.
 *
 * @param logits [n][classes]
 * @param gradient of the logits, written; of weight × error / n
 * @param labels [n] classes
 * @param weight [n]
 * @param n samples in the batch
 * @param classes how many
 * @param smoothing share of each label spread over all classes
 * @returns sum of weight × error over the batch
 * @source Szegedy et al. 2016, section 7 (label smoothing)
 */
export function softmaxLoss(
  logits: Float64Array,
  gradient: Float64Array,
  labels: Int32Array,
  weight: Float64Array,
  n: number,
  classes: number,
  smoothing: number,
): number {
  const spread = smoothing / classes;
  let loss = 0;
  for (let s = 0; s < n; s++) {
    const row = s * classes;
    let top = logits[row];
    for (let c = 1; c < classes; c++) if (logits[row + c] > top) top = logits[row + c];
    let sum = 0;
    for (let c = 0; c < classes; c++) {
      const likelihood = Math.exp(logits[row + c] - top);
      gradient[row + c] = likelihood;
      sum += likelihood;
    }
    const logSum = Math.log(sum) + top;
    const scale = weight[s] / n;
    for (let c = 0; c < classes; c++) {
      const target = spread + (c === labels[s] ? 1 - smoothing : 0);
      if (target !== 0) loss -= weight[s] * target * (logits[row + c] - logSum);
      gradient[row + c] = scale * (gradient[row + c] / sum - target);
    }
  }
  return loss;
}

/**
 * Mean squared error over a sample's outputs, and its gradient.
 *
 * @param outputs [n][size]
 * @param gradient of the outputs, written; of weight × error / n
 * @param targets [n][size]
 * @param weight [n]
 * @param n samples in the batch
 * @param size outputs a sample
 * @returns sum of weight × error over the batch
 */
export function squaredLoss(
  outputs: Float64Array,
  gradient: Float64Array,
  targets: Float64Array,
  weight: Float64Array,
  n: number,
  size: number,
): number {
  let loss = 0;
  for (let s = 0; s < n; s++) {
    for (let i = s * size; i < (s + 1) * size; i++) {
      const error = outputs[i] - targets[i];
      loss += (weight[s] * error * error) / size;
      gradient[i] = (2 * weight[s] * error) / (size * n);
    }
  }
  return loss;
}
