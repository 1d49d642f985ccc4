import { forwardRows, inputGradientRows, type Rows, weightGradientRows } from './builtin-rows.ts';
import {
  type FloatConv1d,
  type FloatDense,
  type FloatLayer,
  type FloatPool,
  outputShape,
  padding,
} from './net.ts';

/** A tensor that learns, with its gradient. */
export interface Parameter {
  value: Float64Array;
  gradient: Float64Array;
}

/** A layer set up for batches of a bounded size; all its memory is taken at the start. */
export interface BuiltinLayer {
  /** outputs of the last forward pass, [batch][outputs] */
  output: Float64Array;
  /** gradient of the outputs: written by the layer above, spent by backward */
  outputGradient: Float64Array;
  /** numbers in one sample's output */
  size: number;
  /** weights, biases; none for pools */
  parameters: Parameter[];
  forward(x: Float64Array, n: number): void;
  /** Adds to the parameters' gradients; writes the input's where it is asked for. */
  backward(x: Float64Array, dx: Float64Array | undefined, n: number): void;
}

/**
 * Sets a layer up for training.
 *
 * @param layer its shape and its starting weights, which are copied
 * @param batch most samples in a batch
 * @returns the layer, ready to run
 */
export function buildLayer(layer: FloatLayer, batch: number): BuiltinLayer {
  if (layer.type === 'dense') return buildDense(layer, batch);
  if (layer.type === 'conv1d') return buildConv(layer, batch);
  return buildPool(layer, batch);
}

function parameters(layer: FloatDense | FloatConv1d): [Parameter, Parameter] {
  const of = (values: Float32Array): Parameter => ({
    value: Float64Array.from(values),
    gradient: new Float64Array(values.length),
  });
  return [of(layer.weights), of(layer.bias)];
}

function rectify(output: Float64Array, count: number): void {
  for (let i = 0; i < count; i++) if (output[i] < 0) output[i] = 0;
}

// a ReLU passes the gradient of what it passed
function maskRelu(output: Float64Array, gradient: Float64Array, count: number): void {
  for (let i = 0; i < count; i++) if (output[i] <= 0) gradient[i] = 0;
}

function buildDense(layer: FloatDense, batch: number): BuiltinLayer {
  const { inputs, outputs, relu } = layer;
  const [weights, bias] = parameters(layer);
  const output = new Float64Array(batch * outputs);
  const outputGradient = new Float64Array(batch * outputs);
  const rows: Rows = { count: 0, length: inputs, xStart: 0, xStride: inputs, yStart: 0, outputs };
  return {
    output,
    outputGradient,
    size: outputs,
    parameters: [weights, bias],
    forward(x, n) {
      rows.count = n;
      forwardRows(rows, x, weights.value, bias.value, output);
      if (relu) rectify(output, n * outputs);
    },
    backward(x, dx, n) {
      rows.count = n;
      if (relu) maskRelu(output, outputGradient, n * outputs);
      weightGradientRows(rows, x, outputGradient, weights.gradient, bias.gradient);
      if (dx === undefined) return;
      dx.fill(0, 0, n * inputs);
      inputGradientRows(rows, weights.value, outputGradient, dx);
    },
  };
}

function buildConv(layer: FloatConv1d, batch: number): BuiltinLayer {
  const { length, channels, filters, kernel, stride, relu } = layer;
  const [weights, bias] = parameters(layer);
  const { left, right } = padding(layer);
  const steps = outputShape(layer).length;
  const size = steps * filters;
  const inputs = length * channels;
  const wide = (left + length + right) * channels;
  const isPadded = left + right > 0;
  // the borders of the padded copy are zero from the start and are never written
  const padded = new Float64Array(isPadded ? batch * wide : 0);
  const paddedGradient = new Float64Array(isPadded ? batch * wide : 0);
  const output = new Float64Array(batch * size);
  const outputGradient = new Float64Array(batch * size);
  const rows: Rows = {
    count: steps,
    length: kernel * channels,
    xStart: 0,
    xStride: stride * channels,
    yStart: 0,
    outputs: filters,
  };
  const at = (sample: number): Rows => {
    rows.xStart = sample * wide;
    rows.yStart = sample * size;
    return rows;
  };
  return {
    output,
    outputGradient,
    size,
    parameters: [weights, bias],
    forward(x, n) {
      if (isPadded) {
        for (let s = 0; s < n; s++) {
          const from = s * inputs;
          const to = s * wide + left * channels;
          for (let i = 0; i < inputs; i++) padded[to + i] = x[from + i];
        }
      }
      const source = isPadded ? padded : x;
      for (let s = 0; s < n; s++) {
        forwardRows(at(s), source, weights.value, bias.value, output);
      }
      if (relu) rectify(output, n * size);
    },
    backward(x, dx, n) {
      if (relu) maskRelu(output, outputGradient, n * size);
      const source = isPadded ? padded : x;
      for (let s = 0; s < n; s++) {
        weightGradientRows(at(s), source, outputGradient, weights.gradient, bias.gradient);
      }
      if (dx === undefined) return;
      const target = isPadded ? paddedGradient : dx;
      target.fill(0, 0, n * wide);
      for (let s = 0; s < n; s++) {
        inputGradientRows(at(s), weights.value, outputGradient, target);
      }
      if (!isPadded) return;
      for (let s = 0; s < n; s++) {
        const from = s * wide + left * channels;
        const to = s * inputs;
        for (let i = 0; i < inputs; i++) dx[to + i] = paddedGradient[from + i];
      }
    },
  };
}

function buildPool(layer: FloatPool, batch: number): BuiltinLayer {
  const { length, channels, pool, stride } = layer;
  const isMax = layer.type === 'maxpool1d';
  const steps = outputShape(layer).length;
  const size = steps * channels;
  const inputs = length * channels;
  const output = new Float64Array(batch * size);
  const outputGradient = new Float64Array(batch * size);
  // where each maximum came from
  const source = new Int32Array(isMax ? batch * size : 0);
  return {
    output,
    outputGradient,
    size,
    parameters: [],
    forward(x, n) {
      for (let s = 0; s < n; s++) {
        for (let t = 0; t < steps; t++) {
          for (let c = 0; c < channels; c++) {
            const from = s * inputs + t * stride * channels + c;
            const to = s * size + t * channels + c;
            let value = x[from];
            let best = from;
            for (let k = 1; k < pool; k++) {
              const next = x[from + k * channels];
              if (!isMax) value += next;
              else if (next > value) {
                value = next;
                best = from + k * channels;
              }
            }
            output[to] = isMax ? value : value / pool;
            if (isMax) source[to] = best;
          }
        }
      }
    },
    backward(_x, dx, n) {
      if (dx === undefined) return;
      dx.fill(0, 0, n * inputs);
      for (let s = 0; s < n; s++) {
        for (let t = 0; t < steps; t++) {
          for (let c = 0; c < channels; c++) {
            const to = s * size + t * channels + c;
            const gradient = outputGradient[to];
            if (isMax) {
              dx[source[to]] += gradient;
              continue;
            }
            const from = s * inputs + t * stride * channels + c;
            for (let k = 0; k < pool; k++) dx[from + k * channels] += gradient / pool;
          }
        }
      }
    },
  };
}
