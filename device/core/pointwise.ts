import { byte, clamp, type Kernel, POW2, rescale } from './arithmetic.ts';
import { expOfNegative, highProduct, reciprocalOf } from './fixed-point.ts';

/** Bits that ADD gains before it scales its terms. */
const ADD_BITS = 1048576;

/**
 * ADD: both terms in steps of half the coarser one's, 20 bits finer, then the sum in its own.
 *
 * @source TFLM reference_integer_ops add.h, AddElementwise
 */
export const add: Kernel = (layer, input, _, other) => {
  const head = layer.head;
  const multiplier = layer.multiplier;
  const right = layer.right;
  const output = new Int8Array(input.length);
  let sum: number;
  for (let i = 0; i < output.length; i++) {
    sum =
      rescale((input[i] - head[2]) * ADD_BITS, multiplier[0], right[0]) +
      rescale((other[i] - head[14]) * ADD_BITS, multiplier[1], right[1]);
    sum = rescale(sum, multiplier[2], right[2]) + head[3];
    output[i] = Math.max(head[1], Math.min(head[15], sum));
  }
  return output;
};

/**
 * SOFTMAX in fixed point; a value whose difference to the greatest is below bias[0] gives -128.
 *
 * @source TFLM reference_ops softmax.h, the integer one
 */
export const softmax: Kernel = (layer, input) => {
  const output = new Int8Array(input.length).fill(-128);
  const exps: number[] = [];
  let max = -128;
  let sum = 0;
  for (let i = 0; i < input.length; i++) max = Math.max(max, input[i]);
  for (let i = 0; i < input.length; i++) {
    exps.push(
      input[i] - max < layer.bias[0]
        ? 0
        : expOfNegative(rescale(input[i] - max, layer.multiplier[0], layer.right[0]), 5),
    );
    if (exps[i] > 0) sum += Math.floor(exps[i] / 4096 + 0.5); // 12 integer bits
  }
  // the sum as (1 + x) · 2^k, in 31 bits; 2^19 is one
  let bits = 0;
  while (sum * POW2[bits] < 2147483648) bits++;
  const scale = reciprocalOf(sum * POW2[bits] - 2147483648);
  for (let i = 0; i < input.length; i++) {
    if (exps[i] > 0) {
      output[i] = clamp(
        Math.floor(highProduct(scale, exps[i]) / 8388608 / POW2[12 - bits] + 0.5) - 128,
      );
    }
  }
  return output;
};

/** LOGISTIC and QUANTIZE: what each of the 256 inputs gives, as the gateway computed it. */
export const table: Kernel = (layer, input) => {
  const output = new Int8Array(input.length);
  for (let i = 0; i < output.length; i++) output[i] = layer.weights[byte(input[i] - 128)];
  return output;
};
