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
 * The greatest share that k successes in n trials leave possible.
 *
 * @param k successes
 * @param n trials, at least 1
 * @param alpha chance that the share is greater still; 0.05 for a one-sided bound of 95 %
 * @returns upper bound, 0 to 1
 * @throws RangeError unless 0 ≤ k ≤ n and n ≥ 1
 * @source Clopper and Pearson 1934, one-sided
 * @example upperBound(0, 59, 0.05).toFixed(3) // '0.050'
 * @example upperBound(4, 500, 0.05).toFixed(4) // '0.0182'
 */
export function upperBound(k: number, n: number, alpha: number): number {
  count('k', k);
  if (!Number.isInteger(n) || n < 1 || k > n) throw new RangeError(`${k} of ${n} is no share`);
  if (k === n) return 1;
  let [low, high] = [k / n, 1];
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (binomialLowerTail(k, n, middle) > alpha) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * Fisher's exact test, one-sided: probability that the first group has at most its successes if both
 * groups are alike.
 *
 * @param good1 successes of the first group
 * @param n1 trials of the first group
 * @param good2 successes of the second group
 * @param n2 trials of the second group
 * @returns lower tail of the hypergeometric distribution
 * @source Fisher 1922, On the Interpretation of χ² from Contingency Tables
 * @example fisherWorse(1, 4, 3, 4) // 0.2428571428571424
 */
export function fisherWorse(good1: number, n1: number, good2: number, n2: number): number {
  const good = good1 + good2;
  const all = logWays(n1 + n2, good);
  let sum = 0;
  for (let k = Math.max(0, good - n2); k <= good1; k++) {
    sum += Math.exp(logWays(n1, k) + logWays(n2, good - k) - all);
  }
  return Math.min(1, sum);
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
  return Math.exp(logWays(n, k) + k * Math.log(p) + (n - k) * Math.log1p(-p));
}

const LOG_FACTORIALS = [0];

function logFactorial(n: number): number {
  for (let i = LOG_FACTORIALS.length; i <= n; i++) {
    LOG_FACTORIALS.push(LOG_FACTORIALS[i - 1] + Math.log(i));
  }
  return LOG_FACTORIALS[n];
}

// logarithm of n over k
function logWays(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

function count(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0) throw new RangeError(`${name} is ${value}, no count`);
}

/**
 * Quantile of the standard normal distribution.
 *
 * @param p probability between 0 and 1, ends excluded
 * @returns z with P(Z ≤ z) = p, to seven digits
 * @throws RangeError unless 0 < p < 1
 * @source Wichura 1988, algorithm AS 241, PPND7
 * @example normalQuantile(0.975).toFixed(5) // '1.95996'
 */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`no normal quantile of ${p}`);
  const q = p - 0.5;
  const ratio = (r: number, above: readonly number[], below: readonly number[]): number =>
    above.reduce((sum, c) => sum * r + c, 0) / below.reduce((sum, c) => sum * r + c, 0);
  if (Math.abs(q) <= 0.425) {
    const above = [59.10937472, 159.29113202, 50.434271938, 3.3871327179];
    return q * ratio(0.180625 - q * q, above, [67.1875636, 78.757757664, 17.895169469, 1]);
  }
  const r = Math.sqrt(-Math.log(Math.min(p, 1 - p)));
  const tail =
    r <= 5
      ? ratio(
          r - 1.6,
          [0.17023821103, 1.3067284816, 2.75681539, 1.4234372777],
          [0.12021132975, 0.7370016425, 1],
        )
      : ratio(
          r - 5,
          [0.017337203997, 0.42868294337, 3.081226386, 6.657905115],
          [0.012258202635, 0.24197894225, 1],
        );
  return q < 0 ? -tail : tail;
}
