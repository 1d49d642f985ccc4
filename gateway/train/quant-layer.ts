/** How an int8 stands for a real number: (q - zero) · scale. Scales are float32, as TensorFlow Lite has them. */
export interface Quantisation {
  scale: number;
  /** int8 */
  zero: number;
}

/** What follows the sum: none, max(0, x), or max(0, min(6, x)). */
export type Activation = 'none' | 'relu' | 'relu6';

/**
 * Where a layer reads, when not from the layer before it: indexes of layers, -1 for the net's input.
 * Within a backbone or a head only.
 */
export interface Wired {
  from?: number;
}

/** What layers with weights have alike. */
interface WeightNumbers extends Wired {
  /** int8, zero point 0, outputs first */
  weights: Int8Array;
  /** int32, in steps of input × weight scale; the input's zero point is not folded in */
  bias: Int32Array;
  /** float32, one, or one an output channel */
  weightScale: Float32Array;
  input: Quantisation;
  output: Quantisation;
  activation: Activation;
}

/** FULLY_CONNECTED: weights [outputs][inputs]. */
export interface QuantDense extends WeightNumbers {
  type: 'dense';
  inputs: number;
  outputs: number;
}

/** What a kernel slides over: [height][width][channels]; one dimension is height 1. */
export interface Sliding {
  height: number;
  width: number;
  channels: number;
  kernelHeight: number;
  kernelWidth: number;
  strideHeight: number;
  strideWidth: number;
  /** as TensorFlow names them; of SAME's odd zeros one more is on the far side */
  padding: 'same' | 'valid';
}

/** CONV_2D: weights [filters][kernelHeight][kernelWidth][channels]. */
export interface QuantConv extends Sliding, WeightNumbers {
  type: 'conv2d';
  filters: number;
}

/**
 * DEPTHWISE_CONV_2D: output channel c · depthMultiplier + m reads channel c alone; weights
 * [channels · depthMultiplier][kernelHeight][kernelWidth].
 */
export interface QuantDepthwise extends Sliding, WeightNumbers {
  type: 'depthwise2d';
  depthMultiplier: number;
}

/** MAX_POOL_2D, AVERAGE_POOL_2D: scale and zero point stay; an average leaves padding out. */
export interface QuantPool extends Sliding, Wired {
  type: 'maxpool2d' | 'avgpool2d';
  input: Quantisation;
  activation: Activation;
}

/** MEAN over height and width: one value a channel. */
export interface QuantMean extends Wired {
  type: 'mean';
  height: number;
  width: number;
  channels: number;
  input: Quantisation;
  output: Quantisation;
}

/** ADD of two tensors of one shape. */
export interface QuantAdd extends Wired {
  type: 'add';
  /** values */
  size: number;
  /** layer of the second term, -1 for the net's input */
  from2: number;
  input: Quantisation;
  input2: Quantisation;
  output: Quantisation;
  activation: Activation;
}

/** SOFTMAX over all values; its output is 1/256 a step, zero point -128. */
export interface QuantSoftmax extends Wired {
  type: 'softmax';
  size: number;
  input: Quantisation;
  beta: number;
}

/** LOGISTIC (output 1/256 a step, zero point -128) and QUANTIZE, from int8 to int8. */
export interface QuantTable extends Wired {
  type: 'logistic' | 'quantise';
  size: number;
  input: Quantisation;
  output: Quantisation;
}

/** A layer in the int8 scheme of TensorFlow Lite: one of its operators. */
export type QuantLayer =
  | QuantDense
  | QuantConv
  | QuantDepthwise
  | QuantPool
  | QuantMean
  | QuantAdd
  | QuantSoftmax
  | QuantTable;

/** Layers with weights. */
export type Weighted = QuantDense | QuantConv | QuantDepthwise;

/** What LOGISTIC and SOFTMAX give. */
export const SHARE: Quantisation = { scale: 1 / 256, zero: -128 };

/** What a layer gives out stands for. */
export function outputOf(layer: QuantLayer): Quantisation {
  if (layer.type === 'softmax') return SHARE;
  return 'output' in layer ? layer.output : layer.input;
}

/** A layer with the indexes of what it reads moved by a number of layers. */
export function moved(layer: QuantLayer, by: number): QuantLayer {
  const copy = { ...layer };
  if (copy.from !== undefined) copy.from += by;
  if (copy.type === 'add') copy.from2 += by;
  return copy;
}

/** Shape of what a layer reads and gives. */
export interface Geometry {
  channelsIn: number;
  channelsOut: number;
  heightIn: number;
  widthIn: number;
  heightOut: number;
  widthOut: number;
  kernelHeight: number;
  kernelWidth: number;
  strideHeight: number;
  strideWidth: number;
  padTop: number;
  padLeft: number;
}

/**
 * Shape of a layer's input and output.
 *
 * @param layer without its numbers: of a sliding one the Sliding fields and its output channels
 * @returns sizes; padTop and padLeft as TensorFlow's SAME puts them
 * @throws RangeError if a kernel is longer than an unpadded input, or a size leaves its field
 * @source TensorFlow, tf.nn.convolution: SAME and VALID
 * @example layerGeometry({ type: 'mean', height: 5, width: 3, channels: 2, input: { scale: 1, zero: 0 }, output: { scale: 1, zero: 0 } }).channelsOut // 2
 */
export function layerGeometry(layer: QuantLayer): Geometry {
  const unit = { kernelHeight: 1, kernelWidth: 1, strideHeight: 1, strideWidth: 1 };
  const flat = { heightIn: 1, widthIn: 1, heightOut: 1, widthOut: 1, padTop: 0, padLeft: 0 };
  if (layer.type === 'dense') {
    return checked({ ...unit, ...flat, channelsIn: layer.inputs, channelsOut: layer.outputs });
  }
  if ('size' in layer) {
    return checked({ ...unit, ...flat, channelsIn: layer.size, channelsOut: layer.size });
  }
  const { height, width, channels } = layer;
  const shape = { channelsIn: channels, heightIn: height, widthIn: width };
  if (layer.type === 'mean') {
    return checked({ ...unit, ...flat, ...shape, channelsOut: channels });
  }
  const { kernelHeight, kernelWidth, strideHeight, strideWidth, padding } = layer;
  const [heightOut, padTop] = slide(height, kernelHeight, strideHeight, padding);
  const [widthOut, padLeft] = slide(width, kernelWidth, strideWidth, padding);
  return checked({
    ...shape,
    channelsOut: channelsOut(layer),
    ...{ heightOut, widthOut, padTop, padLeft },
    ...{ kernelHeight, kernelWidth, strideHeight, strideWidth },
  });
}

function channelsOut(layer: QuantConv | QuantDepthwise | QuantPool): number {
  if (layer.type === 'conv2d') return layer.filters;
  return layer.type === 'depthwise2d' ? layer.channels * layer.depthMultiplier : layer.channels;
}

function slide(
  length: number,
  kernel: number,
  stride: number,
  padding: 'same' | 'valid',
): [out: number, before: number] {
  const same = padding === 'same';
  const out = Math.ceil((same ? length : length - kernel + 1) / stride);
  const zeros = same ? Math.max((out - 1) * stride + kernel - length, 0) : 0;
  return [out, Math.floor(zeros / 2)];
}

function checked(geometry: Geometry): Geometry {
  for (const [name, value] of Object.entries(geometry)) {
    const most = /kernel|stride/.test(name) ? 255 : /pad/.test(name) ? 127 : 65535;
    const least = /pad/.test(name) ? 0 : 1;
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new RangeError(`layer: ${name} must be ${least} to ${most}, not ${value}`);
    }
  }
  return geometry;
}

/** Values that a layer reads, and gives. */
export function layerSizes(layer: QuantLayer): { input: number; output: number } {
  const g = layerGeometry(layer);
  return {
    input: g.heightIn * g.widthIn * g.channelsIn,
    output: g.heightOut * g.widthOut * g.channelsOut,
  };
}

/**
 * Least and greatest int8 that a fused activation leaves.
 *
 * @source TensorFlow Lite CalculateActivationRangeQuantized (kernel_util.cc), in float32
 * @example activationBounds('relu6', { scale: 0.0625, zero: -28 }) // [-28, 68]
 */
export function activationBounds(
  activation: Activation,
  { scale, zero }: Quantisation,
): [low: number, high: number] {
  if (activation === 'none') return [-128, 127];
  const at = (real: number): number =>
    Math.max(-128, Math.min(127, zero + roundAway(Math.fround(real / scale))));
  return [at(0), activation === 'relu6' ? at(6) : 127];
}

/** C's round(): half away from zero. */
export function roundAway(value: number): number {
  return value < 0 ? -Math.floor(0.5 - value) : Math.floor(value + 0.5);
}

/**
 * Splits a real scale into the significand and power of two of the integer kernels.
 *
 * @param real scale, 0 or positive
 * @returns multiplier in [2^30, 2^31) and shift, with real ≈ multiplier / 2^31 · 2^shift; both 0
 *   for 0 and for what is below 2^-32
 * @throws RangeError if real is negative or not finite
 * @source TensorFlow Lite QuantizeMultiplier (quantization_util.cc)
 * @example quantiseMultiplier(0.046875) // { multiplier: 1610612736, shift: -4 }
 */
export function quantiseMultiplier(real: number): { multiplier: number; shift: number } {
  if (!(real >= 0 && real < Infinity)) {
    throw new RangeError(`scale must be 0 or a positive number, not ${real}`);
  }
  if (real === 0) return { multiplier: 0, shift: 0 };
  let shift = Math.ceil(Math.log2(real)) + 0; // never -0
  while (real / 2 ** shift >= 1) shift++;
  while (real / 2 ** shift < 0.5) shift--;
  let multiplier = Math.floor((real / 2 ** shift) * 2 ** 31 + 0.5);
  if (multiplier === 2 ** 31) {
    multiplier = 2 ** 30;
    shift++;
  }
  return shift < -31 ? { multiplier: 0, shift: 0 } : { multiplier, shift };
}

/**
 * Real factors from accumulator to output steps: one, or one an output channel.
 *
 * TensorFlow Lite computed the product of a dense layer in float32 until 2026, in double since, and
 * those of convolutions always in double. Scales that quantise() makes give the same either way.
 *
 * @source TFLM GetQuantizedConvolutionMultipler, PopulateConvolutionQuantizationParams
 */
export function effectiveScales({
  weightScale,
  input,
  output,
}: Pick<Weighted, 'weightScale' | 'input' | 'output'>): number[] {
  return Array.from(weightScale, (scale) => (input.scale * scale) / output.scale);
}
