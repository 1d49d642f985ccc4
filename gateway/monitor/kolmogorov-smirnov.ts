import { type Comparison, finite, level, type TwoSampleDetector, testLevel } from './detector.ts';
import { ksTail } from './ks-tail.ts';
import { createPrefixTree, type PrefixTree } from './prefix-tree.ts';

/** Settings of {@link kolmogorovSmirnov}. */
export interface KolmogorovSmirnovOptions {
  /** first values, which say what is normal */
  reference?: number;
  /** newest values, which are compared with them */
  window?: number;
  /** values between false alarms; sets `alpha` */
  runLength?: number;
  /** significance of each comparison; 0 never alarms */
  alpha?: number;
  /** 'exact' p-values, or the threshold that River tests against */
  bound?: 'exact' | 'river';
}

/** What the test remembers. */
export interface KolmogorovSmirnovState {
  /** the first values; in order once there are enough */
  reference: number[];
  /** newest values, a ring */
  ring: number[];
  tick: number;
}

/**
 * Two-sample Kolmogorov-Smirnov test of the newest values against a reference, incrementally: the
 * reference's values cut the line into cells, the difference of both distribution functions is a sum
 * over cells, and a tree keeps its extremes. A value costs O(log reference), a comparison O(1). Sees
 * any change of the distribution, shifts of the middle sooner than tails.
 *
 * Memory: `reference` + `window` numbers in its state, and a tree of 12 times `reference` at most,
 * which is built from them. After a change it starts anew, with a new reference.
 *
 * dos Reis et al. keep both samples in a treap with random priorities; with a fixed reference the cells
 * do not move, so a plain tree does the same in the same order of time, draws no random numbers, and
 * takes equal values right. River's KolmogorovSmirnov orders equal values by the sample they come from,
 * so two samples of equal values are 1 apart instead of 0; and its threshold √(-½ ln α) lacks the 2 of
 * both sides (-½ ln(α/2)), so it alarms twice as often as said. `bound: 'river'` takes that threshold.
 *
 * @param options settings
 * @param state to go on from
 * @returns the detector; values are finite
 * @throws RangeError if a setting is out of its range; reference × window is 4 million at most
 * @source dos Reis, Flach, Matwin and Batista 2016, Fast Unsupervised Online Drift Detection Using
 *   Incremental Kolmogorov-Smirnov Test; p-value: {@link ksTail}
 * @example ((d) => Array.from({ length: 600 }, (_, i) => ((i * 37) % 101) + (i < 400 ? 0 : 40)).findIndex((x) => d.update(x)))(kolmogorovSmirnov({ reference: 200, window: 100 })) // 466
 */
export function kolmogorovSmirnov(
  options: KolmogorovSmirnovOptions = {},
  state?: KolmogorovSmirnovState,
): TwoSampleDetector<KolmogorovSmirnovState> {
  const { reference: n = 400, window: m = 200, runLength = 10_000, bound = 'exact' } = options;
  const alpha = options.alpha ?? testLevel(runLength);
  if (alpha !== 0) level('alpha', alpha);
  // refuses sizes
  ksTail(n * m, n, m);
  const limit = Math.sqrt(-0.5 * Math.log(alpha)) * Math.sqrt((n + m) / (n * m));
  const { reference: first = [], ring = [], tick = 0 } = state ?? {};
  let s: KolmogorovSmirnovState = { reference: [...first], ring: [...ring], tick };
  let tree: PrefixTree | undefined;
  let cuts = new Float64Array(0);
  if (s.reference.length === n) {
    settle();
    for (const x of s.ring) tree?.add(cell(x), -n);
  }

  /** Sorts the reference and builds the cells: one for each of its values, one beside each. */
  function settle(): void {
    s.reference.sort((a, b) => a - b);
    cuts = Float64Array.from(new Set(s.reference));
    tree = createPrefixTree(2 * cuts.length + 1);
    for (const x of s.reference) tree.add(cell(x), m);
  }

  function cell(x: number): number {
    let low = 0;
    let high = cuts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cuts[middle] < x) low = middle + 1;
      else high = middle;
    }
    return 2 * low + Number(cuts[low] === x);
  }

  function farthest(): number {
    return tree === undefined ? 0 : Math.max(tree.highest, -tree.lowest);
  }

  function compare(): Comparison {
    const h = farthest();
    return { statistic: h / (n * m), pValue: ksTail(h, n, m) };
  }
  // made when asked for: a first p-value costs more than a step
  let found: Comparison | undefined;

  return {
    update(x) {
      finite(x);
      found = undefined;
      if (tree === undefined) {
        s.reference.push(x);
        if (s.reference.length === n) settle();
        return false;
      }
      const slot = s.tick++ % m;
      if (s.ring.length === m) tree.add(cell(s.ring[slot]), n);
      s.ring[slot] = x;
      tree.add(cell(x), -n);
      if (s.ring.length < m || alpha === 0) return false;
      if (bound === 'river' ? farthest() / (n * m) <= limit : compare().pValue > alpha)
        return false;
      found = compare();
      s = { reference: [], ring: [], tick: 0 };
      tree = undefined;
      return true;
    },
    state: () => ({ reference: [...s.reference], ring: [...s.ring], tick: s.tick }),
    get comparison() {
      if (found === undefined && s.ring.length === m) found = compare();
      return found;
    },
  };
}
