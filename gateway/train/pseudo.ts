import { moments } from './realign.ts';

/** A window without a label, as the head sees it and what a trained head says of it. */
export interface Guessed {
  embedding: Int8Array;
  cls: number;
  /** margin in sixteenths of a logit, 0 to 255 */
  score: number;
}

/** Of the windows of a class the less sure half teaches nobody. */
const SURER_SHARE = 0.5;

/**
 * Chooses unlabelled windows whose predicted class may teach: of each class the surer half, and of
 * these the ones whose nearest labelled window has that class too. A linear head and a nearest
 * neighbour err on different windows; what both say is wrong more seldom.
 *
 * @param windows unlabelled
 * @param labelled embeddings with their true class, at least one
 * @returns indices of `windows`, rising
 * @throws RangeError if embeddings differ in length, or none is labelled
 * @source Blum and Mitchell 1998 (two views have to agree); Zou et al. 2018 (a share of each class)
 */
export function agreed(
  windows: readonly Guessed[],
  labelled: readonly { embedding: Int8Array; cls: number }[],
): number[] {
  if (windows.length === 0) return [];
  if (labelled.length === 0) throw new RangeError('no labelled window to agree with');
  const { deviation } = moments(windows.map(({ embedding }) => embedding));
  if (labelled.some(({ embedding }) => embedding.length !== deviation.length)) {
    throw new RangeError('embeddings of unequal length');
  }
  const classes = new Set(windows.map(({ cls }) => cls));
  const surer = [...classes].flatMap((cls) => {
    const mine = [...windows.keys()].filter((i) => windows[i]!.cls === cls);
    mine.sort((a, b) => windows[b]!.score - windows[a]!.score);
    return mine.slice(0, Math.ceil(mine.length * SURER_SHARE));
  });
  return surer
    .filter((i) => nearest(windows[i]!.embedding, labelled, deviation) === windows[i]!.cls)
    .sort((a, b) => a - b);
}

function nearest(
  embedding: Int8Array,
  labelled: readonly { embedding: Int8Array; cls: number }[],
  deviation: Float64Array,
): number {
  let least = Number.POSITIVE_INFINITY;
  let cls = -1;
  for (const one of labelled) {
    let sum = 0;
    for (let f = 0; f < deviation.length; f++) {
      sum += ((embedding[f]! - one.embedding[f]!) / deviation[f]!) ** 2;
    }
    if (sum < least) [least, cls] = [sum, one.cls];
  }
  return cls;
}
