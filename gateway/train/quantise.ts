import { builtin } from './builtin.ts';
import { type FloatConv1d, type FloatDense, type FloatNet, splitNet } from './net.ts';
import type { QuantConv, QuantDense, Quantisation, QuantLayer } from './quant-layer.ts';

/**
 * What `pre` gives out. Features are spread over four standard deviations, so that a step of 1/32
 * makes the input of a net about standard normal.
 */
export const PRE_OUTPUT: Quantisation = { scale: 1 / 32, zero: 0 };

/** Below half of int32, so that bias and products together cannot leave it. */
const MAX_BIAS = 2 ** 30;
/** A filter without weights has but its bias; its steps are this share of an output step. */
const BIAS_ONLY_STEP = 2 ** -16;
/** Keeps a multiplier below 1, where it needs no left shift. */
const JUST_ABOVE_1 = 1 + 2 ** -10;

/**
 * Turns a trained net into the int8 scheme of TensorFlow Lite: weights symmetric, per tensor for
 * dense layers and per filter for convolutions; activations asymmetric over what the calibration
 * windows give, zero included; biases int32 in steps of input × weight scale; ReLU fused.
 *
 * @param net trained, weights in float
 * @param calibration int8 inputs of the net, [n][length][channels], of the kind it will see
 * @param input what those int8 stand for; a head's are those of the backbone's output
 * @param output what the last layer's outputs shall stand for; default: what calibration gives
 * @returns the layers, as the part is encoded from
 * @throws RangeError without calibration, if a weight is not finite, or too large for `output`
 * @source TensorFlow Lite 8-bit quantization specification; Jacob et al. 2018, section 2
 */
export function quantise(
  net: FloatNet,
  calibration: Int8Array,
  input: Quantisation = PRE_OUTPUT,
  output?: Quantisation,
): QuantLayer[] {
  const size = net.input.length * net.input.channels;
  const n = calibration.length / size;
  if (n < 1 || !Number.isInteger(n)) {
    throw new RangeError(`${calibration.length} numbers are no calibration for inputs of ${size}`);
  }
  const x = dequantise(calibration, input);
  let current = input;
  return net.layers.map((layer, l) => {
    if (!('weights' in layer)) {
      const { length: width, channels, pool, stride } = layer;
      const type = layer.type === 'maxpool1d' ? 'maxpool2d' : 'avgpool2d';
      const slide = oneRow({ width, channels, kernel: pool, stride, padding: 'valid' });
      return { type, ...slide, input: current, activation: 'none' };
    }
    const values = builtin.predict(splitNet(net, l + 1).backbone, x, n);
    const fixed = l === net.layers.length - 1 ? output : undefined;
    const range = fixed ?? activationRange(values, layer.relu);
    const quantised = quantiseLayer(layer, current, range);
    if (fixed !== undefined && quantised.output !== fixed) {
      throw new RangeError(`weights are too large for outputs in steps of ${fixed.scale}`);
    }
    current = quantised.output;
    return quantised;
  });
}

/**
 * Real numbers of int8 ones.
 *
 * @param values int8
 * @param quantisation what they stand for
 * @returns one float each
 * @example dequantise(Int8Array.of(-2, 4), { scale: 0.5, zero: -2 }) // Float32Array.of(0, 3)
 */
export function dequantise(values: Int8Array, { scale, zero }: Quantisation): Float32Array {
  const result = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = (values[i] - zero) * scale;
  return result;
}

/** Significant bits of a scale that quantise() makes: a product of two is exact in float32. */
const SCALE_BITS = 12;

/**
 * The next scale of few significant bits: not finer than what was asked for.
 *
 * Then it does not matter whether a runtime multiplies scales in float32 or in double, as versions of
 * TensorFlow Lite Micro do: all come to the same integers.
 *
 * @example roundScale(0.1) // 0.100006103515625
 */
export function roundScale(scale: number): number {
  let unit = 2 ** (Math.floor(Math.log2(scale)) + 1 - SCALE_BITS);
  while (scale / unit > 2 ** SCALE_BITS) unit *= 2;
  return Math.ceil(scale / unit) * unit;
}

/**
 * Scale and zero point that cover given activations and 0.
 *
 * @param values what a layer gave, in float
 * @param relu whether it ends in a ReLU: then 0 is the lowest
 * @returns the finest of a scale's few bits that covers them; scale 1 where all are 0
 * @throws RangeError if a value is not finite
 * @source TensorFlow Lite, asymmetric: scale (max - min) / 255, zero point rounded so that 0 is exact
 * @example activationRange([-127.5, 20, 382.5], false) // { scale: 2, zero: -64 }
 */
export function activationRange(values: Iterable<number>, relu: boolean): Quantisation {
  let low = 0;
  let high = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) throw new RangeError(`an activation is ${value}`);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (relu) low = 0;
  if (high === low) return { scale: 1, zero: relu ? -128 : 0 };
  const scale = roundScale((high - low) / 255);
  return { scale, zero: Math.max(-128, Math.min(127, Math.round(-128 - low / scale))) };
}

/** A slide over one dimension, as one of height 1. */
function oneRow(of: {
  width: number;
  channels: number;
  kernel: number;
  stride: number;
  padding: 'same' | 'valid';
}) {
  const { width, channels, kernel, stride, padding } = of;
  const upright = { height: 1, kernelHeight: 1, strideHeight: 1 };
  return { ...upright, width, channels, kernelWidth: kernel, strideWidth: stride, padding };
}

function quantiseLayer(
  layer: FloatDense | FloatConv1d,
  input: Quantisation,
  range: Quantisation,
): QuantDense | QuantConv {
  const rows = layer.bias.length;
  const size = layer.weights.length / rows;
  const units = layer.type === 'dense' ? 1 : rows;
  const rowsInUnit = rows / units;

  const weightScale = new Float32Array(units);
  for (let u = 0; u < units; u++) {
    const weights = layer.weights.subarray(u * rowsInUnit * size, (u + 1) * rowsInUnit * size);
    const bias = layer.bias.subarray(u * rowsInUnit, (u + 1) * rowsInUnit);
    weightScale[u] = scaleOfWeights(weights, bias, input.scale, range.scale);
  }
  // an output step finer than a product's would ask for a left shift, and could overflow
  const finest = input.scale * Math.max(...weightScale) * JUST_ABOVE_1;
  const output = finest > range.scale ? coarser(range, roundScale(finest)) : range;

  const weights = new Int8Array(layer.weights.length);
  for (let i = 0; i < weights.length; i++) {
    const scale = weightScale[Math.floor(i / (size * rowsInUnit))]!;
    weights[i] = Math.max(-127, Math.min(127, Math.round(layer.weights[i]! / scale)));
  }
  const bias = Int32Array.from(layer.bias, (value, row) =>
    Math.round(value / (input.scale * weightScale[Math.floor(row / rowsInUnit)]!)),
  );
  const activation = layer.relu ? 'relu' : 'none';
  const numbers = { weights, bias, weightScale, input, output, activation } as const;
  if (layer.type === 'dense') {
    return { type: 'dense', inputs: layer.inputs, outputs: layer.outputs, ...numbers };
  }
  const { length: width, channels, filters, kernel, stride, padding } = layer;
  const slide = oneRow({ width, channels, kernel, stride, padding });
  return { type: 'conv2d', ...slide, filters, ...numbers };
}

function scaleOfWeights(
  weights: Float32Array,
  bias: Float32Array,
  inputScale: number,
  outputScale: number,
): number {
  const greatest = (values: Float32Array): number => {
    let top = 0;
    for (const value of values) {
      if (!Number.isFinite(value)) throw new RangeError(`a weight is ${value}`);
      top = Math.max(top, Math.abs(value));
    }
    return top;
  };
  const leastForBias = greatest(bias) / (inputScale * MAX_BIAS);
  const top = greatest(weights);
  const own = top === 0 ? (outputScale * BIAS_ONLY_STEP) / inputScale : top / 127;
  return roundScale(Math.max(own, leastForBias));
}

// the same range's low end, in larger steps
function coarser({ scale, zero }: Quantisation, larger: number): Quantisation {
  return { scale: larger, zero: Math.round(-128 + ((zero + 128) * scale) / larger) };
}
