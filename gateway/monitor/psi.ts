import { chiSquareTail } from './chi-square.ts';
import { type Comparison, finite, level, type TwoSampleDetector, testLevel } from './detector.ts';

/** Settings of {@link psi}. */
export interface PsiOptions {
  /** first values, which say what is normal */
  reference?: number;
  /** newest values, which are compared with them */
  window?: number;
  /** bins, each with about as many of the reference's values */
  bins?: number;
  /** compares at every such value once the window is full */
  every?: number;
  /** values between false alarms; sets `alpha` */
  runLength?: number;
  /** significance of each comparison; 0 never alarms */
  alpha?: number;
  /** instead of a significance: an index that is a change; by custom 0.1 is some, 0.25 a large one */
  threshold?: number;
}

/** What PSI remembers. */
export interface PsiState {
  /** the first values, until there are enough; then empty */
  collecting: number[];
  /** between the bins; null while collecting */
  edges: number[] | null;
  /** of the reference, and of the window */
  expected: number[];
  observed: number[];
  /** bins of the newest values, a ring */
  ring: number[];
  tick: number;
}

/** Values added to every bin, so that an empty one has a logarithm: Jeffreys' prior. */
const prior = 0.5;

/**
 * Population stability index: bins the newest values on the quantiles of a reference and sums
 * (share - share₀) ln(share / share₀). Sees shifts of any part of the distribution that last about a
 * window; blind within a bin.
 *
 * While nothing changes, the index times n m / (n + m) is about chi-square with one degree of freedom
 * less than there are bins, which turns a run length into a threshold. Equal values are never parted
 * by an edge, and an end of the range that is a heap of one value has a bin beyond it, so that a
 * constant stream has bins too. After a change it starts anew, with a new reference.
 *
 * Memory: `reference` numbers while it collects, then `window` + 3 `bins`. Time: O(bins) a value. River
 * has no such detector.
 *
 * @param options settings
 * @param state to go on from
 * @returns the detector; values are finite
 * @throws RangeError if a setting is out of its range
 * @source Yurdakul 2018, Statistical properties of the population stability index, theorem 1
 * @example ((d) => Array.from({ length: 600 }, (_, i) => ((i * 37) % 101) + (i < 400 ? 0 : 40)).findIndex((x) => d.update(x)))(psi({ reference: 200, window: 100 })) // 464
 */
export function psi(options: PsiOptions = {}, state?: PsiState): TwoSampleDetector<PsiState> {
  const { reference = 500, window = 200, bins = 10, every = 1, runLength = 10_000 } = options;
  for (const size of [reference, window, bins, every]) {
    if (!(Number.isInteger(size) && size > 0)) throw new RangeError(`no count: ${size}`);
  }
  if (reference < 2 * bins) throw new RangeError('the reference holds at least two values a bin');
  const alpha = options.alpha ?? testLevel(runLength, every);
  if (alpha !== 0) level('alpha', alpha);
  const { threshold } = options;
  let s: PsiState = structuredClone(state ?? fresh());
  let found: Comparison | undefined;

  function fresh(): PsiState {
    return { collecting: [], edges: null, expected: [], observed: [], ring: [], tick: 0 };
  }

  function settle(): void {
    const sorted = s.collecting.toSorted((a, b) => a - b);
    s.edges = edgesOf(sorted, bins);
    s.expected = new Array(s.edges.length + 1).fill(0);
    for (const x of sorted) s.expected[bin(x)]++;
    s.observed = new Array(s.edges.length + 1).fill(0);
    s.collecting = [];
  }

  function bin(x: number): number {
    const edges = s.edges as number[];
    let i = 0;
    while (i < edges.length && x >= edges[i]) i++;
    return i;
  }

  function ready(): boolean {
    return s.ring.length === window;
  }

  function compare(): Comparison {
    const cells = s.expected.length;
    let statistic = 0;
    for (let i = 0; i < cells; i++) {
      const before = (s.expected[i] + prior) / (reference + prior * cells);
      const now = (s.observed[i] + prior) / (window + prior * cells);
      statistic += (now - before) * Math.log(now / before);
    }
    const scaled = (statistic * reference * window) / (reference + window);
    return { statistic, pValue: chiSquareTail(scaled, cells - 1) };
  }

  return {
    update(x) {
      finite(x);
      found = undefined;
      if (s.edges === null) {
        s.collecting.push(x);
        if (s.collecting.length === reference) settle();
        return false;
      }
      const i = bin(x);
      const slot = s.tick++ % window;
      if (ready()) s.observed[s.ring[slot]]--;
      s.ring[slot] = i;
      s.observed[i]++;
      if (!ready() || s.tick % every !== 0) return false;
      const { statistic, pValue } = compare();
      if (threshold === undefined ? pValue > alpha : statistic <= threshold) return false;
      found = { statistic, pValue };
      s = fresh();
      return true;
    },
    state: () => structuredClone(s),
    get comparison() {
      if (found === undefined && ready()) found = compare();
      return found;
    },
  };
}

/**
 * Edges between bins of about equal counts: x falls into the bin of the edges that are no greater.
 * There are two bins at least.
 */
function edgesOf(sorted: readonly number[], bins: number): number[] {
  const edges = new Set<number>();
  const last = sorted.length - 1;
  for (let k = 1; k < bins; k++) {
    const i = nextStep(sorted, Math.round((k * sorted.length) / bins));
    if (i > last) continue;
    const middle = sorted[i - 1] / 2 + sorted[i] / 2;
    edges.add(middle > sorted[i - 1] ? middle : sorted[i]);
  }
  const heap = sorted.length / bins;
  if (sorted.findIndex((x) => x > sorted[0]) > heap || sorted[0] === sorted[last]) {
    edges.add(sorted[0]);
  }
  if (sorted[Math.max(0, Math.floor(last - heap))] === sorted[last]) edges.add(above(sorted[last]));
  return [...edges].sort((a, b) => a - b);
}

/** The first index from i on whose value is greater than that before it. */
function nextStep(sorted: readonly number[], i: number): number {
  let at = Math.max(1, i);
  while (at < sorted.length && sorted[at] === sorted[at - 1]) at++;
  return at;
}

/** A number just above x. */
function above(x: number): number {
  return x + Math.max(Number.MIN_VALUE, Math.abs(x) * Number.EPSILON);
}
