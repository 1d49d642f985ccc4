import { level, type Rules, testLevel, unit, type WarningDetector } from './detector.ts';
import { hddmWConfidence, hddmWSimulatedLambda } from './run-lengths.ts';

/** Settings of {@link hddmW}; the defaults are River's. */
export interface HddmWOptions {
  /** probability of a false alarm of one test */
  driftConfidence?: number;
  /** the same, for a warning */
  warningConfidence?: number;
  /** λ: weight of the newest value, in (0, 1) */
  lambda?: number;
  /** falls of the mean count, too */
  twoSided?: boolean;
  /** values between false alarms; sets driftConfidence. 100 to 100,000 at λ = 0.05 */
  runLength?: number;
  /** River's rules or the paper's; see {@link hddmW} */
  as?: Rules;
}

/** A weighted mean, and the sum of its squared weights; null before the first value. */
export interface WeightedMean {
  mean: number | null;
  squares: number;
}

/** One direction that is watched: the mean up to the best cut, and since then. */
export interface CutMeans {
  /** bound of the mean at the cut; null before the first */
  bound: number | null;
  before: WeightedMean;
  since: WeightedMean;
}

/** What HDDM-W remembers: five weighted means. */
export interface HddmWState {
  all: WeightedMean;
  rise: CutMeans;
  fall: CutMeans;
  warning: boolean;
}

/**
 * Drift detection by McDiarmid's bound on exponentially weighted means (W-test): compares the weighted
 * mean up to the best cut with that since the cut. Constant memory. Sees gradual changes sooner than
 * {@link hddmA}, and none smaller than about 0.4 at the default λ; a smaller λ sees smaller ones later.
 *
 * River deviates from the paper: it starts the sum of squared weights one step ahead, at λ² + (1 - λ)²
 * where the weight of a single value is 1, so its early bounds are too narrow; `as: 'paper'` starts at
 * 1, as the authors' own program in MOA does. River's two-sided test raises an alarm at a fall, where
 * MOA's forgets in silence. After a change it starts anew with the next value.
 *
 * `runLength` is met by simulation at λ = 0.05, one-sided, over error rates from 0.02 to 0.5; with
 * another λ, or two sides, by McDiarmid's bound for all cuts and ends among the first 2R values
 * together, which sees large changes only.
 *
 * @param options settings
 * @param state to go on from
 * @returns the detector; values lie within 0 and 1
 * @throws RangeError if a confidence or λ is outside (0, 1)
 * @source Frías-Blanco et al. 2015, Online and Non-Parametric Drift Detection Methods Based on
 *   Hoeffding's Bounds, section 4.2; McDiarmid 1989; run length: simulated, see run-lengths.ts
 * @example ((d) => Array.from({ length: 200 }, (_, i) => (i % (i < 120 ? 10 : 2) ? 0 : 1)).findIndex((x) => d.update(x)))(hddmW({ driftConfidence: 0.05 })) // 132
 */
export function hddmW(options: HddmWOptions = {}, state?: HddmWState): WarningDetector<HddmWState> {
  const { runLength, twoSided = false, as = 'river' } = options;
  const lambda = level('lambda', options.lambda ?? 0.05);
  const keep = 1 - lambda;
  // River's first sum of squared weights; the paper's is 1
  const early = lambda * lambda + keep * keep;
  const drift = level('driftConfidence', options.driftConfidence ?? confidence());
  // with a run length five times as likely as an alarm, as River's defaults are
  const warnByDefault = runLength === undefined ? 0.005 : Math.min(0.5, 5 * drift);
  const warn = level('warningConfidence', options.warningConfidence ?? warnByDefault);
  const none = (): WeightedMean => ({ mean: null, squares: 1 });
  const cut = (): CutMeans => ({ bound: null, before: none(), since: none() });
  const fresh = () => ({ all: none(), rise: cut(), fall: cut(), warning: false });
  let s: HddmWState = structuredClone(state ?? fresh());

  function confidence(): number {
    if (runLength === undefined) return 0.001;
    if (lambda === hddmWSimulatedLambda && !twoSided) return hddmWConfidence(runLength);
    const union = testLevel(runLength) ** 2 / (twoSided ? 2 : 1);
    // River's sums are too small by this at most, hence its bounds by the root
    return as === 'river' ? union ** (1 / early) : union;
  }

  function add(to: WeightedMean, x: number): void {
    const first = to.mean === null;
    to.mean = to.mean === null ? x : lambda * x + keep * to.mean;
    if (!first || as === 'river') to.squares = lambda * lambda + keep * keep * to.squares;
  }

  function follow(means: CutMeans, x: number, sign: number): void {
    const bound = (s.all.mean ?? 0) + sign * reach(s.all.squares, drift);
    if (means.bound === null || sign * (bound - means.bound) < 0) {
      means.bound = bound;
      means.before = { ...s.all };
      means.since = none();
    } else add(means.since, x);
  }

  function reach(squares: number, p: number): number {
    return Math.sqrt((squares * Math.log(1 / p)) / 2);
  }

  function moved({ before, since }: CutMeans, sign: number, p: number): boolean {
    if (before.mean === null || since.mean === null) return false;
    return sign * (since.mean - before.mean) > reach(before.squares + since.squares, p);
  }

  return {
    update(x) {
      add(s.all, unit(x));
      follow(s.rise, x, 1);
      follow(s.fall, x, -1);
      if (moved(s.rise, 1, drift) || (twoSided && moved(s.fall, -1, drift))) {
        s = fresh();
        return true;
      }
      s.warning = moved(s.rise, 1, warn) || (twoSided && moved(s.fall, -1, warn));
      return false;
    },
    state: () => structuredClone(s),
    get warning() {
      return s.warning;
    },
  };
}
