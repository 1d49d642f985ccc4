import { CONV1D, POOL } from './options.ts';

/**
 * Exact Σ a[i]·b[i] of two arrays of equal, non-zero length: what a kernel tier replaces. Layers
 * give it int8, features int16; no sum leaves 2^53.
 */
export type Dot = (a: Int8Array | Int16Array, b: Int8Array | Int16Array) => number;

/** One layer of a part: views on its bytes, nothing copied. */
export interface Layer {
  /** type, relu, zpIn, zpOut (bytes 0 to 3), kernel, stride, padLeft, perChannel (12 to 15) */
  head: Int8Array;
  /** channelsIn, channelsOut, lengthIn, lengthOut */
  shape: Uint16Array;
  /** int8 [out][kernel][in]; empty for pools, like the three below */
  weights: Int8Array;
  /** int32, zpIn·Σrow already subtracted */
  bias: Int32Array;
  multiplier: Int32Array;
  /** shift of the output, -31 to 30; negative shifts right */
  right: Int8Array;
}

/** 2^0 to 2^31: Espruino's Math.pow is exp(log) above 2^9, and wrong in the last digits. */
export const POW2: Float32Array = new Float32Array(32);
let power = 1;
for (let i = 0; i < 32; i++) {
  POW2[i] = power;
  power *= 2;
}

/** Saturates to int8. */
export function clamp(value: number): number {
  return Math.max(-128, Math.min(127, value));
}

/**
 * Requantises an int32 accumulator to int8, as TFLM's reference kernels do (double rounding).
 *
 * The 64-bit product is split, so that every step is exact in a double.
 *
 * @param acc int32 accumulator, bias included
 * @param multiplier int32 in [2^30, 2^31), the significand of the real scale; 0 gives zeroPoint
 * @param shift power of two applied with it, -31 to 30; negative shifts right. As in TFLM, a left
 *   shift must leave acc in int32
 * @param zeroPoint int8 zero point of the output
 * @returns int8, saturated to [-128, 127]
 * @source TensorFlow Lite 8-bit quantisation specification; gemmlowp
 *   SaturatingRoundingDoublingHighMul and RoundingDivideByPOT
 * @example requantise(1000, 1518500250, -4, 3) // 47
 */
export function requantise(
  acc: number,
  multiplier: number,
  shift: number,
  zeroPoint: number,
): number {
  if (shift > 0) acc *= POW2[shift];
  const high = Math.floor(acc / 65536);
  const value =
    Math.floor(
      (high * multiplier + Math.floor(((acc - high * 65536) * multiplier + 1073741824) / 65536)) /
        32768,
    ) / (shift < 0 ? POW2[-shift] : 1);
  return clamp((value < 0 ? -Math.floor(0.5 - value) : Math.floor(value + 0.5)) + zeroPoint);
}

/** An unsigned byte that was read as a signed one. */
export function byte(value: number): number {
  return (value + 256) % 256;
}

/*
 * Dense and convolution are one loop over `dot(fixed, row of moving)`: a dense layer with one
 * multiplier holds the input and walks the weights; everything else holds one filter and walks the
 * input. Below |acc| = 2^21 and for right shifts s of 1 or more both roundings are one floor:
 * floor((acc·m + 2^30 + 2^(30+s) - (acc < 0 ? 2^31 : 0)) / 2^(31+s)). No sum reaches 2^53 up to
 * s = 21, so it is exact; above, it is far from every multiple of 2^(31+s), and the result 0.
 */
function multiply(layer: Layer, input: Int8Array, dot: Dot): Int8Array {
  const head = layer.head;
  const shape = layer.shape;
  const channels = shape[0];
  const filters = shape[1];
  const size = CONV1D ? byte(head[12]) * channels : channels;
  const step = CONV1D ? byte(head[13]) * channels : 0;
  const padded = CONV1D ? (shape[3] - 1) * step + size : 0;
  const byRow = !CONV1D || (head[0] === 1 && head[15] === 0);
  const stepOut = byRow ? 1 : filters;
  const zero = head[3];
  const low = head[1] === 1 ? zero : -128;
  const floor = Math.floor; // a board looks names up from the inside out
  const output = new Int8Array(CONV1D ? filters * shape[3] : filters);
  let fixed = input;
  let moving = layer.weights;
  let at: number;
  let row: number;
  let acc: number;
  let mul: number;
  let shift: number;
  let limit: number;
  let plus: number;
  let scale: number;
  if (!byRow) {
    moving = input;
    if (padded > input.length) {
      moving = new Int8Array(padded).fill(head[2]);
      moving.set(input, head[14] * channels);
    }
  }
  let group = 0;
  do {
    if (!byRow) fixed = layer.weights.subarray(group * size, group * size + size);
    mul = layer.multiplier[byRow ? 0 : head[15] * group];
    shift = -layer.right[byRow ? 0 : head[15] * group];
    limit = shift < 1 ? 0 : 2097152;
    scale = 2147483648 * POW2[shift < 1 ? 0 : shift];
    plus = 1073741824 + scale / 2;
    at = 0;
    row = group;
    for (let out = group; out < output.length; out += stepOut) {
      acc = dot(fixed, moving.subarray(at, at + size)) + layer.bias[row];
      at += byRow ? size : step;
      if (byRow) row++;
      acc =
        acc < limit && acc > -limit
          ? floor((acc * mul + plus - (acc < 0 ? 2147483648 : 0)) / scale) + zero
          : requantise(acc, mul, -shift, zero);
      output[out] = acc < low ? low : acc > 127 ? 127 : acc;
    }
    group++;
  } while (!byRow && group < filters);
  return output;
}

/* One function for both kinds: the maximum and the sum of what a place sees. */
function pool(layer: Layer, input: Int8Array): Int8Array {
  const channels = layer.shape[0];
  const kernel = byte(layer.head[12]);
  const step = byte(layer.head[13]) * channels;
  const half = Math.floor(kernel / 2);
  const output = new Int8Array(channels * layer.shape[3]);
  let start: number;
  let at: number;
  let sum: number;
  let max: number;
  for (let out = 0; out < output.length; out++) {
    start = Math.floor(out / channels) * step + (out % channels);
    sum = 0;
    max = -128;
    for (at = start; at < start + kernel * channels; at += channels) {
      sum += input[at];
      if (input[at] > max) max = input[at];
    }
    if (layer.head[0] === 4) {
      max = sum < 0 ? -Math.floor((half - sum) / kernel) : Math.floor((sum + half) / kernel);
    }
    output[out] = max;
  }
  return output;
}

/** By a layer's type. A type without a kernel ends the self-test, and with it the update. */
const KERNELS: (typeof multiply)[] = [];
KERNELS[1] = multiply;
if (CONV1D) KERNELS[2] = multiply;
if (POOL) {
  KERNELS[3] = pool;
  KERNELS[4] = pool;
}

/**
 * Runs layers one after the other, bit for bit as TensorFlow Lite Micro's reference kernels.
 *
 * @param layers of a part, see loadModel
 * @param input int8 activations, [length][channels]
 * @param dot exact dot product of the tier
 * @returns int8 activations of the last layer, [length][channels]; the input itself for no layers
 * @source TFLM reference_integer_ops: fully_connected.h, conv.h, pooling.h
 */
export function runLayers(layers: Layer[], input: Int8Array, dot: Dot): Int8Array {
  for (let i = 0; i < layers.length; i++) {
    input = KERNELS[layers[i].head[0]](layers[i], input, dot);
  }
  return input;
}

/**
 * Index of the largest value; of equal ones the first.
 *
 * @example argmax(new Int8Array([3, 9, -1, 9])) // 1
 */
export function argmax(values: Int8Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) {
    if (values[i] > values[best]) best = i;
  }
  return best;
}
