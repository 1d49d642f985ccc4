import { createRandom } from '../random.ts';
import { type Detector, finite, level, type Rules, testLevel } from './detector.ts';
import { ksCritical } from './ks-tail.ts';

/** Draws `count` different indices below `from`, for the tick-th value since the beginning. */
export type Draw = (tick: number, from: number, count: number) => readonly number[];

/** Settings of {@link kswin}; the defaults are River's. */
export interface KswinOptions {
  /** significance of each test */
  alpha?: number;
  /** values that are kept */
  windowSize?: number;
  /** newest of them, and as many drawn from the rest, that are compared */
  statSize?: number;
  /** of the draws: the same seed gives the same alarms */
  seed?: number;
  /** instead of the seeded draws: another source, which must depend on its arguments only */
  draw?: Draw;
  /** values between false alarms; sets alpha */
  runLength?: number;
  /** River's rules or the paper's; see {@link kswin} */
  as?: Rules;
}

/** What KSWIN remembers: the window, oldest first. */
export interface KswinState {
  window: number[];
  /** values since the beginning */
  tick: number;
}

/** Below this distance River sees no change, whatever the p-value. */
const leastDistance = 0.1;

/**
 * Kolmogorov-Smirnov windowing: compares the newest values with as many drawn at random from the older
 * ones in a sliding window. Sees any change of the distribution, of its spread or shape as well as its
 * mean, but only abrupt ones: what drifts slower than the window is long stays unseen.
 *
 * Memory: bounded by `windowSize` numbers. Time: O(statSize log statSize) a value, because every test
 * draws anew; nothing in it grows with the stream.
 *
 * River deviates from the paper: it decides by the exact p-value and a distance above 0.1, where the
 * paper compares the distance with √(-ln α / r); and it throws away its window after a change, where
 * the paper goes on with the newest r values (`as: 'paper'`). River draws with Python's generator,
 * anew from its seed after each change; here the draws are by the seed and the count of values, and
 * the same as River's if `draw` gives them.
 *
 * The exact p-value holds under any one distribution, so `runLength` needs no simulation; with ties it
 * is on the safe side.
 *
 * @param options settings
 * @param state to go on from
 * @returns the detector; values are finite
 * @throws RangeError if a setting is out of its range
 * @source Raab, Heusinger and Schleif 2020, Reactive Soft Prototype Computing for Concept Drift
 *   Streams, section 3.3
 * @example ((d) => Array.from({ length: 300 }, (_, i) => (i < 200 ? (i * 7) % 10 : 5 + ((i * 7) % 10))).findIndex((x) => d.update(x)))(kswin({ seed: 1 })) // 222
 */
export function kswin(options: KswinOptions = {}, state?: KswinState): Detector<KswinState> {
  const { runLength, windowSize = 100, statSize = 30, seed = 1, as = 'river' } = options;
  if (!(Number.isInteger(statSize) && statSize > 0 && windowSize >= 2 * statSize)) {
    throw new RangeError('the window holds at least twice statSize values');
  }
  const paper = as === 'paper';
  // the paper's threshold is met with twice alpha
  const byRunLength = () => testLevel(runLength as number) / (paper ? 2 : 1);
  const alpha = level('alpha', options.alpha ?? (runLength === undefined ? 0.005 : byRunLength()));
  const critical = paper
    ? Math.sqrt(-Math.log(alpha) / statSize) * statSize
    : ksCritical(alpha, statSize, statSize) / statSize;
  const draw = options.draw ?? seeded(seed);
  const fresh = (): KswinState => ({ window: [], tick: 0 });
  let s: KswinState = structuredClone(state ?? fresh());

  /** Does the count of values by which both distributions differ at most reach the limit? */
  function changed(): boolean {
    const older = windowSize - statSize;
    const drawn = draw(s.tick, older, statSize).map((i) => s.window[i]);
    const steps = farthest(Float64Array.from(drawn), Float64Array.from(s.window.slice(older)));
    return paper ? steps > critical : steps >= critical && steps / statSize > leastDistance;
  }

  return {
    update(x) {
      s.window.push(finite(x));
      s.tick++;
      if (s.window.length > windowSize) s.window.shift();
      if (s.window.length < windowSize || !changed()) return false;
      s = paper ? { window: s.window.slice(-statSize), tick: s.tick } : fresh();
      return true;
    },
    state: () => structuredClone(s),
  };
}

/** Largest difference of the counts of values up to some point, of two samples of one size. */
function farthest(a: Float64Array, b: Float64Array): number {
  a.sort();
  b.sort();
  let most = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const at = Math.min(a[i], b[j]);
    while (i < a.length && a[i] === at) i++;
    while (j < b.length && b[j] === at) j++;
    most = Math.max(most, Math.abs(i - j));
  }
  return most;
}

/** Floyd's sampling without a pool, from a generator of each tick's own: no state to keep. */
function seeded(seed: number): Draw {
  return (tick, from, count) => {
    const random = createRandom(seed, tick);
    const drawn = new Set<number>();
    for (let j = from - count; j < from; j++) {
      const i = random.integer(j + 1);
      drawn.add(drawn.has(i) ? j : i);
    }
    return [...drawn];
  };
}
