import { type Detector, finite, type Rules } from './detector.ts';
import { pageHinkleyThreshold } from './run-lengths.ts';

/** Settings of {@link pageHinkley}; the defaults are River's. */
export interface PageHinkleyOptions {
  /** values before it looks */
  minInstances?: number;
  /** change that is tolerated, in units of the stream */
  delta?: number;
  /** λ: sum of deviations that is a change, in units of the stream */
  threshold?: number;
  /** fading of the sums, in (0, 1]; 0.9999, or 1 by the paper's rules or with `runLength` */
  alpha?: number;
  /** which changes of the mean count */
  mode?: 'up' | 'down' | 'both';
  /** values between false alarms, 100 to 100,000; sets threshold, alpha, and delta to
   * a quarter of the deviation */
  runLength?: number;
  /** standard deviation of the stream, for `runLength`; 0.5 is the largest that error bits have */
  deviation?: number;
  /** River's rules or the paper's; see {@link pageHinkley} */
  as?: Rules;
}

/** What Page-Hinkley remembers. */
export interface PageHinkleyState {
  n: number;
  mean: number;
  up: number;
  down: number;
  /** lowest and highest of the two sums; null before the first value */
  lowest: number | null;
  highest: number | null;
}

/**
 * Page-Hinkley test: sums the deviations from the running mean and compares the sum with its extreme.
 * Constant memory; quickest for changes of about twice delta. The threshold has the stream's unit, so
 * scale it to the stream, or say its deviation together with `runLength`.
 *
 * River deviates from the paper: it lets the sums fade (alpha), where the paper's are whole; and it
 * runs the tests for a rise and for a fall side by side. Fading eats what delta subtracts: after some
 * 1 / (1 - alpha) values the sums drift no longer, and false alarms come by chance alone. `as: 'paper'`
 * sets alpha to 1, and so does `runLength`. After a change it starts anew with the next value.
 *
 * @param options settings
 * @param state to go on from
 * @returns the detector; values are finite
 * @throws RangeError if a setting is out of its range
 * @source Page 1954, Continuous Inspection Schemes; Gama et al. 2013, On evaluating stream learning
 *   algorithms, section 5; forgetting as in River; run length: simulated, see run-lengths.ts
 * @example [0, 0, 0, 5, 5].map(pageHinkley({ minInstances: 2, threshold: 4, mode: 'up' }).update) // [false, false, false, false, true]
 */
export function pageHinkley(
  options: PageHinkleyOptions = {},
  state?: PageHinkleyState,
): Detector<PageHinkleyState> {
  const { runLength, deviation = 0.5, minInstances = 30, mode = 'both', as = 'river' } = options;
  const asked = runLength !== undefined;
  const delta = finite(options.delta ?? (asked ? deviation / 4 : 0.005));
  const threshold = options.threshold ?? (asked ? deviation * pageHinkleyThreshold(runLength) : 50);
  const alpha = options.alpha ?? (as === 'paper' || asked ? 1 : 0.9999);
  if (!(alpha > 0 && alpha <= 1)) throw new RangeError(`alpha is above 0, at most 1, not ${alpha}`);
  if (!(deviation > 0)) throw new RangeError(`a deviation is above 0, not ${deviation}`);
  if (!(threshold > 0)) throw new RangeError(`a threshold is above 0, not ${threshold}`);
  const fresh = { n: 0, mean: 0, up: 0, down: 0, lowest: null, highest: null };
  let s: PageHinkleyState = { ...(state ?? fresh) };
  return {
    update(x) {
      finite(x);
      s.n++;
      s.mean += (1 / s.n) * (x - s.mean);
      s.up = alpha * s.up + (x - s.mean) - delta;
      s.down = alpha * s.down + (x - s.mean) + delta;
      s.lowest = Math.min(s.lowest ?? s.up, s.up);
      s.highest = Math.max(s.highest ?? s.down, s.down);
      const rose = mode !== 'down' && s.up - s.lowest > threshold;
      const fell = mode !== 'up' && s.highest - s.down > threshold;
      if (s.n < minInstances || !(rose || fell)) return false;
      s = { ...fresh };
      return true;
    },
    state: () => ({ ...s }),
  };
}
