import { wilson } from '../statistics.ts';

/** What a choice is made by. */
export interface Point {
  /** 0 to 1, on windows that taught nothing */
  accuracy: number;
  bytes: number;
  macs: number;
}

/** One normal deviation: the standard error of Breiman's rule. */
const ONE_ERROR = 1;

/**
 * Marks the points that no other beats: none is at least as good in accuracy, bytes and
 * multiplications, and better in one of them. Energy goes with multiplications.
 *
 * @returns one flag a point
 * @example paretoOf([{ accuracy: 0.9, bytes: 5, macs: 1 }, { accuracy: 0.8, bytes: 6, macs: 1 }]) // [true, false]
 */
export function paretoOf(points: readonly Point[]): boolean[] {
  return points.map((point) => !points.some((other) => beats(other, point)));
}

function beats(a: Point, b: Point): boolean {
  const noWorse = a.accuracy >= b.accuracy && a.bytes <= b.bytes && a.macs <= b.macs;
  return noWorse && (a.accuracy > b.accuracy || a.bytes < b.bytes || a.macs < b.macs);
}

/**
 * Orders points for successive halving: first those that nothing beats, then those that nothing of
 * the rest beats, and so on; within a front the more accurate first.
 *
 * @returns indices, the best first
 * @source Deb et al. 2002, NSGA-II, non-dominated sorting; Schmucker et al. 2021, halving by fronts
 */
export function rankByFronts(points: readonly Point[]): number[] {
  const ranked: number[] = [];
  let rest = [...points.keys()];
  while (rest.length > 0) {
    const front = paretoOf(rest.map((i) => points[i]!));
    const first = rest.filter((_, k) => front[k]);
    ranked.push(...first.sort((a, b) => points[b]!.accuracy - points[a]!.accuracy || a - b));
    rest = rest.filter((_, k) => !front[k]);
  }
  return ranked;
}

/** The smallest that is good enough, and what that meant. */
export interface Choice {
  index: number;
  /** index of the most accurate */
  best: number;
  /** how much below the best is not worse: one standard error of the best */
  margin: number;
  /** accuracy from which on a point was good enough */
  threshold: number;
}

/**
 * Chooses the smallest that is good enough: within one standard error of the best, and at least
 * `minAccuracy` where any point reaches it. Of equal bytes fewer multiplications win, then accuracy.
 *
 * @param points at least one
 * @param windows that each accuracy was measured on
 * @param minAccuracy the task's aim
 * @throws RangeError without a point or a window
 * @source Breiman et al. 1984, Classification and Regression Trees, section 3.4.3: the 1 SE rule. The
 *   error is that of Wilson's interval, which does not vanish where the best makes no mistake.
 */
export function chooseSmallest(
  points: readonly Point[],
  windows: number,
  minAccuracy: number,
): Choice {
  if (points.length === 0) throw new RangeError('nothing to choose from');
  const index = [...points.keys()];
  const best = index.reduce((a, b) => (points[b]!.accuracy > points[a]!.accuracy ? b : a));
  const top = points[best]!.accuracy;
  const margin = top - wilson(Math.round(top * windows), windows, ONE_ERROR)[0];
  const threshold = top >= minAccuracy ? Math.max(top - margin, minAccuracy) : top - margin;
  const enough = index.filter((i) => points[i]!.accuracy >= threshold);
  const [smallest] = enough.sort((a, b) => {
    const [p, q] = [points[a]!, points[b]!];
    return p.bytes - q.bytes || p.macs - q.macs || q.accuracy - p.accuracy || a - b;
  });
  return { index: smallest!, best, margin, threshold };
}
