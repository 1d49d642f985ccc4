import { loadLayers } from '../../../device/core/model.ts';
import { tier } from '../gateway-tier.ts';
import { encodeLayers } from '../layer-codec.ts';
import { type Quantisation, type QuantLayer, roundAway } from '../quant-layer.ts';

/** Runs a whole file's layers on int8 numbers, by the device's kernel. */
export function layerRunner(layers: readonly QuantLayer[]): (input: Int8Array) => Int8Array {
  const loaded = loadLayers(encodeLayers(layers, 0));
  return (input) => tier.run(loaded, input).slice();
}

/**
 * QUANTIZE at a model's edge, from float32.
 *
 * @param values float32
 * @param quantisation of the int8 input
 * @returns round(value / scale) + zero in float32, half away from zero, saturated
 * @source TensorFlow Lite Micro AffineQuantize (reference/quantize.h)
 * @example quantiseInput(Float32Array.of(-1.5, 100), { scale: 1, zero: 1 }) // Int8Array.of(-1, 101)
 */
export function quantiseInput(
  values: Float32Array,
  { scale, zero }: Quantisation,
): Int8Array<ArrayBuffer> {
  return Int8Array.from(values, (value) => {
    const q = roundAway(Math.fround(value / scale)) + zero;
    return Math.max(-128, Math.min(127, q));
  });
}

/**
 * DEQUANTIZE at a model's edge, to float32.
 *
 * @source TensorFlow Lite Micro DequantizeOp (reference/dequantize.h): scale · (value - zero)
 * @example dequantiseOutput(Int8Array.of(-2, 4), { scale: 0.5, zero: -2 }) // Float32Array.of(0, 3)
 */
export function dequantiseOutput(
  values: Int8Array,
  { scale, zero }: Quantisation,
): Float32Array<ArrayBuffer> {
  return Float32Array.from(values, (value) => scale * (value - zero));
}
