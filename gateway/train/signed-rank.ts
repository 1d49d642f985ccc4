/** Pairs up to which every sign is counted; beyond, the normal limit is as good. */
const EXACT = 200;

/**
 * Two-sided mid-p value of Wilcoxon's signed-rank test: are paired differences centred at 0?
 *
 * Every assignment of signs is counted, ties by their mean rank, so that it is exact however few
 * pairs there are. Differences of 0 say nothing and are left out, as Wilcoxon did.
 *
 * @param differences one for each pair
 * @returns the probability of a rank sum at least as far out, and the share of the rank sum that is
 *   positive (0.5 where there is no difference at all)
 * @source Wilcoxon 1945; exact distribution by convolution, Pratt and Gibbons 1981, section 3.4
 * @example signedRank([1, 2, 3, 4, 5, -6]).midP // 0.375
 * @example signedRank([0, 0]) // { midP: 1, positive: 0.5 }
 */
export function signedRank(differences: readonly number[]): { midP: number; positive: number } {
  const some = differences.filter((d) => d !== 0).sort((a, b) => Math.abs(a) - Math.abs(b));
  const n = some.length;
  if (n === 0) return { midP: 1, positive: 0.5 };
  const ranks = new Array<number>(n); // twice the rank, so that means of ties are whole
  for (let from = 0; from < n; ) {
    let to = from;
    while (to + 1 < n && Math.abs(some[to + 1]!) === Math.abs(some[from]!)) to++;
    ranks.fill(from + to + 2, from, to + 1);
    from = to + 1;
  }
  const total = n * (n + 1);
  const sum = some.reduce((s, d, i) => s + (d > 0 ? ranks[i]! : 0), 0);
  const low = Math.min(sum, total - sum);
  const positive = sum / total;
  if (n > EXACT) {
    const variance = ranks.reduce((s, r) => s + r * r, 0) / 4;
    return { midP: Math.min(1, 2 * normalTail((total / 2 - low) / Math.sqrt(variance))), positive };
  }
  let ways = new Float64Array(total + 1); // probability of each rank sum
  ways[0] = 1;
  let reached = 0;
  for (const rank of ranks) {
    const next = new Float64Array(total + 1);
    for (let s = 0; s <= reached; s++) {
      next[s] += ways[s]! / 2;
      next[s + rank] += ways[s]! / 2;
    }
    ways = next;
    reached += rank;
  }
  let tail = ways[low]! / 2;
  for (let s = 0; s < low; s++) tail += ways[s]!;
  return { midP: Math.min(1, 2 * tail), positive };
}

/** Below this many deviations the tail is nothing that any level asks for. */
const FARTHEST = 8;

/**
 * P(Z > z) by Simpson's rule on the density, to ten digits.
 *
 * @example normalTail(1.959964).toFixed(6) // '0.025000'
 */
export function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z);
  if (z >= FARTHEST) return 0;
  const steps = 400;
  const h = (FARTHEST + 4 - z) / steps;
  const density = (x: number): number => Math.exp(-x * x * 0.5) / Math.sqrt(2 * Math.PI);
  let sum = density(z) + density(FARTHEST + 4);
  for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * density(z + i * h);
  return (sum * h) / 3;
}
