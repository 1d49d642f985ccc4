import type { FloatLayer } from './net.ts';
import type { QuantLayer } from './quant-layer.ts';

/**
 * Whether the trainer can learn, or pass through, a layer: those that an imported model brings beyond
 * the tasks' own stay frozen.
 *
 * @example canTrain({ type: 'softmax', size: 2, input: { scale: 1, zero: 0 }, beta: 1 }) // false
 */
export function canTrain(layer: QuantLayer): boolean {
  if (layer.from !== undefined) return false;
  if (layer.type === 'dense') return layer.activation !== 'relu6';
  if (layer.type === 'conv2d') return layer.height === 1 && layer.activation !== 'relu6';
  const pool = layer.type === 'maxpool2d' || layer.type === 'avgpool2d';
  return pool && layer.height === 1 && layer.padding === 'valid' && layer.activation === 'none';
}

/**
 * The float layer that an int8 one stands for: where training starts from a model that runs.
 *
 * @param layer one that canTrain() takes
 * @returns weights and biases in real numbers, shared with nobody
 * @throws RangeError for a layer that the trainer has no form for
 * @source TensorFlow Lite 8-bit quantization specification: real = scale · int8, bias scale = input · weight
 */
export function dequantiseLayer(layer: QuantLayer): FloatLayer {
  if (canTrain(layer) && (layer.type === 'maxpool2d' || layer.type === 'avgpool2d')) {
    const { width: length, channels, kernelWidth: pool, strideWidth: stride } = layer;
    const type = layer.type === 'maxpool2d' ? 'maxpool1d' : 'avgpool1d';
    return { type, length, channels, pool, stride };
  }
  if (!canTrain(layer) || (layer.type !== 'dense' && layer.type !== 'conv2d')) {
    throw new RangeError(`a ${layer.type} layer of this kind cannot be trained`);
  }
  const rows = layer.bias.length;
  const row = layer.weights.length / rows;
  const scaleOf = (r: number): number => layer.weightScale[layer.weightScale.length === 1 ? 0 : r]!;
  const weights = Float32Array.from(layer.weights, (w, i) => w * scaleOf(Math.floor(i / row)));
  const bias = Float32Array.from(layer.bias, (b, r) => b * scaleOf(r) * layer.input.scale);
  const relu = layer.activation === 'relu';
  if (layer.type === 'dense') {
    const { inputs, outputs } = layer;
    return { type: 'dense', inputs, outputs, weights, bias, relu };
  }
  const { width: length, channels, filters, padding } = layer;
  const [kernel, stride] = [layer.kernelWidth, layer.strideWidth];
  const shape = { length, channels, filters, kernel, stride, padding };
  return { type: 'conv1d', ...shape, weights, bias, relu };
}
