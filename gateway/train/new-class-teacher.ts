import { builtin } from './builtin.ts';
import type { Rows } from './kernel-machine.ts';
import type { FloatNet } from './net.ts';

/** Labelled rows. */
export interface LearnedRows extends Rows {
  /** [n] classes */
  labels: Int32Array;
}

/** How steeply the classes' shares follow the ratio of their distances: share ∝ distance ^ -STEEPNESS. */
const STEEPNESS = 12;
/**
 * Share of the known windows, each beside all others, that the teacher may take for a new class. The net
 * that learns from it is smoother, and takes about half as many.
 */
const TAKEN = 0.025;
/** How far the champion is heard on the classes that it knows; the rest is said by the nearest windows. */
const CHAMPION = 0.5;
/** A distance below which two windows are the same. */
const SAME = 0.01;

/** What a teacher says of rows: the share of each class, [rows][classes]. */
export type ShareTeacher = (x: Float32Array, n: number) => Float32Array;

/**
 * A teacher who knows a class from a few windows: by how much farther off the nearest of them is than the
 * nearest window of the classes before, in the sum of the features' differences. A few are always farther
 * off than many, so that the ratio from which on it says the new class is measured on the many: few of
 * them may lie beyond. Among the classes before it says half of what their windows say, and half of
 * what the champion says.
 *
 * It keeps the windows, so that no device can run it.
 *
 * @param rows standardised features and classes of the labelled windows, new and known
 * @param known how many classes the champion knows
 * @param classes how many there are now
 * @param champion what it makes of the same features
 * @returns shares that sum to 1
 * @throws RangeError if a new class, or all others, have no window
 * @source Cover and Hart 1967, the nearest neighbour
 */
export function newClassTeacher(
  rows: LearnedRows,
  known: number,
  classes: number,
  champion: FloatNet,
): ShareTeacher {
  const { x, labels, features, n: learned } = rows;
  const has = new Set(labels);
  const newcomers = Array.from({ length: classes - known }, (_, i) => known + i);
  if (![...has].some((cls) => cls < known) || newcomers.some((cls) => !has.has(cls))) {
    throw new RangeError('a new class needs windows, and others too');
  }
  /** Logarithm of the distance to the nearest window of each class but the one that is left out. */
  const distances = (of: Float32Array, at: number, out: Float64Array, without = -1): void => {
    out.fill(Infinity);
    for (let j = 0; j < learned; j++) {
      if (j === without) continue;
      const cls = labels[j]!;
      const nearest = out[cls]!;
      const to = j * features;
      let sum = 0;
      // what is farther already need not be measured to the end
      for (let f = 0; f < features && sum < nearest; f++) sum += Math.abs(of[at + f]! - x[to + f]!);
      if (sum < nearest) out[cls] = sum;
    }
    for (let c = 0; c < classes; c++) out[c] = Math.log(out[c]! + SAME);
  };
  const near = new Float64Array(classes);
  const lead = [...labels.keys()]
    .filter((j) => labels[j]! < known)
    .map((j) => {
      distances(x, j * features, near, j);
      return Math.min(...near.subarray(0, known)) - Math.min(...near.subarray(known));
    })
    .sort((a, b) => b - a);
  // a single known window is compared with nothing
  const least = lead.length > 1 ? lead[Math.floor(TAKEN * lead.length)]! : 0;

  return (asked, n) => {
    const shares = new Float32Array(n * classes);
    const heard = builtin.predict(champion, asked, n);
    for (let s = 0; s < n; s++) {
      distances(asked, s * features, near);
      const logits = near.map((log, c) => -STEEPNESS * (log + (c < known ? 0 : least)));
      const said = softmax(logits);
      const own = softmax(Float64Array.from(heard.subarray(s * known, (s + 1) * known)));
      const old = said.subarray(0, known).reduce((sum, share) => sum + share, 0);
      said.forEach((share, c) => {
        const mixed = c < known ? (1 - CHAMPION) * share + CHAMPION * old * own[c]! : share;
        shares[s * classes + c] = mixed;
      });
    }
    return shares;
  };
}

function softmax(logits: Float64Array): Float64Array {
  const top = Math.max(...logits);
  const likelihood = logits.map((logit) => Math.exp(logit - top));
  const sum = likelihood.reduce((a, b) => a + b, 0);
  return likelihood.map((value) => value / sum);
}
