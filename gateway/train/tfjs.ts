import type * as TensorFlow from '@tensorflow/tfjs';
import { type FloatLayer, type FloatNet, outputShape, outputSize } from './net.ts';
import {
  ADAM,
  type Backend,
  checkData,
  fitByEpochs,
  layerPenalties,
  type Stepper,
  type TrainData,
} from './trainer.ts';

export type Tf = typeof TensorFlow;

/**
 * The same training on TensorFlow.js: the oracle of the built-in trainer, and the way to a GPU.
 *
 * @param tf the library, loaded (see backends.ts)
 * @param name what to call this backend
 * @returns the backend
 */
export function createTensorFlowBackend(tf: Tf, name: string): Backend {
  const backend: Backend = {
    name,

    fit(net, data, options) {
      return fitByEpochs(backend, net, data, options, (head, samples, penalties) => {
        const run = createRun(tf, head, samples, penalties, options.labelSmoothing);
        const { beta1, beta2, epsilon } = ADAM;
        const optimizer = tf.train.adam(options.learningRate, beta1, beta2, epsilon);
        const stepper: Stepper = {
          step: (order, from, to) =>
            tf.tidy(() => {
              const { grads, error } = run.gradients(order.slice(from, to));
              optimizer.applyGradients(
                grads as TensorFlow.NamedTensorMap & { [name: string]: TensorFlow.Variable },
              );
              return error * (to - from);
            }),
          finish: run.finish,
          dispose() {
            optimizer.dispose();
            run.dispose();
          },
        };
        return stepper;
      });
    },

    gradients(net, data, options = {}) {
      checkData(net, data);
      const penalties = layerPenalties(options.l2 ?? 0, net.layers.length);
      const run = createRun(tf, net, data, penalties, options.labelSmoothing ?? 0);
      try {
        return tf.tidy(() => {
          const { grads } = run.gradients(Int32Array.from({ length: data.n }, (_, i) => i));
          return run.read((variable) => grads[variable.name]);
        });
      } finally {
        run.dispose();
      }
    },

    predict(net, x, n) {
      const variables = createVariables(tf, net);
      try {
        return tf.tidy(() => {
          const input = tf.tensor2d(x, [n, net.input.length * net.input.channels]);
          return forward(tf, net, variables, input).dataSync() as Float32Array;
        });
      } finally {
        tf.dispose(variables);
      }
    },
  };
  return backend;
}

type Variables = ([TensorFlow.Variable, TensorFlow.Variable] | [])[];

interface Run {
  /** Gradients and mean weighted error of the samples named. */
  gradients(samples: Int32Array): { grads: TensorFlow.NamedTensorMap; error: number };
  /** Tensors of all variables, in the layout of FloatNet: weights, then bias, layer by layer. */
  read(of: (variable: TensorFlow.Variable) => TensorFlow.Tensor): Float32Array[];
  finish(): FloatNet;
  dispose(): void;
}

function createRun(
  tf: Tf,
  net: FloatNet,
  data: TrainData,
  penalties: number[],
  smoothing: number,
): Run {
  if (net.layers.length === 0) throw new RangeError('no layer is left to train');
  const size = outputSize(net);
  const variables = createVariables(tf, net);
  const inputs = net.input.length * net.input.channels;
  const x = tf.tensor2d(data.x, [data.n, inputs]);
  const weight = tf.tensor1d(data.weight ?? new Float32Array(data.n).fill(1));
  const targets = tf.tidy(() =>
    data.y instanceof Int32Array
      ? tf
          .oneHot(tf.tensor1d(data.y, 'int32'), size)
          .mul(1 - smoothing)
          .add(smoothing / size)
      : tf.tensor2d(data.y, [data.n, size]),
  );

  const errorOf = (samples: TensorFlow.Tensor1D): TensorFlow.Scalar => {
    const outputs = forward(tf, net, variables, tf.gather(x, samples));
    const wanted = tf.gather(targets, samples);
    const errors =
      data.y instanceof Int32Array
        ? wanted.mul(tf.logSoftmax(outputs)).sum(1).neg()
        : tf.mean(tf.square(tf.sub(outputs, wanted)), 1);
    return tf.mean(tf.mul(errors, tf.gather(weight, samples))) as TensorFlow.Scalar;
  };
  const penaltyOf = (): TensorFlow.Scalar[] =>
    variables.flatMap(([weights], l) =>
      weights === undefined || penalties[l] === 0
        ? []
        : [
            weights
              .square()
              .sum()
              .mul(penalties[l] / 2) as TensorFlow.Scalar,
          ],
    );

  const read: Run['read'] = (of) =>
    variables.flatMap((pair, l) => {
      const [weights, bias] = pair;
      if (weights === undefined || bias === undefined) return [];
      const values = tf.tidy(() => toLayout(net.layers[l], of(weights)).dataSync());
      return [values as Float32Array, of(bias).dataSync() as Float32Array];
    });

  return {
    gradients(samples) {
      const indices = tf.tensor1d(samples, 'int32');
      const learning = variables.flat();
      let error: TensorFlow.Scalar | undefined;
      const { grads } = tf.variableGrads(() => {
        const found = errorOf(indices);
        error = tf.keep(found);
        return [found, ...penaltyOf()].reduce((a, b) => a.add(b));
      }, learning);
      const value = error!.dataSync()[0];
      error!.dispose();
      return { grads, error: value };
    },
    read,
    finish() {
      const values = read((variable) => variable);
      const layers = net.layers.map((layer) => {
        if (!('weights' in layer)) return { ...layer };
        // dataSync may hand out its own memory: copy
        return { ...layer, weights: values.shift()!.slice(), bias: values.shift()!.slice() };
      });
      return { input: net.input, layers };
    },
    dispose() {
      tf.dispose([x, weight, targets]);
      tf.dispose(variables);
    },
  };
}

// tf.conv1d wants [kernel][in][out]; kept so during training, turned only at its ends
function toLayout(layer: FloatLayer, weights: TensorFlow.Tensor): TensorFlow.Tensor {
  return layer.type === 'conv1d' ? weights.transpose([2, 0, 1]) : weights;
}

function createVariables(tf: Tf, net: FloatNet): Variables {
  return net.layers.map((layer) =>
    tf.tidy((): [TensorFlow.Variable, TensorFlow.Variable] | [] => {
      if (!('weights' in layer)) return [];
      // copied: the cpu backend keeps the array it is given
      const bias = tf.variable(tf.tensor1d(layer.bias.slice()));
      if (layer.type === 'dense') {
        const shape: [number, number] = [layer.outputs, layer.inputs];
        return [tf.variable(tf.tensor2d(layer.weights.slice(), shape)), bias];
      }
      const shape: [number, number, number] = [layer.filters, layer.kernel, layer.channels];
      return [tf.variable(tf.tensor3d(layer.weights, shape).transpose([1, 2, 0])), bias];
    }),
  );
}

function forward(
  tf: Tf,
  net: FloatNet,
  variables: Variables,
  x: TensorFlow.Tensor2D,
): TensorFlow.Tensor2D {
  const n = x.shape[0];
  let values: TensorFlow.Tensor = x;
  for (const [l, layer] of net.layers.entries()) {
    const [weights, bias] = variables[l];
    if (layer.type === 'dense') {
      values = values.reshape([n, layer.inputs]).matMul(weights!, false, true).add(bias!);
    } else if (layer.type === 'conv1d') {
      const steps = values.reshape([n, layer.length, layer.channels]) as TensorFlow.Tensor3D;
      const kernel = weights as unknown as TensorFlow.Tensor3D;
      values = tf.conv1d(steps, kernel, layer.stride, layer.padding).add(bias!);
    } else {
      const image = values.reshape([n, 1, layer.length, layer.channels]) as TensorFlow.Tensor4D;
      const pool = layer.type === 'maxpool1d' ? tf.maxPool : tf.avgPool;
      values = pool(image, [1, layer.pool], [1, layer.stride], 'valid');
    }
    if ('relu' in layer && layer.relu) values = values.relu();
  }
  const last = net.layers.at(-1);
  const shape = last === undefined ? net.input : outputShape(last);
  return values.reshape([n, shape.length * shape.channels]);
}
