/** An embedding that moves less than this many units is noise, not to be blown up. */
const LEAST_DEVIATION = 1;

/**
 * Moves embeddings of one regime to where another regime lies: each number by its mean and deviation
 * in both. What was labelled before a sensor drifted can so teach what comes after, without a label.
 *
 * It supposes that both regimes hold about the same mixture of classes.
 *
 * @param from embeddings of the regime that is left, labelled or not
 * @param to embeddings of the regime that is entered, labelled or not
 * @returns moves one embedding; int8, saturated to [-128, 127]
 * @throws RangeError if one side is empty, or embeddings differ in length
 * @source Sun, Feng and Saenko 2016 (CORAL), with the diagonal of the covariance alone
 * @example realigner([Int8Array.of(0), Int8Array.of(4)], [Int8Array.of(10), Int8Array.of(18)])(Int8Array.of(3)) // Int8Array.of(16)
 */
export function realigner(
  from: readonly Int8Array[],
  to: readonly Int8Array[],
): (embedding: Int8Array) => Int8Array {
  const [left, entered] = [moments(from), moments(to)];
  if (left.mean.length !== entered.mean.length)
    throw new RangeError('embeddings of unequal length');
  const scale = left.deviation.map((value, f) => entered.deviation[f]! / value);
  return (embedding) =>
    embedding.map((value, f) => {
      const moved = entered.mean[f]! + (value - left.mean[f]!) * scale[f]!;
      return Math.max(-128, Math.min(127, Math.round(moved)));
    });
}

/**
 * Mean and deviation of each number of some embeddings.
 *
 * @param embeddings of equal length
 * @returns deviations are at least 1
 * @throws RangeError if there are none, or they differ in length
 * @example moments([Int8Array.of(2), Int8Array.of(8)]) // { mean: Float64Array.of(5), deviation: Float64Array.of(3) }
 */
export function moments(embeddings: readonly Int8Array[]): {
  mean: Float64Array;
  deviation: Float64Array;
} {
  const size = embeddings[0]?.length;
  if (size === undefined) throw new RangeError('no embedding has no moments');
  if (embeddings.some(({ length }) => length !== size)) {
    throw new RangeError('embeddings of unequal length');
  }
  const n = embeddings.length;
  const mean = new Float64Array(size);
  const square = new Float64Array(size);
  for (const e of embeddings) for (let f = 0; f < size; f++) mean[f]! += e[f]! / n;
  for (const e of embeddings)
    for (let f = 0; f < size; f++) square[f]! += (e[f]! - mean[f]!) ** 2 / n;
  return { mean, deviation: square.map((s) => Math.max(Math.sqrt(s), LEAST_DEVIATION)) };
}
