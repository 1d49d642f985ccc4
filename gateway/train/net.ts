import { createRandom } from '../random.ts';
import type { LayerSpec } from '../task.ts';

/** Fully connected: weights [out][in]. */
export interface FloatDense {
  type: 'dense';
  inputs: number;
  outputs: number;
  weights: Float32Array;
  bias: Float32Array;
  relu: boolean;
}

/** Convolution over time: weights [filters][kernel][channels], activations [length][channels]. */
export interface FloatConv1d {
  type: 'conv1d';
  length: number;
  channels: number;
  filters: number;
  kernel: number;
  stride: number;
  padding: 'same' | 'valid';
  weights: Float32Array;
  bias: Float32Array;
  relu: boolean;
}

/** Pooling over time, without padding. */
export interface FloatPool {
  type: 'maxpool1d' | 'avgpool1d';
  length: number;
  channels: number;
  pool: number;
  stride: number;
}

export type FloatLayer = FloatDense | FloatConv1d | FloatPool;

/** A shape of activations: [length][channels]; a feature vector has length 1. */
export interface Shape {
  length: number;
  channels: number;
}

/** A net in float, weights laid out as in the quantised one. */
export interface FloatNet {
  input: Shape;
  layers: FloatLayer[];
}

/**
 * Builds a net with seeded starting weights: He's uniform before a ReLU, Glorot's otherwise, bias 0.
 *
 * @param input shape of one sample
 * @param specs the task's layers, in order
 * @param seed integer; the same seed gives the same weights
 * @returns the net
 * @throws RangeError if a size is not a positive integer or a kernel is longer than what it reads
 * @source He et al. 2015, equation 10; Glorot and Bengio 2010, equation 16
 * @example createNet({ length: 50, channels: 3 }, [{ type: 'conv1d', filters: 8, kernel: 5, stride: 2, padding: 'same', activation: 'relu' }], 1).layers[0].weights.length // 120
 */
export function createNet(input: Shape, specs: readonly LayerSpec[], seed: number): FloatNet {
  const random = createRandom(seed);
  const layers: FloatLayer[] = [];
  let shape = { ...input };
  positive('input length', input.length);
  positive('input channels', input.channels);
  const draw = (count: number, fanIn: number, fanOut: number, relu: boolean): Float32Array => {
    const limit = Math.sqrt(relu ? 6 / fanIn : 6 / (fanIn + fanOut));
    return Float32Array.from({ length: count }, () => random.uniform(-limit, limit));
  };
  for (const spec of specs) {
    let layer: FloatLayer;
    if (spec.type === 'dense') {
      const inputs = shape.length * shape.channels;
      const outputs = positive('units', spec.units);
      const relu = spec.activation === 'relu';
      const weights = draw(inputs * outputs, inputs, outputs, relu);
      layer = { type: 'dense', inputs, outputs, weights, bias: new Float32Array(outputs), relu };
    } else if (spec.type === 'conv1d') {
      const { filters, kernel, stride, padding } = spec;
      positive('filters', filters);
      positive('kernel', kernel);
      positive('stride', stride);
      const relu = spec.activation === 'relu';
      const fanIn = kernel * shape.channels;
      const weights = draw(filters * fanIn, fanIn, kernel * filters, relu);
      const bias = new Float32Array(filters);
      layer = { type: 'conv1d', ...shape, filters, kernel, stride, padding, weights, bias, relu };
    } else {
      positive('pool', spec.pool);
      positive('stride', spec.stride);
      layer = { type: spec.type, ...shape, pool: spec.pool, stride: spec.stride };
    }
    shape = outputShape(layer);
    positive(`output length of ${spec.type}`, shape.length);
    layers.push(layer);
  }
  return { input: { ...input }, layers };
}

/**
 * What a layer gives out.
 *
 * @param layer any layer
 * @returns shape of its activations
 * @example outputShape({ type: 'maxpool1d', length: 25, channels: 8, pool: 2, stride: 2 }) // { length: 12, channels: 8 }
 */
export function outputShape(layer: FloatLayer): Shape {
  if (layer.type === 'dense') return { length: 1, channels: layer.outputs };
  if (layer.type === 'conv1d') {
    const length =
      layer.padding === 'same'
        ? Math.ceil(layer.length / layer.stride)
        : Math.floor((layer.length - layer.kernel) / layer.stride) + 1;
    return { length, channels: layer.filters };
  }
  const length = Math.floor((layer.length - layer.pool) / layer.stride) + 1;
  return { length, channels: layer.channels };
}

/**
 * Zeros that a convolution reads before and after its input.
 *
 * @param layer a convolution
 * @returns steps on the left and on the right; the odd one is on the right
 * @source TensorFlow, SAME padding
 * @example padding({ length: 50, kernel: 5, stride: 2, padding: 'same' }) // { left: 1, right: 2 }
 */
export function padding(layer: Pick<FloatConv1d, 'length' | 'kernel' | 'stride' | 'padding'>): {
  left: number;
  right: number;
} {
  if (layer.padding === 'valid') return { left: 0, right: 0 };
  const steps = Math.ceil(layer.length / layer.stride);
  const total = Math.max((steps - 1) * layer.stride + layer.kernel - layer.length, 0);
  const left = Math.floor(total / 2);
  return { left, right: total - left };
}

/**
 * Numbers in one output of the net.
 *
 * @param net the net
 * @returns length × channels of the last layer, or of the input where there is none
 */
export function outputSize(net: FloatNet): number {
  const shape = net.layers.length === 0 ? net.input : outputShape(net.layers.at(-1)!);
  return shape.length * shape.channels;
}

/**
 * A copy that shares no weights with the original.
 *
 * @param net the net
 * @returns its deep copy
 */
export function cloneNet(net: FloatNet): FloatNet {
  const layers = net.layers.map((layer) =>
    'weights' in layer
      ? { ...layer, weights: layer.weights.slice(), bias: layer.bias.slice() }
      : { ...layer },
  );
  return { input: { ...net.input }, layers };
}

/**
 * Cuts a net in two; weights are shared, not copied.
 *
 * @param net the net
 * @param cut number of layers in the first half
 * @returns backbone (input side) and head
 * @throws RangeError if the cut is not within the net
 */
export function splitNet(net: FloatNet, cut: number): { backbone: FloatNet; head: FloatNet } {
  if (!Number.isInteger(cut) || cut < 0 || cut > net.layers.length) {
    throw new RangeError(`cut ${cut} is not within a net of ${net.layers.length} layers`);
  }
  const layers = net.layers.slice(0, cut);
  const input = layers.length === 0 ? net.input : outputShape(layers.at(-1)!);
  return {
    backbone: { input: net.input, layers },
    head: { input, layers: net.layers.slice(cut) },
  };
}

function positive(what: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) {
    throw new RangeError(`${what} is ${value}, but must be a positive integer`);
  }
  return value;
}
