import { clamp } from './arithmetic.ts';

/** One figure that every sensor of an array gives at each measurement, and the range it may have. */
export interface ArrayKind {
  /** size of a response that is noise; below it levels are linear, above it logarithmic */
  floor: number;
  /** largest response that is told apart; below 0 where the figure falls with the response */
  full: number;
}

/* The level of no response: most of int8 is for responses, the rest for the noise about none. */
const NONE = -96;
/* A ratio of 1 in counts: 127 is four times the array's mean. */
const ONE = 32;

/**
 * Makes the window of an array of sensors: one sample of int8, whatever the range of the figures.
 *
 * First the level of each figure, none + k · ln(1 + |v| / floor) with the sign of the response, which
 * reaches 127 at `full`: a step is a few per cent of a response over all its decades, and a sensor's
 * gain that drifts is an offset. Then the ratio of each figure to the mean size of its kind over the
 * array, in steps of 1/32 up to 4: a pattern over the sensors that hardly depends on how much gas
 * there is. Nothing in it is learned, so that the driver of a sensor can do it before anything else.
 *
 * @param values [sensors][kinds], in any unit that `kinds` is in
 * @param kinds what each sensor gives
 * @returns int8 [levels of all values][ratios of all values], in the order of `values`
 * @example arrayWindow([0, 1e6], [{ floor: 500, full: 1e6 }]) // Int8Array.of(-96, 127, 0, 64)
 */
export function arrayWindow(values: ArrayLike<number>, kinds: ArrayKind[]): Int8Array {
  const n = values.length;
  const window = new Int8Array(2 * n);
  let floor: number;
  let full: number;
  let scale: number;
  let mean: number;
  let size: number;
  let response: number;
  let level: number;
  for (let k = 0; k < kinds.length; k++) {
    floor = kinds[k].floor;
    full = kinds[k].full;
    scale = (127 - NONE) / Math.log(1 + Math.abs(full) / floor);
    mean = 0;
    for (let i = k; i < n; i += kinds.length) {
      mean += (Math.abs(values[i]) * kinds.length) / n;
    }
    for (let i = k; i < n; i += kinds.length) {
      response = full < 0 ? 0 - values[i] : values[i];
      size = Math.abs(response);
      level = scale * Math.log(1 + size / floor);
      window[i] = clamp(Math.floor((response < 0 ? NONE - level : NONE + level) + 0.5));
      window[n + i] = clamp(mean === 0 ? 0 : Math.floor((ONE * response) / mean + 0.5));
    }
  }
  return window;
}
