import { adjust, type Correction } from './correction.ts';
import { type Detector, finite, level, testLevel } from './detector.ts';
import type { KolmogorovSmirnovState } from './kolmogorov-smirnov.ts';
import { type KsBank, ksBank } from './ks-bank.ts';
import { ksTail } from './ks-tail.ts';
import { type PsiOptions, type PsiState, psi } from './psi.ts';

/** Settings of {@link features}. */
export interface FeaturesOptions {
  /** features of a vector */
  count: number;
  /** what tests each of them */
  test?: 'kolmogorov-smirnov' | 'psi';
  /** how the tests are judged together */
  correction?: Correction;
  /** first vectors, which say what is normal */
  reference?: number;
  /** newest vectors, which are compared with them */
  window?: number;
  /** compares at every such vector once the window is full */
  every?: number;
  /** vectors between false alarms of all features together; sets `alpha` */
  runLength?: number;
  /** significance of each comparison of all features together */
  alpha?: number;
}

/** What it remembers: the state of each feature's test. */
export interface FeaturesState {
  tests: (KolmogorovSmirnovState | PsiState)[];
  tick: number;
}

/** A feature whose distribution changed. */
export interface MovedFeature {
  /** which, from 0 */
  feature: number;
  /** of its test, in the test's unit */
  statistic: number;
  /** after correction for the number of features */
  pValue: number;
}

/** The detector, with what it found. */
export interface Features extends Detector<FeaturesState, ArrayLike<number>> {
  /** the features that moved, at the last alarm, the surest first */
  readonly moved: readonly MovedFeature[];
}

/**
 * Watches all features of a vector without labels, and says which of them moved: a two-sample test
 * each, judged together with a correction for how many there are, so that the run length holds for all
 * of them, not for one. Sees what moves single features; what only changes their relation, {@link mmd}
 * sees. After an alarm all start anew, with a new reference.
 *
 * Memory and time: those of the test, times the features.
 *
 * @param options settings
 * @param state to go on from
 * @returns the detector; a value is a vector of `count` finite numbers
 * @throws RangeError if a setting is out of its range
 * @source corrections: {@link adjust}
 * @example ((d) => (Array.from({ length: 600 }, (_, i) => [(i * 7) % 101, ((i * 37) % 101) + (i < 400 ? 0 : 60)]).some((x) => d.update(x)), d.moved.map((m) => m.feature)))(features({ count: 2, reference: 200, window: 100 })) // [1]
 */
export function features(options: FeaturesOptions, state?: FeaturesState): Features {
  const { count, test = 'kolmogorov-smirnov', correction = 'holm' } = options;
  const { reference = 400, window = 200, every = 1, runLength = 10_000 } = options;
  for (const size of [count, every]) {
    if (!(Number.isInteger(size) && size > 0)) throw new RangeError(`no count: ${size}`);
  }
  const alpha = level('alpha', options.alpha ?? testLevel(runLength, every));
  const size = { reference, window, alpha: 0 };
  const saved = state?.tests;
  const fresh = (from?: FeaturesState['tests']): Bank =>
    test === 'psi'
      ? psiBank(count, size, from as PsiState[] | undefined)
      : ksBank(count, reference, window, from as KolmogorovSmirnovState[] | undefined);
  // the surest feature alone decides whether there is anything to judge: neither Holm nor Bonferroni
  // rejects another where they do not reject that one
  const least =
    test === 'psi' || correction === 'benjamini-hochberg'
      ? 0
      : leastDistance(alpha, count, reference, window);
  let tests = fresh(saved);
  let tick = state?.tick ?? 0;
  let moved: MovedFeature[] = [];

  return {
    update(x) {
      if (x.length !== count) throw new RangeError(`${x.length} features, not ${count}`);
      // all or none: a bad one must not leave the tests out of step
      for (let i = 0; i < count; i++) finite(x[i]);
      tests.update(x);
      tick++;
      if (tick < reference + window || tick % every !== 0 || !tests.reaches(least)) return false;
      const found = tests.comparisons();
      const adjusted = adjust(
        found.map(({ pValue }) => pValue),
        correction,
      );
      if (!adjusted.some((p) => p <= alpha)) return false;
      moved = adjusted
        .map((pValue, feature) => ({ feature, statistic: found[feature].statistic, pValue }))
        .filter(({ pValue }) => pValue <= alpha)
        .sort((a, b) => a.pValue - b.pValue);
      tests = fresh();
      tick = 0;
      return true;
    },
    state: () => ({ tests: tests.state(), tick }),
    get moved() {
      return moved;
    },
  };
}

/** Tests of features that come together. */
type Bank = Omit<KsBank, 'state'> & { state(): FeaturesState['tests'] };

function psiBank(count: number, size: PsiOptions, saved?: readonly PsiState[]): Bank {
  const tests = Array.from({ length: count }, (_, i) => psi(size, saved?.[i]));
  return {
    update: (x) => tests.forEach((one, i) => void one.update(x[i])),
    reaches: () => true,
    comparisons: () => tests.map((one) => one.comparison!),
    state: () => tests.map((one) => one.state()),
  };
}

/** The least distance at which one feature among `count` is sure enough; beyond all where none is. */
function leastDistance(alpha: number, count: number, n: number, m: number): number {
  let low = -1;
  let high = n * m + 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (Math.min(1, ksTail(middle, n, m) * count) <= alpha) high = middle;
    else low = middle;
  }
  return high;
}
