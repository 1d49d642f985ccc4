import { byte, type Dot, type Kernel, type Layer, POW2, requantise } from './arithmetic.ts';
import { CONV1D, PLANE, POINT, POOL } from './options.ts';
import { mean, patches, pool2d } from './planes.ts';
import { add, softmax, table } from './pointwise.ts';

/** How a board computes: see its tiers. All of them give the same numbers, bit for bit. */
export interface Tier {
  dot: Dot;
  /** runs the layers of a part, one after the other */
  run: (layers: Layer[], input: Int8Array) => Int8Array;
}

/**
 * Dense layers and convolutions: one loop over `dot(fixed, row of moving)`.
 *
 * A dense layer with one multiplier holds the input and walks the weights; everything else holds one
 * filter and walks what its places see. Below |acc| = 2^21 and for right shifts s of 1 or more both
 * roundings are one floor: floor((acc·m + 2^30 + 2^(30+s) - (acc < 0 ? 2^31 : 0)) / 2^(31+s)). No sum
 * reaches 2^53 up to s = 21, so it is exact; above, it is far from every multiple of 2^(31+s), and
 * the result 0.
 *
 * @source TFLM reference_integer_ops fully_connected.h, conv.h, depthwise_conv.h
 */
export const multiply: Kernel = (layer, input, dot) => {
  const head = layer.head;
  const shape = layer.shape;
  const filters = shape[1];
  const type = head[0];
  const plane = PLANE && type > 4;
  const byRow = !CONV1D || (type === 1 && head[16] === 0);
  const zero = head[3];
  const low = head[1];
  const high = head[15];
  const floor = Math.floor; // a board looks names up from the inside out
  let size = shape[0];
  let step = 0;
  let places = 1;
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
    if (plane) {
      moving = patches(layer, input);
      size = layer.weights.length / filters;
      step = size;
      places = moving.length / size / (type === 6 ? shape[0] : 1);
    } else if (type > 1) {
      places = shape[3];
      step = byte(head[13]) * size;
      at = head[14] * size;
      size *= byte(head[12]);
      row = (places - 1) * step + size;
      if (row > input.length) {
        moving = new Int8Array(row).fill(head[2]);
        moving.set(input, at);
      }
    }
  }
  const stepOut = byRow ? 1 : filters;
  const output = new Int8Array(filters * places);
  let group = 0;
  do {
    if (!byRow) fixed = layer.weights.subarray(group * size, group * size + size);
    mul = layer.multiplier[byRow ? 0 : head[16] * group];
    shift = -layer.right[byRow ? 0 : head[16] * group];
    limit = shift < 1 ? 0 : 2097152;
    scale = 2147483648 * POW2[shift < 1 ? 0 : shift];
    plus = 1073741824 + scale / 2;
    at = plane && type === 6 ? floor((group * shape[0]) / filters) * places * size : 0;
    row = group;
    for (let out = group; out < output.length; out += stepOut) {
      acc = dot(fixed, moving.subarray(at, at + size)) + layer.bias[row];
      at += byRow ? size : step;
      if (byRow) row++;
      acc =
        acc < limit && acc > -limit
          ? floor((acc * mul + plus - (acc < 0 ? 2147483648 : 0)) / scale) + zero
          : requantise(acc, mul, -shift, zero);
      output[out] = acc < low ? low : acc > high ? high : acc;
    }
    group++;
  } while (!byRow && group < filters);
  return output;
};

/* One function for both kinds: the maximum and the sum of what a place sees. */
const pool: Kernel = (layer, input) => {
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
};

/**
 * By a layer's type, but for those that a tier runs. A type without a kernel ends the self-test, and
 * with it the update.
 */
const KERNELS: Kernel[] = [];
if (POOL) {
  KERNELS[3] = pool;
  KERNELS[4] = pool;
}
if (PLANE) {
  KERNELS[7] = pool2d;
  KERNELS[8] = pool2d;
  KERNELS[9] = mean;
}
if (POINT) {
  KERNELS[10] = add;
  KERNELS[11] = softmax;
  KERNELS[12] = table;
  KERNELS[13] = table;
}

/**
 * Runs layers one after the other, bit for bit as TensorFlow Lite Micro's reference kernels.
 *
 * @param layers of a part, see loadModel
 * @param input int8 activations, [height][width][channels]
 * @param dot exact dot product of the tier
 * @param own the tier's kernel for dense layers and convolutions; `multiply` where it has none
 * @returns int8 activations of the last layer; the input itself for no layers
 * @source TFLM, tensorflow/lite/kernels/internal/reference
 */
export function runLayers(layers: Layer[], input: Int8Array, dot: Dot, own: Kernel): Int8Array {
  const kept = [input]; // [i + 1] of layer i, where a later one reads it
  let head: Int8Array;
  let type: number;
  for (let i = 0; i < layers.length; i++) {
    head = layers[i].head;
    type = head[0];
    if (POINT && head[18] !== 0) input = kept[i - byte(head[18])];
    input = (
      type === 1 || (CONV1D && type === 2) || (PLANE && (type === 5 || type === 6))
        ? own
        : KERNELS[type]
    )(layers[i], input, dot, POINT ? kept[i - byte(head[19])] : input);
    if (POINT && head[17] < 0) kept[i + 1] = input;
  }
  return input;
}

/** A tier that replaces the dot product, or dense layers and convolutions as a whole. */
export function tierOf(dot: Dot, own: Kernel): Tier {
  return { dot: dot, run: (layers, input) => runLayers(layers, input, dot, own) };
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
