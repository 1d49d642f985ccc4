import { finite, type Rules, unit, type WarningDetector } from './detector.ts';
import { ddmThreshold } from './run-lengths.ts';

/** Settings of {@link ddm}; the defaults are River's. */
export interface DdmOptions {
  /** values before it looks */
  warmStart?: number;
  /** errors before it looks; River has no such thing, so 0 (30 with `runLength`) */
  minErrors?: number;
  /** deviations above the best that warn */
  warningThreshold?: number;
  /** deviations above the best that are a change */
  driftThreshold?: number;
  /** values between false alarms, 100 to 100,000; sets driftThreshold and minErrors */
  runLength?: number;
  /** River's rules or the paper's; see {@link ddm} */
  as?: Rules;
}

/** What DDM remembers. */
export interface DdmState {
  n: number;
  /** values above 0 */
  errors: number;
  /** error rate */
  p: number;
  /** error rate and its deviation when their sum was least; null before it looked */
  best: { p: number; s: number } | null;
  warning: boolean;
}

/**
 * Drift detection method: the error rate of a learner falls while nothing changes; three deviations
 * above its best are a change. Constant memory. Sees abrupt rises early in a stream's life; late ones
 * slowly, because the rate is a mean over everything since the last change. Prefer {@link hddmA}
 * where streams are long.
 *
 * River deviates from the paper: it alarms above the limit, where the paper says at or above it. With
 * `as: 'paper'` a value at the limit counts, unless the rate is at its very best (there both are
 * equal while no error came, and the paper's words would alarm on a learner that is never wrong).
 * River and the paper alike alarm at the first error after a faultless warm-up, whatever the
 * threshold; so `runLength` asks for 30 errors first. After a change it starts anew with the next
 * value.
 *
 * @param options settings
 * @param state to go on from
 * @returns the detector; values are errors, 0 to 1
 * @throws RangeError if a setting is out of its range
 * @source Gama, Medas, Castillo and Rodrigues 2004, Learning with Drift Detection, section 3;
 *   run length: simulated, see run-lengths.ts
 * @example ((d) => Array.from({ length: 200 }, (_, i) => (i % (i < 120 ? 10 : 2) ? 0 : 1)).findIndex((x) => d.update(x)))(ddm()) // 136
 */
export function ddm(options: DdmOptions = {}, state?: DdmState): WarningDetector<DdmState> {
  const { runLength, warmStart = 30, warningThreshold = 2, as = 'river' } = options;
  const minErrors = options.minErrors ?? (runLength === undefined ? 0 : 30);
  const driftThreshold =
    options.driftThreshold ?? (runLength === undefined ? 3 : ddmThreshold(runLength));
  for (const value of [warmStart, minErrors, warningThreshold, driftThreshold]) {
    if (finite(value) < 0) throw new RangeError(`a threshold or count is not below 0: ${value}`);
  }
  const fresh = (): DdmState => ({ n: 0, errors: 0, p: 0, best: null, warning: false });
  let s: DdmState = structuredClone(state ?? fresh());

  return {
    update(x) {
      unit(x);
      s.n++;
      if (x > 0) s.errors++;
      // the order of operations is River's, so that sums round alike
      s.p += (1 / s.n) * (x - s.p);
      // rounding may leave a mean of ones a hair above 1
      const deviation = Math.sqrt(Math.max(0, s.p * (1 - s.p)) / s.n);
      if (s.n <= warmStart || s.errors < minErrors) return false;
      const now = s.p + deviation;
      if (s.best === null || now <= s.best.p + s.best.s) s.best = { p: s.p, s: deviation };
      const { p, s: least } = s.best;
      const beyond = (times: number) => {
        const limit = p + times * least;
        return as === 'paper' ? now >= limit && now > p + least : now > limit;
      };
      s.warning = beyond(warningThreshold);
      if (!beyond(driftThreshold)) return false;
      s = fresh();
      return true;
    },
    state: () => structuredClone(s),
    get warning() {
      return s.warning;
    },
  };
}
