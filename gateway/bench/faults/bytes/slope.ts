import type { Look } from './run-target.ts';

/** The first looks see code being compiled and caches being filled. */
const WARM_UP = 0.25;

/**
 * How much memory cases leave behind, by least squares over the looks after a warm-up.
 *
 * @returns MB a million cases
 * @example slopeOf([1, 2, 3, 4, 5].map((n) => ({ cases: n, heap: 3 * n, rss: 0 })), 'heap') // 3
 */
export function slopeOf(looks: readonly Look[], kind: 'heap' | 'rss'): number {
  const late = looks.slice(Math.floor(looks.length * WARM_UP));
  const mean = (of: (look: Look) => number): number =>
    late.reduce((sum, look) => sum + of(look), 0) / late.length;
  const [x, y] = [mean((look) => look.cases), mean((look) => look[kind])];
  const covariance = mean((look) => (look.cases - x) * (look[kind] - y));
  return covariance / mean((look) => (look.cases - x) ** 2);
}
