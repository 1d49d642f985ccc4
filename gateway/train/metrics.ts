/**
 * Share of predictions that are right.
 *
 * @param truth classes
 * @param predicted classes, in the same order
 * @returns 0 to 1
 * @throws RangeError if there is nothing to compare, or the lengths differ
 * @example accuracy([0, 1, 2, 2], [0, 1, 1, 2]) // 0.75
 */
export function accuracy(truth: ArrayLike<number>, predicted: ArrayLike<number>): number {
  sameLength(truth, predicted);
  if (truth.length === 0) throw new RangeError('no accuracy of no samples');
  let right = 0;
  for (let i = 0; i < truth.length; i++) if (truth[i] === predicted[i]) right++;
  return right / truth.length;
}

/**
 * Counts what was predicted for what was true.
 *
 * @param truth classes
 * @param predicted classes, in the same order; -1 where nothing was predicted
 * @param classes how many
 * @returns one row a true class: a column for each predicted class, the last for no prediction
 * @throws RangeError if a class is out of range, or the lengths differ
 * @example confusionMatrix([0, 0, 1, 1], [0, 1, 1, -1], 2) // [[1, 1, 0], [0, 1, 1]]
 */
export function confusionMatrix(
  truth: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
): number[][] {
  sameLength(truth, predicted);
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes + 1).fill(0));
  for (let i = 0; i < truth.length; i++) {
    const column = predicted[i] === -1 ? classes : predicted[i];
    if (matrix[truth[i]]?.[column] === undefined || predicted[i] === classes) {
      throw new RangeError(`class ${truth[i]} or ${predicted[i]} is not among ${classes}`);
    }
    matrix[truth[i]][column]++;
  }
  return matrix;
}

/**
 * For each class, the share of its samples that were recognised.
 *
 * @param matrix as confusionMatrix() gives it
 * @returns one a class; null where the class has no sample
 * @example recallByClass([[3, 1, 0], [0, 0, 0]]) // [0.75, null]
 */
export function recallByClass(matrix: readonly (readonly number[])[]): (number | null)[] {
  return matrix.map((row, cls) => {
    const total = row.reduce((a, b) => a + b, 0);
    return total === 0 ? null : row[cls] / total;
  });
}

function sameLength(truth: ArrayLike<number>, predicted: ArrayLike<number>): void {
  if (truth.length !== predicted.length) {
    throw new RangeError(`${truth.length} truths, but ${predicted.length} predictions`);
  }
}
