/**
 * Exact Σ a[i]·b[i] of two arrays of equal, non-zero length: what a kernel tier replaces. Layers
 * give it int8, features int16; no sum leaves 2^53.
 */
export type Dot = (a: Int8Array | Int16Array, b: Int8Array | Int16Array) => number;

/** One layer of a part: views on its bytes, nothing copied. */
export interface Layer {
  /** the header, see gateway/train/layer-form.ts; 20 bytes, 28 for types of two dimensions and beyond */
  head: Int8Array;
  /** channelsIn, channelsOut, widthIn, widthOut */
  shape: Uint16Array;
  /** int8 [out][kernel][in], or the 256 results of a table; empty where there is none, like the next three */
  weights: Int8Array;
  /** int32, zpIn·Σrow already subtracted */
  bias: Int32Array;
  multiplier: Int32Array;
  /** shift of the output, -31 to 30; negative shifts right */
  right: Int8Array;
  /** float32, what the integers stand for; only where the tier needs it */
  scales?: Float32Array;
}

/**
 * Runs one layer.
 *
 * @param layer see loadLayers
 * @param input int8 activations, [height][width][channels]
 * @param dot exact dot product of the tier
 * @param other second term of an addition
 */
export type Kernel = (layer: Layer, input: Int8Array, dot: Dot, other: Int8Array) => Int8Array;

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
 * Scales an integer as TFLM's reference kernels do: a doubled high product, then a division by a
 * power of two, each rounded (half up, then half away from zero).
 *
 * The 64-bit product is split, so that every step is exact in a double.
 *
 * @param acc int32
 * @param multiplier int32 in [0, 2^31), the significand of the real scale
 * @param shift power of two applied with it, -31 to 30; negative shifts right. As in TFLM, a left
 *   shift must leave acc in int32
 * @returns int32
 * @source gemmlowp SaturatingRoundingDoublingHighMul and RoundingDivideByPOT
 * @example rescale(1000, 1518500250, -4) // 44
 */
export function rescale(acc: number, multiplier: number, shift: number): number {
  if (shift > 0) acc *= POW2[shift];
  const high = Math.floor(acc / 65536);
  const value =
    Math.floor(
      (high * multiplier + Math.floor(((acc - high * 65536) * multiplier + 1073741824) / 65536)) /
        32768,
    ) / (shift < 0 ? POW2[-shift] : 1);
  return value < 0 ? -Math.floor(0.5 - value) : Math.floor(value + 0.5);
}

/**
 * Requantises an int32 accumulator to int8 (double rounding, see rescale).
 *
 * @param acc int32 accumulator, bias included
 * @param multiplier int32 in [2^30, 2^31), the significand of the real scale; 0 gives zeroPoint
 * @param shift power of two applied with it, -31 to 30; negative shifts right
 * @param zeroPoint int8 zero point of the output
 * @returns int8, saturated to [-128, 127]
 * @source TensorFlow Lite 8-bit quantisation specification
 * @example requantise(1000, 1518500250, -4, 3) // 47
 */
export function requantise(
  acc: number,
  multiplier: number,
  shift: number,
  zeroPoint: number,
): number {
  return clamp(rescale(acc, multiplier, shift) + zeroPoint);
}

/** An unsigned byte that was read as a signed one. */
export function byte(value: number): number {
  return (value + 256) % 256;
}
