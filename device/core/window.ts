import { clamp } from './arithmetic.ts';
import { GESTURE, SLIDING } from './options.ts';

/** How a stream of samples is cut into windows. */
export interface WindowOptions {
  /** 'gesture': a window a movement; 'sliding': a window every `stride` samples */
  mode: 'gesture' | 'sliding';
  /** values a sample has */
  axes: number;
  /** samples a window has */
  samples: number;
  /** sliding: samples from one window to the next, 1 to `samples` */
  stride: number;
  /** gesture: opens above this Σ|change| over the axes from one sample to the next */
  threshold: number;
  /** gesture: samples in a row at or below the threshold that close it, 1 or more */
  quiet: number;
  /** gesture: samples kept from before the movement, 1 to `samples` - 1 */
  preRoll: number;
  /** gesture: a shorter one, after trimming, is dropped */
  least: number;
}

/** The segmentation's memory; made by startWindows, changed by pushSample. */
export interface WindowState {
  options: WindowOptions;
  values: Int8Array;
  /** samples in `values` */
  count: number;
  /** samples in a row without movement */
  still: number;
  /** 0 waiting for movement, 1 within a gesture, 2 after a full one, until it is quiet */
  phase: number;
}

/** A finished window: int8 [samples][axes], zero after its first n samples. */
export interface Window {
  values: Int8Array;
  n: number;
}

/** Makes the memory for one stream. */
export function startWindows(options: WindowOptions): WindowState {
  return {
    options: options,
    values: new Int8Array(options.samples * options.axes),
    count: 0,
    still: 0,
    phase: 0,
  };
}

/* Drops the first samples; to a lower address, so that a plain forward copy is right. */
function drop(state: WindowState, count: number): void {
  const axes = state.options.axes;
  state.values.set(state.values.subarray(count * axes, state.count * axes), 0);
  state.count -= count;
}

/**
 * Takes one sample; gives the window that it finishes, if any.
 *
 * A gesture opens at the first change above the threshold, with up to `preRoll` samples before it,
 * and closes after `quiet` samples without one; those quiet samples are trimmed from the window. A
 * gesture longer than the window gives its first `samples` samples, and what follows is ignored
 * until it is quiet again. A shorter one is padded with zeros.
 *
 * @param state see startWindows; it is changed
 * @param sample integers, one an axis; what int8 cannot hold is clamped
 * @returns the finished window (its memory is the caller's), or undefined
 */
export function pushSample(state: WindowState, sample: ArrayLike<number>): Window | undefined {
  const options = state.options;
  const axes = options.axes;
  const values = state.values;
  const sliding = SLIDING && (!GESTURE || options.mode === 'sliding');
  let moved = 0;
  let value: number;
  let at: number;
  if (!sliding && state.phase !== 1 && state.count > options.preRoll) drop(state, 1);
  at = state.count * axes;
  for (let i = 0; i < axes; i++) {
    value = clamp(sample[i]);
    if (state.count > 0) moved += Math.abs(value - values[at - axes]);
    values[at] = value;
    at++;
  }
  state.count++;
  state.still = moved > options.threshold ? 0 : state.still + 1;
  if (state.phase === 0 && state.still === 0) state.phase = 1;
  const quiet = state.still >= options.quiet;
  let done: Window | undefined;
  let n = 0;
  const full = state.count === options.samples;
  if (sliding ? full : state.phase === 1 && (full || quiet)) {
    n = sliding ? state.count : state.count - state.still;
    if (sliding || n >= options.least) {
      done = { values: new Int8Array(values.length), n: n };
      done.values.set(values.subarray(0, n * axes), 0);
    }
    drop(state, sliding ? options.stride : Math.max(0, state.count - options.preRoll));
    state.phase = 2;
  }
  if (quiet) state.phase = 0;
  return done;
}
