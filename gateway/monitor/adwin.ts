import { type Detector, finite, level, type Rules, testLevel } from './detector.ts';

/** Settings of {@link adwin}; the defaults are River's. */
export interface AdwinOptions {
  /** confidence: bound on the probability of a false alarm at a cut */
  delta?: number;
  /** looks for a change at every clock-th value */
  clock?: number;
  /** buckets of one size before two are merged; M in the paper */
  maxBuckets?: number;
  /** shortest part that is compared */
  minWindow?: number;
  /** values before it looks at all */
  grace?: number;
  /** values between false alarms; sets delta */
  runLength?: number;
  /** River's rules or the paper's; see {@link adwin} */
  as?: Rules;
}

/** What ADWIN remembers: for each size 2^i the sums and inner variances of its buckets. */
export interface AdwinState {
  rows: { sums: number[]; variances: number[] }[];
  width: number;
  total: number;
  variance: number;
  ticks: number;
}

/** ADWIN, with what can be read from its window. */
export interface Adwin extends Detector<AdwinState> {
  /** values in the window */
  readonly width: number;
  /** mean of the window */
  readonly mean: number;
  /** the last change: mean of what was dropped, mean and length of what stayed */
  readonly change: { before: number; after: number; width: number } | undefined;
}

/**
 * Adaptive windowing (ADWIN2): keeps the longest window whose parts have no significantly different
 * means, in O(log n) memory. It assumes nothing about the change and needs no reference, and is slow
 * for small ones: on 30 values prefer {@link conformal}.
 *
 * River deviates from the paper: it shortens both parts by minWindow - 1 before it takes their harmonic
 * mean, and forgets everything after a change, where the paper keeps the newer part, which is what the
 * window is for (`as: 'paper'`, whose alarms come sooner). The paper looks at every value, with no
 * grace (clock 1, grace 0); River and MOA at every 32nd.
 *
 * A look alarms falsely with probability delta at most, so `runLength` R sets it to clock / (2R).
 *
 * @param options settings
 * @param state to go on from
 * @returns the detector; values are finite and should lie within about [0, 1]
 * @throws RangeError if delta is outside (0, 1), or the run length not above the clock
 * @source Bifet and Gavaldà 2007, Learning from Time-Changing Data with Adaptive Windowing, section 3;
 *   delta bounds false alarms by theorem 3.1
 * @example ((d) => Array.from({ length: 400 }, (_, i) => (i < 200 ? 0.2 : 0.8)).findIndex((x) => d.update(x)))(adwin({ clock: 1, as: 'paper' })) // 214
 */
export function adwin(options: AdwinOptions = {}, state?: AdwinState): Adwin {
  const { runLength, clock = 32, maxBuckets = 5, minWindow = 5, grace = 10 } = options;
  const river = (options.as ?? 'river') === 'river';
  const byRunLength = runLength === undefined ? 0.002 : testLevel(runLength, clock);
  const delta = level('delta', options.delta ?? byRunLength);
  const empty = () => ({ rows: [], width: 0, total: 0, variance: 0, ticks: 0 });
  let s: AdwinState = structuredClone(state ?? empty());
  let change: Adwin['change'];

  function insert(x: number): void {
    if (s.rows.length === 0) s.rows.push({ sums: [], variances: [] });
    s.rows[0].sums.push(x);
    s.rows[0].variances.push(0);
    s.width++;
    if (s.width > 1) {
      const off = x - s.total / (s.width - 1);
      s.variance += ((s.width - 1) * off * off) / s.width;
    }
    s.total += x;
    for (let i = 0; i < s.rows.length && s.rows[i].sums.length > maxBuckets; i++) merge(i);
  }

  /** The two oldest buckets of size 2^i become one of twice the size. */
  function merge(i: number): void {
    if (i + 1 === s.rows.length) s.rows.push({ sums: [], variances: [] });
    const { sums, variances } = s.rows[i];
    const size = 2 ** i;
    const off = (sums[0] - sums[1]) / size;
    s.rows[i + 1].sums.push(sums[0] + sums[1]);
    s.rows[i + 1].variances.push(variances[0] + variances[1] + (size * off * off) / 2);
    sums.splice(0, 2);
    variances.splice(0, 2);
  }

  /** @returns sum and length of the oldest bucket, which is gone now */
  function dropOldest(): { sum: number; size: number } {
    const i = s.rows.length - 1;
    const size = 2 ** i;
    const sum = s.rows[i].sums.shift() as number;
    const inner = s.rows[i].variances.shift() as number;
    s.width -= size;
    s.total -= sum;
    const off = sum / size - s.total / s.width;
    s.variance -= inner + (size * s.width * off * off) / (size + s.width);
    if (s.rows[i].sums.length === 0) s.rows.pop();
    return { sum, size };
  }

  function cutFound(): boolean {
    let n0 = 0;
    let sum0 = 0;
    for (let i = s.rows.length - 1; i >= 0; i--) {
      const { sums } = s.rows[i];
      for (let k = 0; k < sums.length; k++) {
        n0 += 2 ** i;
        sum0 += sums[k];
        const n1 = s.width - n0;
        if (n0 >= minWindow && n1 >= minWindow && differ(n0, sum0, n1)) return true;
      }
    }
    return false;
  }

  function differ(n0: number, sum0: number, n1: number): boolean {
    const shorter = river ? minWindow - 1 : 0;
    const perM = 1 / (n0 - shorter) + 1 / (n1 - shorter);
    const log = Math.log((2 * Math.log(s.width)) / delta);
    // rounding may leave a constant stream's variance a hair below 0
    const bound =
      Math.sqrt(2 * perM * (Math.max(0, s.variance) / s.width) * log) + (2 / 3) * log * perM;
    return Math.abs(sum0 / n0 - (s.total - sum0) / n1) > bound;
  }

  return {
    update(x) {
      insert(finite(x));
      s.ticks++;
      if (s.ticks % clock !== 0 || s.width <= grace) return false;
      let sum = 0;
      let size = 0;
      while (cutFound()) {
        const dropped = dropOldest();
        sum += dropped.sum;
        size += dropped.size;
      }
      if (size === 0) return false;
      change = { before: sum / size, after: s.total / s.width, width: s.width };
      if (river) s = empty();
      return true;
    },
    state: () => structuredClone(s),
    get width() {
      return s.width;
    },
    get mean() {
      return s.width === 0 ? 0 : s.total / s.width;
    },
    get change() {
      return change;
    },
  };
}
