/** Tails that were asked for, by both sizes and statistic. */
const known = new Map<number, Map<number, Map<number, number>>>();

function rememberedOf(n: number, m: number): Map<number, number> {
  const [less, more] = n < m ? [n, m] : [m, n];
  let others = known.get(less);
  if (others === undefined) {
    others = new Map();
    known.set(less, others);
  }
  let tails = others.get(more);
  if (tails === undefined) {
    tails = new Map();
    others.set(more, tails);
  }
  return tails;
}

/**
 * Exact probability that two samples of one continuous distribution are at least so far apart, by the
 * two-sided Kolmogorov-Smirnov statistic. With ties it is an upper bound.
 *
 * Counts lattice paths: read in order, the samples are a random walk from (0, 0) to (n, m), which must
 * leave the strip about the diagonal. Only additions of positive terms, so that small tails keep their
 * digits. O(n m) for a new statistic, then remembered.
 *
 * @param h |i m - j n| at its largest, where i of the n and j of the m values are no greater: the
 *   statistic times n m, an integer
 * @param n size of one sample
 * @param m size of the other
 * @returns P(D ≥ h / (n m))
 * @throws RangeError if a size is not a positive integer, or n m above 4 million
 * @source Hodges 1958, The Significance Probability of the Smirnov Two-Sample Test; Viehmann 2021,
 *   Numerically more stable computation of the p-values for the two-sample Kolmogorov-Smirnov test
 * @example ksTail(9, 3, 3) // 0.1
 */
export function ksTail(h: number, n: number, m: number): number {
  if (!(Number.isInteger(n) && Number.isInteger(m) && n > 0 && m > 0 && n * m <= 4e6)) {
    throw new RangeError(`no sample sizes: ${n} and ${m}`);
  }
  if (h <= 0) return 1;
  const tails = rememberedOf(n, m);
  let p = tails.get(h);
  if (p === undefined) {
    p = leaves(h, n, m);
    tails.set(h, p);
  }
  return p;
}

/** Probability that the walk to (n, m) is somewhere at least h off the diagonal. */
function leaves(h: number, n: number, m: number): number {
  const row = new Float64Array(m + 1);
  for (let i = 0; i <= n; i++) {
    for (let j = 0; j <= m; j++) {
      if (Math.abs(i * m - j * n) >= h) row[j] = 1;
      else if (i === 0 && j === 0) row[j] = 0;
      else {
        const fromBelow = i === 0 ? 0 : (i / (i + j)) * row[j];
        row[j] = fromBelow + (j === 0 ? 0 : (j / (i + j)) * row[j - 1]);
      }
    }
  }
  return row[m];
}

/**
 * The smallest statistic that is as rare as asked.
 *
 * @param alpha significance
 * @param n size of one sample
 * @param m size of the other
 * @returns the least h, a multiple of the greatest common divisor of both, with ksTail(h) ≤ alpha;
 *   Infinity if none is
 * @throws RangeError as {@link ksTail}
 * @example ksCritical(0.05, 30, 30) / 900 // 0.36666666666666664
 */
export function ksCritical(alpha: number, n: number, m: number): number {
  const step = gcd(n, m);
  let low = 0;
  let high = (n * m) / step;
  if (ksTail(high * step, n, m) > alpha) return Number.POSITIVE_INFINITY;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (ksTail(middle * step, n, m) <= alpha) high = middle;
    else low = middle;
  }
  return high * step;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
