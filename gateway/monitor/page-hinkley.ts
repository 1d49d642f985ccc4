import type { Detector } from './detector.ts';

/** Settings of {@link pageHinkley}; the defaults are River's. */
export interface PageHinkleyOptions {
  /** values before it looks */
  minInstances?: number;
  /** change that is tolerated, in units of the stream */
  delta?: number;
  /** λ: sum of deviations that is a change */
  threshold?: number;
  /** forgetting of the sums */
  alpha?: number;
  /** which changes of the mean count */
  mode?: 'up' | 'down' | 'both';
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
 * Constant memory; the threshold has the stream's unit, so scale it to the stream.
 *
 * After a change it starts anew with the next value.
 *
 * @param options settings
 * @param state to go on from
 * @returns the detector
 * @source Page 1954, Continuous Inspection Schemes; Gama et al. 2013, On evaluating stream learning
 *   algorithms, section 5; forgetting as in River
 * @example [0, 0, 0, 5, 5].map(pageHinkley({ minInstances: 2, threshold: 4, mode: 'up' }).update) // [false, false, false, false, true]
 */
export function pageHinkley(
  options: PageHinkleyOptions = {},
  state?: PageHinkleyState,
): Detector<PageHinkleyState> {
  const { minInstances = 30, delta = 0.005, threshold = 50, alpha = 0.9999 } = options;
  const { mode = 'both' } = options;
  const fresh = { n: 0, mean: 0, up: 0, down: 0, lowest: null, highest: null };
  let s: PageHinkleyState = { ...(state ?? fresh) };
  return {
    update(x) {
      s.n++;
      s.mean += (x - s.mean) / s.n;
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
