import { createRandom } from '../random.ts';

/** A window that could be labelled. */
export interface Unlabelled {
  embedding: Int8Array;
  /** margin of the prediction, 0 to 255 */
  score: number;
}

/** A sure window counts this little against one that could be anything. */
const SURE = 0.5;

/**
 * Chooses the windows whose labels teach most: each is far from all that were chosen before, and of
 * two equally far the less certain one.
 *
 * @param windows to choose from, with embeddings of equal length
 * @param count how many; never more than there are
 * @param seed of the first one
 * @returns indices, in the order of their use: a smaller budget is a beginning of it
 * @source Gonzalez 1985, farthest-first traversal (k-centre)
 */
export function selectDiverse(
  windows: readonly Unlabelled[],
  count: number,
  seed: number,
): number[] {
  if (windows.length === 0) return [];
  const distance = new Float64Array(windows.length).fill(Infinity);
  const chosen = [createRandom(seed).integer(windows.length)];
  while (chosen.length < Math.min(count, windows.length)) {
    const newest = windows[chosen.at(-1)!]!.embedding;
    let best = -1;
    let gain = -1;
    windows.forEach(({ embedding, score }, i) => {
      distance[i] = Math.min(distance[i]!, squared(embedding, newest));
      const worth = distance[i]! * (1 - (SURE * score) / 255);
      if (!chosen.includes(i) && worth > gain) {
        gain = worth;
        best = i;
      }
    });
    chosen.push(best);
  }
  return chosen.slice(0, count);
}

function squared(a: Int8Array, b: Int8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}
