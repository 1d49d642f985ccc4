import { level, type Rules, testLevel, unit, type WarningDetector } from './detector.ts';

/** Settings of {@link hddmA}; the defaults are River's. */
export interface HddmAOptions {
  /** probability of a false alarm of one test */
  driftConfidence?: number;
  /** the same, for a warning */
  warningConfidence?: number;
  /** falls of the mean count, too */
  twoSided?: boolean;
  /** values between false alarms; sets driftConfidence */
  runLength?: number;
  /** River's rules or the paper's; see {@link hddmA} */
  as?: Rules;
}

/** A mean of so many values. */
export interface MeanOf {
  n: number;
  mean: number;
}

/** What HDDM-A remembers: three means. */
export interface HddmAState {
  all: MeanOf;
  /** the beginning of the stream, up to where its mean was surely lowest and highest */
  lowest: MeanOf;
  highest: MeanOf;
  warning: boolean;
}

/**
 * Drift detection by Hoeffding's bound on averages (A-test): compares the mean of everything with the
 * mean up to the best cut. Constant memory, no assumption on the distribution but its range. Sees
 * abrupt changes best; for slow ones prefer {@link hddmW}.
 *
 * River deviates from the theorem: it bounds one side with ln(2/α), as the authors' own program in MOA
 * does, where Hoeffding's inequality for one side needs ln(1/α) only; `as: 'paper'` takes that (and
 * ln(2/α) where both sides are tested), so its alarms come earlier. Its two-sided test raises an alarm
 * at a fall, where MOA's forgets in silence. After a change it starts anew with the next value.
 *
 * With `runLength` R the bound is Hoeffding's for all pairs of a cut and an end among the first 2R
 * values together: α = 1/(4R²), half of it a side, so that no alarm before 2R is as likely as not,
 * whatever the stream's distribution.
 *
 * @param options settings
 * @param state to go on from
 * @returns the detector; values lie within 0 and 1
 * @throws RangeError if a confidence is no probability, or the run length not above 1
 * @source Frías-Blanco et al. 2015, Online and Non-Parametric Drift Detection Methods Based on
 *   Hoeffding's Bounds, section 4.1; Hoeffding 1963, theorem 1
 * @example ((d) => Array.from({ length: 200 }, (_, i) => (i % (i < 120 ? 10 : 2) ? 0 : 1)).findIndex((x) => d.update(x)))(hddmA()) // 146
 */
export function hddmA(options: HddmAOptions = {}, state?: HddmAState): WarningDetector<HddmAState> {
  const { runLength, twoSided = false, as = 'river' } = options;
  const sides = twoSided ? 2 : 1;
  const byRunLength = runLength === undefined ? 0.001 : testLevel(runLength) ** 2 / sides;
  const drift = level('driftConfidence', options.driftConfidence ?? byRunLength);
  // with a run length five times as likely as an alarm, as River's defaults are
  const warnByDefault = runLength === undefined ? 0.005 : Math.min(0.5, 5 * drift);
  const warn = level('warningConfidence', options.warningConfidence ?? warnByDefault);
  const none = (): MeanOf => ({ n: 0, mean: 0 });
  const fresh = () => ({ all: none(), lowest: none(), highest: none(), warning: false });
  let s: HddmAState = structuredClone(state ?? fresh());

  const reach = (n: number) => Math.sqrt((1 / (2 * n)) * Math.log(1 / drift));
  const shares = as === 'paper' ? sides : 2;

  /** Does `sign` times the mean of everything surely exceed that up to the cut? */
  function moved(cut: MeanOf, sign: number, confidence: number): boolean {
    if (cut.n === s.all.n) return false;
    const m = ((s.all.n - cut.n) / cut.n) * (1 / s.all.n);
    return sign * (s.all.mean - cut.mean) >= Math.sqrt((m / 2) * Math.log(shares / confidence));
  }

  return {
    update(x) {
      unit(x);
      s.all.n++;
      s.all.mean += (1 / s.all.n) * (x - s.all.mean);
      if (s.lowest.n === 0) s.lowest = { ...s.all };
      if (s.highest.n === 0) s.highest = { ...s.all };
      const { n, mean } = s.all;
      if (s.lowest.mean + reach(s.lowest.n) >= mean + reach(n)) s.lowest = { ...s.all };
      if (s.highest.mean - reach(s.highest.n) <= mean - reach(n)) s.highest = { ...s.all };
      if (moved(s.lowest, 1, drift) || (twoSided && moved(s.highest, -1, drift))) {
        s = fresh();
        return true;
      }
      s.warning = moved(s.lowest, 1, warn) || (twoSided && moved(s.highest, -1, warn));
      return false;
    },
    state: () => structuredClone(s),
    get warning() {
      return s.warning;
    },
  };
}
