import { clamp, rescale } from '../../device/core/arithmetic.ts';
import { expOfNegative, reciprocalOf } from '../../device/core/fixed-point.ts';
import {
  type QuantAdd,
  type QuantMean,
  type QuantSoftmax,
  type QuantTable,
  quantiseMultiplier,
} from './quant-layer.ts';

/** A real factor as the integer kernels have it: multiplier / 2^31 · 2^shift. */
export interface Factor {
  multiplier: number;
  shift: number;
}

const INT8 = Array.from({ length: 256 }, (_, i) => i - 128);
const MOST = 2 ** 31 - 1;

/**
 * Factor of a mean: input to output steps, the division by the number of values within it.
 *
 * @source TFLM reduce.h, QuantizedMeanOrSum: the product is truncated
 * @example meanFactor({ height: 2, width: 2, input: { scale: 1, zero: 0 }, output: { scale: 1, zero: 0 } }) // { multiplier: 1073741824, shift: -1 }
 */
export function meanFactor({
  height,
  width,
  input,
  output,
}: Pick<QuantMean, 'height' | 'width' | 'input' | 'output'>): Factor {
  const n = height * width;
  const { multiplier, shift } = quantiseMultiplier(input.scale / output.scale);
  const bits = Math.min(31 - Math.clz32(n), 31 + shift);
  return {
    multiplier: Number((BigInt(multiplier) << BigInt(bits)) / BigInt(n)),
    shift: shift - bits,
  };
}

/**
 * Factors of an addition: of the first term, the second, and their sum.
 *
 * @throws RangeError if a step of the sum is too fine for its terms, where TensorFlow Lite aborts
 * @source TFLM add_common.cc, CalculateOpDataAdd
 */
export function addFactors({ input, input2, output }: QuantAdd): Factor[] {
  const coarse = 2 * Math.max(input.scale, input2.scale);
  const sum = coarse / (2 ** 20 * output.scale);
  if (!(sum < 1)) {
    throw new RangeError(`add: output scale ${output.scale} is too fine for its terms`);
  }
  return [input.scale / coarse, input2.scale / coarse, sum].map(quantiseMultiplier);
}

/** Bits before the point of what softmax gives to exp. */
const SOFTMAX_BITS = 5;

/**
 * Factor from a difference of inputs to exp's argument, and the least difference that counts.
 *
 * @throws RangeError if the scale is so fine that TensorFlow Lite aborts
 * @source TFLM softmax_common.cc; PreprocessSoftmaxScaling, CalculateInputRadius
 */
export function softmaxFactors({ input, beta }: Pick<QuantSoftmax, 'input' | 'beta'>): {
  factor: Factor;
  leastDifference: number;
} {
  const real = Math.min(beta * input.scale * 2 ** (31 - SOFTMAX_BITS), MOST);
  if (!(real > 1)) throw new RangeError(`softmax: scale ${input.scale} · ${beta} is too fine`);
  const factor = quantiseMultiplier(real);
  const radius = Math.floor((31 * 2 ** (31 - SOFTMAX_BITS)) / 2 ** factor.shift);
  return { factor, leastDifference: -radius };
}

/**
 * What LOGISTIC or QUANTIZE gives for each int8.
 *
 * @returns int8, [input + 128]
 * @throws RangeError if the scale is finer than TensorFlow Lite can take
 * @source TFLM reference_integer_ops logistic.h; reference_ops requantize.h
 * @example lookup({ type: 'logistic', size: 1, input: { scale: 0.0625, zero: 0 }, output: { scale: 1 / 256, zero: -128 } })[128] // 0
 */
export function lookup(layer: QuantTable): Int8Array {
  const { input, output } = layer;
  if (layer.type === 'quantise') {
    const { multiplier, shift } = quantiseMultiplier(input.scale / output.scale);
    return Int8Array.from(INT8, (x) =>
      clamp(rescale(x - input.zero, multiplier, shift) + output.zero),
    );
  }
  const { multiplier, shift } = quantiseMultiplier(input.scale * 2 ** 27);
  if (shift < 0) throw new RangeError(`logistic: scale ${input.scale} is too fine`);
  const radius = Math.floor((15 * 2 ** 27) / 2 ** shift);
  return Int8Array.from(INT8, (x) => {
    const value = x - input.zero;
    if (value <= -radius) return -128;
    if (value >= radius) return 127;
    const a = rescale(value, multiplier, shift);
    const above = reciprocalOf(expOfNegative(-Math.abs(a), 4));
    const share = a === 0 ? 2 ** 30 : a < 0 ? MOST - above : above;
    return clamp(Math.floor(share / 2 ** 23 + 0.5) - 128);
  });
}
