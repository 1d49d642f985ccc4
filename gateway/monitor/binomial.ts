/**
 * Probability of at most k successes in n trials.
 *
 * @param k successes, 0 to n
 * @param n trials
 * @param p probability of one success, in (0, 1)
 * @returns lower tail of the binomial distribution, summed in logarithms
 * @throws RangeError if k or p is outside its range
 * @example binomialAtMost(1, 4, 0.5) // 0.3125
 */
export function binomialAtMost(k: number, n: number, p: number): number {
  if (!(k >= 0 && k <= n) || !(p > 0 && p < 1)) throw new RangeError('k is 0 to n, p in (0, 1)');
  let log = n * Math.log1p(-p);
  let sum = Math.exp(log);
  for (let i = 1; i <= k; i++) {
    log += Math.log(((n - i + 1) / i) * (p / (1 - p)));
    sum += Math.exp(log);
  }
  return Math.min(1, sum);
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
 * @example fisherWorse(1, 4, 3, 4) // 0.24285714285714285
 */
export function fisherWorse(good1: number, n1: number, good2: number, n2: number): number {
  const good = good1 + good2;
  const all = logChoose(n1 + n2, good);
  let sum = 0;
  for (let k = Math.max(0, good - n2); k <= good1; k++) {
    sum += Math.exp(logChoose(n1, k) + logChoose(n2, good - k) - all);
  }
  return Math.min(1, sum);
}

function logChoose(n: number, k: number): number {
  let log = 0;
  for (let i = 1; i <= k; i++) log += Math.log((n - k + i) / i);
  return log;
}
