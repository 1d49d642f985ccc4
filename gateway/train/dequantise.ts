import type { FloatLayer } from './net.ts';
import type { QuantLayer } from './quant-layer.ts';

/**
 * The float layer that an int8 one stands for: where training starts from a model that runs.
 *
 * @param layer with its scales
 * @returns weights and biases in real numbers, shared with nobody
 * @source TensorFlow Lite 8-bit quantization specification: real = scale · int8, bias scale = input · weight
 */
export function dequantiseLayer(layer: QuantLayer): FloatLayer {
  if (!('weights' in layer)) return { ...layer };
  const rows = layer.bias.length;
  const row = layer.weights.length / rows;
  const scaleOf = (r: number): number => layer.weightScale[layer.weightScale.length === 1 ? 0 : r]!;
  const weights = Float32Array.from(layer.weights, (w, i) => w * scaleOf(Math.floor(i / row)));
  const bias = Float32Array.from(layer.bias, (b, r) => b * scaleOf(r) * layer.inputScale);
  const { relu } = layer;
  if (layer.type === 'dense') {
    const { inputs, outputs } = layer;
    return { type: 'dense', inputs, outputs, weights, bias, relu };
  }
  const { length, channels, filters, kernel, stride, padding } = layer;
  return {
    type: 'conv1d',
    length,
    channels,
    filters,
    kernel,
    stride,
    padding,
    weights,
    bias,
    relu,
  };
}
