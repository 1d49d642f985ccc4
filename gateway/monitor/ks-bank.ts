import type { Comparison } from './detector.ts';
import type { KolmogorovSmirnovState } from './kolmogorov-smirnov.ts';
import { ksTail } from './ks-tail.ts';

/** Many Kolmogorov-Smirnov tests side by side, of the features of one vector. */
export interface KsBank {
  /** Takes the next vector: finite numbers, one for each test. */
  update(x: ArrayLike<number>): void;
  /** Whether a statistic, times both sizes, is at least this; the window is to be full. */
  reaches(distance: number): boolean;
  /** How each feature's window compares with its reference; the window is to be full. */
  comparisons(): Comparison[];
  /** States of the single tests. */
  state(): KolmogorovSmirnovState[];
}

/** What {@link ksBank} looks up instead of searching for: the whole numbers that an int8 may be. */
const LOWEST = -128;
const LOOKED_UP = 256;
/** Vectors that are to wait, if they can, before differences are looked for again. */
const AHEAD = 8;

/**
 * The tests of {@link kolmogorovSmirnov} for features that come together, with the same statistics and
 * the same states, in flat arrays: a gateway does this for every vector of every device, and with many
 * devices nothing of it is in the processor's cache. So what one vector needs lies side by side.
 *
 * A value that takes another's place in the window moves the difference of both distribution functions
 * between their cells and nowhere else, by 1 / window. So only the steps of the difference are kept,
 * and the largest difference is looked for only where it may have come up to what is asked for since it
 * was looked for last; until it may have, vectors only wait in the window.
 *
 * @param count features
 * @param n vectors of the reference
 * @param m vectors of the window
 * @param saved to go on from; all have seen the same vectors
 * @throws RangeError if a size is out of its range; n × m is 4 million at most
 * @example ((b) => ([1, 2, 3, 9, 9].forEach((x) => b.update([x])), b.comparisons()[0].statistic))(ksBank(1, 3, 2)) // 1
 */
export function ksBank(
  count: number,
  n: number,
  m: number,
  saved?: readonly KolmogorovSmirnovState[],
): KsBank {
  ksTail(n * m, n, m); // refuses sizes
  const cells = 2 * n + 1;
  const scale = n * m;
  let collected = saved?.[0]?.reference.length ?? 0;
  let filled = saved?.[0]?.ring.length ?? 0;
  let tick = saved?.[0]?.tick ?? 0;
  /** the reference's values of each feature, in order once there are enough */
  const references = new Float64Array(count * n);
  /** newest vectors and the cells of their values, a ring */
  const ring = new Float64Array(m * count);
  const ringCells = new (cells < 2 ** 16 ? Uint16Array : Uint32Array)(m * count);
  /** steps of each feature's difference from cell to cell, in units of 1 / (n m) */
  const steps = new (scale < 2 ** 15 ? Int16Array : Int32Array)(count * cells);
  /** cells of whole numbers, so that embeddings need not be searched for */
  const table = new (cells < 2 ** 16 ? Uint16Array : Uint32Array)(count * LOOKED_UP);
  /** no difference of a feature is farther than this, and none of any; of vectors that are counted */
  const bound = new Float64Array(count);
  let most = 0;
  let counted = tick;

  saved?.forEach(({ reference, ring: values }, i) => {
    references.set(reference, i * n);
    for (let k = 0; k < values.length; k++) ring[k * count + i] = values[k];
  });
  if (collected === n) settle();

  function settle(): void {
    for (let i = 0; i < count; i++) {
      const mine = references.subarray(i * n, (i + 1) * n).sort();
      for (let k = 0, low = 0; k < LOOKED_UP; k++) {
        while (low < n && mine[low] < k + LOWEST) low++;
        table[i * LOOKED_UP + k] = cellAt(low, low < n ? mine[low] : undefined, k + LOWEST);
      }
      for (const x of mine) steps[i * cells + search(i, x)] += m;
      for (let k = 0; k < filled; k++) {
        const at = search(i, ring[k * count + i]);
        ringCells[k * count + i] = at;
        steps[i * cells + at] -= n;
      }
      bound[i] = farthest(i);
      most = Math.max(most, bound[i]);
    }
  }

  function search(i: number, x: number): number {
    const base = i * n;
    let low = 0;
    let high = n;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (references[base + middle] < x) low = middle + 1;
      else high = middle;
    }
    return cellAt(low, low < n ? references[base + low] : undefined, x);
  }

  function cell(i: number, x: number): number {
    const k = x - LOWEST;
    return k >= 0 && k < LOOKED_UP && Number.isInteger(k) ? table[i * LOOKED_UP + k] : search(i, x);
  }

  function farthest(i: number): number {
    let sum = 0;
    let most = 0;
    for (let k = i * cells; k < (i + 1) * cells; k++) {
      sum += steps[k];
      if (sum > most) most = sum;
      else if (-sum > most) most = -sum;
    }
    return most;
  }

  /**
   * Moves the differences as the vectors that wait would have, one after another. Of one that has left
   * the window again the one in its place is counted: that comes to the same.
   */
  function countAll(): void {
    for (; counted < tick; counted++) {
      const isFull = counted >= m;
      most += n;
      for (let i = 0, at = (counted % m) * count; i < count; i++, at++) {
        const now = cell(i, ring[at]);
        const before = ringCells[at];
        ringCells[at] = now;
        if (isFull && before === now) continue;
        steps[i * cells + now] -= n;
        if (isFull) steps[i * cells + before] += n;
        bound[i] += n;
      }
    }
  }

  return {
    update(x) {
      if (collected < n) {
        for (let i = 0; i < count; i++) references[i * n + collected] = x[i];
        collected++;
        if (collected === n) settle();
        return;
      }
      const at = (tick++ % m) * count;
      for (let i = 0; i < count; i++) ring[at + i] = x[i];
      filled = Math.min(m, tick);
    },
    reaches(distance) {
      if (most + (tick - counted) * n < distance) return false;
      countAll();
      most = 0;
      for (let i = 0; i < count; i++) {
        // looked for a little earlier than it must be, so that the next ones may wait
        if (bound[i] + AHEAD * n >= distance) bound[i] = farthest(i);
        most = Math.max(most, bound[i]);
      }
      return most >= distance;
    },
    comparisons() {
      countAll();
      return Array.from({ length: count }, (_, i) => {
        const distance = farthest(i);
        return { statistic: distance / scale, pValue: ksTail(distance, n, m) };
      });
    },
    state: () =>
      Array.from({ length: count }, (_, i) => ({
        reference: [...references.subarray(i * n, i * n + collected)],
        ring: Array.from({ length: filled }, (_, k) => ring[k * count + i]),
        tick,
      })),
  };
}

/**
 * One cell for each of the reference's values, one beside each; alike ones share the first's.
 *
 * @param low how many of them are lower
 * @param next the one behind these, if there is one
 */
function cellAt(low: number, next: number | undefined, x: number): number {
  return 2 * low + (next === x ? 1 : 0);
}
