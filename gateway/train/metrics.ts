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

/**
 * Two-sided mid-p value of McNemar's test: are two models, tried on the same samples, equally good?
 *
 * @param gained samples that only the second model has right
 * @param lost samples that only the first model has right
 * @returns probability in (0, 1] of a difference at least as large, if they are equally good
 * @throws RangeError unless both are counts
 * @source Fagerland, Lydersen and Laake 2013, 'The McNemar test for binary matched-pairs data', mid-p
 * @example mcnemarMidP(6, 1) // 0.0703125
 * @example mcnemarMidP(3, 3) // 1
 */
export function mcnemarMidP(gained: number, lost: number): number {
  count('gained', gained);
  count('lost', lost);
  const n = gained + lost;
  const fewer = Math.min(gained, lost);
  return Math.min(1, 2 * binomialLowerTail(fewer, n, 0.5) - binomialPoint(fewer, n, 0.5));
}

/**
 * Wilson's score interval of a share.
 *
 * @param right successes
 * @param n trials, at least 1
 * @param z normal quantile of the confidence; 1.96 for 95 %
 * @returns lower and upper bound, 0 to 1
 * @throws RangeError unless 0 ≤ right ≤ n and n ≥ 1
 * @source Wilson 1927; Newcombe 1998, method 3 (whose example this is)
 * @example wilson(81, 263).map((bound) => bound.toFixed(4)) // ['0.2553', '0.3662']
 */
export function wilson(right: number, n: number, z = 1.959963984540054): [number, number] {
  count('right', right);
  if (!Number.isInteger(n) || n < 1 || right > n) {
    throw new RangeError(`${right} of ${n} is no share`);
  }
  const share = right / n;
  const middle = share + (z * z) / (2 * n);
  const reach = z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  const scale = 1 + (z * z) / n;
  return [Math.max(0, (middle - reach) / scale), Math.min(1, (middle + reach) / scale)];
}

/**
 * Probability of at most k successes in n trials.
 *
 * @param k successes; below 0 nothing is left, from n on everything
 * @param n trials
 * @param p probability of one success, 0 to 1
 * @returns P(X ≤ k)
 * @throws RangeError unless n is a count and p a probability
 * @example binomialLowerTail(1, 4, 0.5) // 0.3125
 */
export function binomialLowerTail(k: number, n: number, p: number): number {
  let sum = 0;
  for (let i = 0; i <= Math.min(k, n); i++) sum += binomialPoint(i, n, p);
  return Math.min(1, sum);
}

/**
 * Probability of at least k successes in n trials.
 *
 * @param k successes
 * @param n trials
 * @param p probability of one success, 0 to 1
 * @returns P(X ≥ k)
 * @throws RangeError unless n is a count and p a probability
 * @example binomialUpperTail(3, 4, 0.5) // 0.3125
 */
export function binomialUpperTail(k: number, n: number, p: number): number {
  return binomialLowerTail(n - k, n, 1 - p);
}

// P(X = k), by logarithms, so that thousands of trials neither overflow nor vanish
function binomialPoint(k: number, n: number, p: number): number {
  count('n', n);
  if (!(p >= 0 && p <= 1)) throw new RangeError(`${p} is no probability`);
  if (p === 0 || p === 1) return k === n * p ? 1 : 0;
  // small cases exactly
  if (n <= 50) {
    let ways = 1;
    for (let i = 1; i <= k; i++) ways = Math.round((ways * (n - k + i)) / i);
    return ways * p ** k * (1 - p) ** (n - k);
  }
  const ways = logFactorial(n) - logFactorial(k) - logFactorial(n - k);
  return Math.exp(ways + k * Math.log(p) + (n - k) * Math.log1p(-p));
}

const LOG_FACTORIALS = [0];

function logFactorial(n: number): number {
  for (let i = LOG_FACTORIALS.length; i <= n; i++) {
    LOG_FACTORIALS.push(LOG_FACTORIALS[i - 1] + Math.log(i));
  }
  return LOG_FACTORIALS[n];
}

function sameLength(truth: ArrayLike<number>, predicted: ArrayLike<number>): void {
  if (truth.length !== predicted.length) {
    throw new RangeError(`${truth.length} truths, but ${predicted.length} predictions`);
  }
}

function count(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0) throw new RangeError(`${name} is ${value}, no count`);
}
