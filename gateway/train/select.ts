import { createRandom } from '../random.ts';
import { moments } from './realign.ts';

/** A window that could be labelled. */
export interface Unlabelled {
  /** what the head sees of it */
  embedding: Int8Array;
  /** margin of the prediction in sixteenths of a logit, 0 to 255 */
  score: number;
}

/** What a selection may know beside the windows. */
export interface SelectOptions {
  /** how many to choose; never more than there are */
  count: number;
  /** of the sample of windows that the chosen ones have to stand for */
  seed: number;
  /** embeddings of the windows that are labelled already */
  labelled?: readonly Int8Array[];
}

/** Windows that the chosen ones have to stand for: more of them change little and cost time. */
const CROWD = 512;
/** Margin at which a window counts 1/e of one that could be anything: two logits. */
const SURE_SCORE = 32;

/**
 * Chooses the windows whose labels teach most: those that stand closest to all the others, the
 * uncertain ones first, where no labelled window stands yet.
 *
 * Each window is served by the nearest labelled one; what is chosen next shortens these ways most,
 * a way counting the less the surer the prediction of its window is. Without labels that finds the
 * middle of each heap; with a head that was retrained on them it goes where the head is in doubt.
 * So it is best to ask for few, retrain, and call again with new scores (`choose-windows.ts`); it
 * also works in one go.
 *
 * Takes O(n · 512 · (d + count)) for n windows of d numbers, and 2 kB of memory for each window.
 *
 * @param windows to choose from, with embeddings of equal length
 * @param options how many, the seed, what is labelled
 * @returns indices, in the order of their use: a smaller budget is a beginning of it
 * @throws RangeError if embeddings differ in length
 * @source Nemhauser, Wolsey and Fisher 1978 (greedy facility location); Wei, Iyer and Bilmes 2015,
 *   'Submodularity in data subset selection and active learning'
 */
export function selectUseful(
  windows: readonly Unlabelled[],
  { count, seed, labelled = [] }: SelectOptions,
): number[] {
  if (windows.length === 0) return [];
  const selector = createSelector(
    windows.map(({ embedding }) => embedding),
    { seed, labelled },
  );
  return selector(
    windows.map(({ score }) => score),
    count,
    [],
  );
}

/**
 * Goes on with one selection, as labels arrive and scores change.
 *
 * @param scores one a window, 0 to 255
 * @param count how many more
 * @param taken indices that are labelled already
 * @returns indices, in the order of their use
 */
export type Selector = (
  scores: ArrayLike<number>,
  count: number,
  taken: readonly number[],
) => number[];

/**
 * {@link selectUseful} for windows that stay the same: what costs most is done once.
 *
 * @param embeddings of equal length, at least one
 * @throws RangeError if they differ in length, or there is none
 */
export function createSelector(
  embeddings: readonly Int8Array[],
  { seed, labelled = [] }: Omit<SelectOptions, 'count'>,
): Selector {
  const { deviation } = moments(embeddings);
  if (labelled.some(({ length }) => length !== deviation.length)) {
    throw new RangeError('embeddings of unequal length');
  }
  const scaled = (e: Int8Array) => Float32Array.from(e, (value, f) => value / deviation[f]!);
  const [points, places] = [embeddings.map(scaled), labelled.map(scaled)];
  const crowd = createRandom(seed)
    .shuffle(embeddings.map((_, i) => i))
    .slice(0, CROWD);
  const ways = points.map((point) => Float32Array.from(crowd, (i) => distance(point, points[i]!)));
  // a way that nobody serves yet is as long as the longest
  const longest = ways.reduce((top, row) => row.reduce((a, b) => Math.max(a, b), top), 0);
  const start = Float64Array.from(crowd, (i) =>
    places.reduce((least, place) => Math.min(least, distance(points[i]!, place)), longest),
  );
  return (scores, count, taken) => {
    const weight = crowd.map((i) => Math.exp(-scores[i]! / SURE_SCORE));
    const way = start.slice();
    const serve = (by: number): void =>
      ways[by]!.forEach((d, i) => {
        if (d < way[i]!) way[i] = d;
      });
    for (const i of taken) serve(i);
    const left = new Set(points.keys());
    for (const i of taken) left.delete(i);
    const chosen: number[] = [];
    while (chosen.length < count && left.size > 0) {
      const next = shortest(left, ways, way, weight);
      chosen.push(next);
      left.delete(next);
      serve(next);
    }
    return chosen;
  };
}

/** The candidate that makes the weighted ways of the crowd shortest; of equals the first. */
function shortest(
  left: Iterable<number>,
  ways: readonly Float32Array[],
  way: Float64Array,
  weight: readonly number[],
): number {
  let best = -1;
  let most = -1;
  for (const j of left) {
    const row = ways[j]!;
    let shorter = 0;
    for (let i = 0; i < row.length; i++) {
      const saved = way[i]! - row[i]!;
      if (saved > 0) shorter += saved * weight[i]!;
    }
    if (shorter > most) {
      most = shorter;
      best = j;
    }
  }
  return best;
}

function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let f = 0; f < a.length; f++) {
    const d = a[f]! - b[f]!;
    sum += d * d;
  }
  return Math.sqrt(sum);
}
