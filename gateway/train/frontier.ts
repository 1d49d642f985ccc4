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
 * Orders points for successive halving: in turn one from the front, which shows what smallness costs,
 * and the next most accurate, among which the smallest that is good enough will be. Neither alone
 * does: chance puts a good net a hair behind the front, and the most accurate are all large.
 *
 * The front is that of what is left: once it is used up, the next one follows.
 *
 * @returns indices, the first to keep first
 * @source Deb et al. 2002, NSGA-II, non-dominated sorting; Schmucker et al. 2021, halving by fronts
 * @example rankForHalving([{ accuracy: 0.8, bytes: 9, macs: 1 }, { accuracy: 0.7, bytes: 5, macs: 1 }, { accuracy: 0.9, bytes: 6, macs: 1 }]) // [2, 0, 1]
 */
export function rankForHalving(points: readonly Point[]): number[] {
  const byAccuracy = (a: number, b: number) => points[b]!.accuracy - points[a]!.accuracy || a - b;
  const accurate = [...points.keys()].sort(byAccuracy);
  const fronts: number[] = [];
  for (let rest = [...points.keys()]; rest.length > 0; ) {
    const front = paretoOf(rest.map((i) => points[i]!));
    fronts.push(...rest.filter((_, k) => front[k]).sort(byAccuracy));
    rest = rest.filter((_, k) => !front[k]);
  }
  const ranked = new Set<number>();
  while (ranked.size < points.length) {
    for (const order of [fronts, accurate]) {
      const next = order.find((i) => !ranked.has(i));
      if (next !== undefined) ranked.add(next);
    }
  }
  return [...ranked];
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
