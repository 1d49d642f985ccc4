import { type BuiltinLayer, buildLayer, type Parameter } from './builtin-layers.ts';
import { softmaxLoss, squaredLoss } from './builtin-loss.ts';
import { type FloatNet, outputSize } from './net.ts';
import {
  ADAM,
  type Backend,
  checkData,
  fitByEpochs,
  layerPenalties,
  type Stepper,
  type TrainData,
} from './trainer.ts';

/**
 * Trains the layers that Whetstone ships, on typed arrays: no graph, no tensors, no allocation after
 * the start. For nets of a microcontroller's size it beats a tensor library, whose cost is in the
 * bookkeeping of each operation.
 */
export const builtin: Backend = {
  name: 'builtin',

  fit(net, data, options) {
    return fitByEpochs(builtin, net, data, options, (head, samples, penalties) =>
      begin(head, samples, penalties, options.batch, options.learningRate, options.labelSmoothing),
    );
  },

  gradients(net, data, options = {}) {
    checkData(net, data);
    const penalties = layerPenalties(options.l2 ?? 0, net.layers.length);
    const run = createRun(net, data, penalties, data.n, options.labelSmoothing ?? 0);
    run.backward(
      Int32Array.from({ length: data.n }, (_, i) => i),
      0,
      data.n,
    );
    return run.parameters.map(({ gradient }) => Float32Array.from(gradient));
  },

  predict(net, x, n) {
    const inputs = net.input.length * net.input.channels;
    const size = outputSize(net);
    if (x.length !== n * inputs) throw new RangeError(`x holds ${x.length} of ${n * inputs}`);
    const result = new Float32Array(n * size);
    const batch = Math.min(n, PREDICT_BATCH);
    const layers = net.layers.map((layer) => buildLayer(layer, batch));
    for (let from = 0; from < n; from += batch) {
      const count = Math.min(batch, n - from);
      let values = Float64Array.from(x.subarray(from * inputs, (from + count) * inputs));
      for (const layer of layers) {
        layer.forward(values, count);
        values = layer.output as Float64Array<ArrayBuffer>;
      }
      result.set(values.subarray(0, count * size), from * size);
    }
    return result;
  },
};

/** Samples predicted at a time; bounds the memory, and the activations stay in the cache. */
const PREDICT_BATCH = 64;

interface Run {
  parameters: Parameter[];
  /** Writes the gradients of one batch; returns the sum of its weighted errors. */
  backward(order: Int32Array, from: number, to: number): number;
  layers: BuiltinLayer[];
}

function createRun(
  net: FloatNet,
  data: TrainData,
  penalties: number[],
  batch: number,
  smoothing: number,
): Run {
  const inputs = net.input.length * net.input.channels;
  const size = outputSize(net);
  const layers = net.layers.map((layer) => buildLayer(layer, batch));
  if (layers.length === 0) throw new RangeError('no layer is left to train');
  const top = layers[layers.length - 1];
  const x = new Float64Array(batch * inputs);
  const weight = new Float64Array(batch).fill(1);
  const isClasses = data.y instanceof Int32Array;
  const labels = new Int32Array(batch);
  const targets = new Float64Array(isClasses ? 0 : batch * size);

  const gather = (order: Int32Array, from: number, to: number): void => {
    for (let s = from; s < to; s++) {
      const source = order[s];
      const row = s - from;
      for (let i = 0; i < inputs; i++) x[row * inputs + i] = data.x[source * inputs + i];
      if (data.weight !== undefined) weight[row] = data.weight[source];
      if (isClasses) labels[row] = data.y[source];
      else for (let i = 0; i < size; i++) targets[row * size + i] = data.y[source * size + i];
    }
  };

  return {
    layers,
    parameters: layers.flatMap((layer) => layer.parameters),
    backward(order, from, to) {
      const n = to - from;
      gather(order, from, to);
      for (let l = 0; l < layers.length; l++) {
        layers[l].forward(l === 0 ? x : layers[l - 1].output, n);
      }
      const loss = isClasses
        ? softmaxLoss(top.output, top.outputGradient, labels, weight, n, size, smoothing)
        : squaredLoss(top.output, top.outputGradient, targets, weight, n, size);
      for (let l = layers.length - 1; l >= 0; l--) {
        const [weights, bias] = layers[l].parameters;
        if (weights !== undefined) {
          for (let i = 0; i < weights.value.length; i++) {
            weights.gradient[i] = penalties[l] * weights.value[i];
          }
          bias.gradient.fill(0);
        }
        const below = l === 0 ? undefined : layers[l - 1];
        layers[l].backward(below?.output ?? x, below?.outputGradient, n);
      }
      return loss;
    },
  };
}

function begin(
  net: FloatNet,
  data: TrainData,
  penalties: number[],
  batch: number,
  learningRate: number,
  smoothing: number,
): Stepper {
  const run = createRun(net, data, penalties, Math.min(batch, data.n), smoothing);
  const moments = run.parameters.map(({ value }) => ({
    mean: new Float64Array(value.length),
    square: new Float64Array(value.length),
  }));
  let steps = 0;
  return {
    step(order, from, to) {
      const loss = run.backward(order, from, to);
      steps += 1;
      const meanScale = 1 / (1 - ADAM.beta1 ** steps);
      const squareScale = 1 / (1 - ADAM.beta2 ** steps);
      for (let p = 0; p < moments.length; p++) {
        const { value, gradient } = run.parameters[p];
        const { mean, square } = moments[p];
        adam(value, gradient, mean, square, learningRate, meanScale, squareScale);
      }
      return loss;
    },
    finish() {
      const layers = net.layers.map((layer, l) => {
        if (!('weights' in layer)) return { ...layer };
        const [weights, bias] = run.layers[l].parameters;
        return {
          ...layer,
          weights: Float32Array.from(weights.value),
          bias: Float32Array.from(bias.value),
        };
      });
      return { input: net.input, layers };
    },
    dispose() {},
  };
}

// Kingma and Ba 2015, algorithm 1
function adam(
  value: Float64Array,
  gradient: Float64Array,
  mean: Float64Array,
  square: Float64Array,
  learningRate: number,
  meanScale: number,
  squareScale: number,
): void {
  const { beta1, beta2, epsilon } = ADAM;
  for (let i = 0; i < value.length; i++) {
    const g = gradient[i];
    const m = beta1 * mean[i] + (1 - beta1) * g;
    const v = beta2 * square[i] + (1 - beta2) * g * g;
    mean[i] = m;
    square[i] = v;
    value[i] -= (learningRate * m * meanScale) / (Math.sqrt(v * squareScale) + epsilon);
  }
}
