/**
 * Watches one stream for a change of its distribution.
 *
 * Every detector is made by a function of its own, `name(options, state?)`; given a state that
 * {@link Detector.state} returned, it goes on exactly where that one stood. All take `runLength`, the
 * values between false alarms that is asked for, in the mean, and choose their threshold by it.
 *
 * `X` is what a value is: a number, or a vector of features.
 */
export interface Detector<State = unknown, X = number> {
  /**
   * Takes the next value.
   *
   * @returns true if a change is detected with this value
   * @throws RangeError if it is not finite, or outside what the detector takes
   */
  update(x: X): boolean;
  /** What a restart needs, as plain JSON; its size is bounded. */
  state(): State;
}

/** A detector that warns before it is sure. */
export interface WarningDetector<State = unknown> extends Detector<State> {
  /** the last value lies in the warning zone */
  readonly warning: boolean;
}

/** A detector that compares a window with a reference, and says how unlikely they are alike. */
export interface TwoSampleDetector<State = unknown, X = number> extends Detector<State, X> {
  /** the last comparison; undefined until reference and window are full */
  readonly comparison: Comparison | undefined;
}

/** How a window compares with the reference. */
export interface Comparison {
  /** of the test, in its own unit */
  statistic: number;
  /** probability of at least that, if nothing changed */
  pValue: number;
}

/**
 * Whose rules: River's, so that alarms fall where River's fall, or those of the paper where River
 * deviates from it.
 */
export type Rules = 'river' | 'paper';

/**
 * Significance of each test so that the mean run between false alarms is at least as asked: with
 * P(a test alarms) ≤ α the k-th test is reached with at least 1 - k α, and the sum of those over all
 * k up to 1/α is more than 1/(2α) tests. Holds for tests that depend on each other, too.
 *
 * @param runLength values between false alarms
 * @param every values from one test to the next
 * @returns α, in (0, 1)
 * @throws RangeError if runLength is not above `every`, so that no test could be that rare
 * @example testLevel(10_000) // 0.00005
 */
export function testLevel(runLength: number, every = 1): number {
  if (!(runLength > every && Number.isFinite(runLength))) {
    throw new RangeError(`a run length is a number above ${every}, not ${runLength}`);
  }
  return every / (2 * runLength);
}

/**
 * Hands back a finite number.
 *
 * @throws RangeError if it is none
 * @example finite(-2.5) // -2.5
 */
export function finite(x: number): number {
  if (!Number.isFinite(x)) throw new RangeError(`${x} is no finite number`);
  return x;
}

/**
 * Hands back a number of [0, 1], as an error bit or a loss is.
 *
 * @throws RangeError if it is outside
 * @example unit(0.25) // 0.25
 */
export function unit(x: number): number {
  if (!(x >= 0 && x <= 1)) throw new RangeError(`${x} is not within 0 and 1`);
  return x;
}

/**
 * Hands back a probability that is neither 0 nor 1.
 *
 * @throws RangeError if it is none
 * @example level('alpha', 0.01) // 0.01
 */
export function level(name: string, p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`${name} is between 0 and 1, not ${p}`);
  return p;
}
