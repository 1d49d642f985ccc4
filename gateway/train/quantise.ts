import { builtin } from './builtin.ts';
import { type FloatConv1d, type FloatDense, type FloatNet, splitNet } from './net.ts';
import {
  type QuantConv1d,
  type QuantDense,
  type QuantLayer,
  quantiseMultiplier,
} from './quant-layer.ts';

/** How an int8 stands for a real number: (q - zero) · scale. */
export interface Quantisation {
  scale: number;
  zero: number;
}

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
 * @returns the layers, as the part is encoded from
 * @throws RangeError without calibration, or if a weight is not finite
 * @source TensorFlow Lite 8-bit quantization specification; Jacob et al. 2018, section 2
 */
export function quantise(
  net: FloatNet,
  calibration: Int8Array,
  input: Quantisation = PRE_OUTPUT,
): QuantLayer[] {
  const size = net.input.length * net.input.channels;
  const n = calibration.length / size;
  if (n < 1 || !Number.isInteger(n)) {
    throw new RangeError(`${calibration.length} numbers are no calibration for inputs of ${size}`);
  }
  const x = dequantise(calibration, input);
  let current = input;
  return net.layers.map((layer, l) => {
    if (!('weights' in layer)) return { ...layer };
    const values = builtin.predict(splitNet(net, l + 1).backbone, x, n);
    const quantised = quantiseLayer(layer, current, activationRange(values, layer.relu));
    current = { scale: quantised.outputScale, zero: quantised.outputZero };
    return quantised;
  });
}

/**
 * What the outputs of quantised layers stand for.
 *
 * @param layers as quantise() gives them
 * @param input what their inputs stand for; kept where there are pools only
 * @returns scale and zero point of the last layer's output
 */
export function outputQuantisation(
  layers: readonly QuantLayer[],
  input: Quantisation = PRE_OUTPUT,
): Quantisation {
  let current = input;
  for (const layer of layers) {
    if ('outputScale' in layer) current = { scale: layer.outputScale, zero: layer.outputZero };
  }
  return current;
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

/**
 * Scale and zero point that cover given activations and 0.
 *
 * @param values what a layer gave, in float
 * @param relu whether it ends in a ReLU: then 0 is the lowest
 * @returns the finest that covers them; scale 1 where all are 0
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
  const scale = (high - low) / 255;
  return { scale, zero: Math.max(-128, Math.min(127, Math.round(-128 - low / scale))) };
}

function quantiseLayer(
  layer: FloatDense | FloatConv1d,
  input: Quantisation,
  output: Quantisation,
): QuantDense | QuantConv1d {
  const rows = layer.type === 'dense' ? layer.outputs : layer.filters;
  const size = layer.weights.length / rows;
  const units = layer.type === 'dense' ? 1 : rows;
  const rowsInUnit = rows / units;

  const weightScale = new Float64Array(units);
  for (let u = 0; u < units; u++) {
    const weights = layer.weights.subarray(u * rowsInUnit * size, (u + 1) * rowsInUnit * size);
    const bias = layer.bias.subarray(u * rowsInUnit, (u + 1) * rowsInUnit);
    weightScale[u] = scaleOfWeights(weights, bias, input.scale, output.scale);
  }
  // an output step finer than a product's would ask for a left shift, and could overflow
  const finest = input.scale * Math.max(...weightScale) * JUST_ABOVE_1;
  const fitted = finest > output.scale ? coarser(output, finest) : output;

  const weights = new Int8Array(layer.weights.length);
  for (let i = 0; i < weights.length; i++) {
    const scale = weightScale[Math.floor(i / (size * rowsInUnit))];
    weights[i] = Math.max(-127, Math.min(127, Math.round(layer.weights[i] / scale)));
  }
  const bias = Int32Array.from(layer.bias, (value, row) =>
    Math.round(value / (input.scale * weightScale[Math.floor(row / rowsInUnit)])),
  );
  const multipliers = Array.from(weightScale, (scale) =>
    quantiseMultiplier((input.scale * scale) / fitted.scale),
  );
  return {
    ...layer,
    weights,
    bias,
    multiplier: Int32Array.from(multipliers, ({ multiplier }) => multiplier),
    shift: Int32Array.from(multipliers, ({ shift }) => shift),
    inputZero: input.zero,
    outputZero: fitted.zero,
    inputScale: input.scale,
    outputScale: fitted.scale,
    weightScale,
  };
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
  return Math.max(own, leastForBias);
}

// the same range's low end, in larger steps
function coarser({ scale, zero }: Quantisation, larger: number): Quantisation {
  return { scale: larger, zero: Math.round(-128 + ((zero + 128) * scale) / larger) };
}
