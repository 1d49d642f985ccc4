import { setImmediate } from 'node:timers/promises';
import { GatewayError } from '../errors.ts';
import { createRandom } from '../random.ts';
import { cloneNet, type FloatNet, outputSize, splitNet } from './net.ts';

/** What is learnt: n samples; whole numbers in `y` are classes, floats are targets to regress on. */
export interface TrainData {
  /** [n][length][channels] of the net's input */
  x: Float32Array;
  /** [n] classes (softmax cross-entropy), or [n][outputs] targets (mean squared error) */
  y: Int32Array | Float32Array;
  /** [n] importance of each sample; 1 where absent */
  weight?: Float32Array;
  n: number;
}

/** What is minimised besides the error on the samples. */
export interface LossOptions {
  /** Penalty l2/2·Σw² on weights (not biases), one for all layers or one a layer. */
  l2: number | readonly number[];
  /** Share of each label spread over all classes, in [0, 1); classes only. */
  labelSmoothing: number;
}

export interface FitOptions extends LossOptions {
  epochs: number;
  /** samples a step */
  batch: number;
  /** Adam's step size */
  learningRate: number;
  /** decides the order of the samples, the same in every backend */
  seed: number;
  /** layers from the input on that stay as they are */
  frozen: number;
  signal?: AbortSignal;
}

/** Told after each epoch: its number from 1, and the mean weighted error without the penalty. */
export interface Progress {
  epoch: number;
  loss: number;
}

/** One way to train. All of them give the same gradients, in the same order of samples. */
export interface Backend {
  readonly name: string;
  /** Trains a copy; yields after each epoch, returns the trained net. */
  fit(net: FloatNet, data: TrainData, options: FitOptions): AsyncGenerator<Progress, FloatNet>;
  /** Gradient of the mean loss: weights, then bias, for each layer that has them. */
  gradients(net: FloatNet, data: TrainData, options?: Partial<LossOptions>): Float32Array[];
  /** Outputs [n][outputs] before any softmax. */
  predict(net: FloatNet, x: Float32Array, n: number): Float32Array;
}

/** Adam's constants; tfjs' defaults, so that both backends take the same steps. */
export const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } as const;

/**
 * Runs a training to its end.
 *
 * @param backend who trains
 * @param net where to start; not changed
 * @param data samples
 * @param options how
 * @param onProgress called after each epoch
 * @returns the trained net
 * @throws GatewayError 'cancelled' when the signal is raised
 */
export async function train(
  backend: Backend,
  net: FloatNet,
  data: TrainData,
  options: FitOptions,
  onProgress?: (progress: Progress) => void,
): Promise<FloatNet> {
  const run = backend.fit(net, data, options);
  for (;;) {
    const step = await run.next();
    if (step.done) return step.value;
    onProgress?.(step.value);
  }
}

/**
 * Checks that data, net and options fit together, once, before the quick loops trust them.
 *
 * @param net the net to be trained
 * @param data its samples
 * @throws RangeError naming what does not fit
 */
export function checkData(net: FloatNet, data: TrainData): void {
  const inputs = net.input.length * net.input.channels;
  const outputs = outputSize(net);
  const { x, y, n, weight } = data;
  if (!Number.isInteger(n) || n < 1) throw new RangeError(`nothing to train on: n is ${n}`);
  expectLength('x', x, n * inputs);
  if (weight !== undefined) expectLength('weight', weight, n);
  expectLength('y', y, y instanceof Int32Array ? n : n * outputs);
  if (y instanceof Int32Array) {
    for (const label of y) {
      if (label < 0 || label >= outputs) {
        throw new RangeError(`class ${label} is not among the ${outputs} outputs of the net`);
      }
    }
  }
}

function expectLength(name: string, array: { length: number }, length: number): void {
  if (array.length !== length) {
    throw new RangeError(`${name} holds ${array.length} numbers, but ${length} are needed`);
  }
}

/**
 * The penalty of each layer.
 *
 * @param l2 one for all, or one a layer
 * @param layers how many layers
 * @returns one a layer
 * @throws RangeError if there are too few or too many, or one is negative
 * @example layerPenalties(0.1, 2) // [0.1, 0.1]
 */
export function layerPenalties(l2: number | readonly number[], layers: number): number[] {
  const all = typeof l2 === 'number' ? new Array<number>(layers).fill(l2) : [...l2];
  if (all.length !== layers) {
    throw new RangeError(`${all.length} penalties for ${layers} layers`);
  }
  if (!all.every((value) => value >= 0)) throw new RangeError(`l2 is negative in [${all}]`);
  return all;
}

/** A trainer of every layer it is given, one batch at a time. */
export interface Stepper {
  /** One Adam step on the samples `order[from…to)`; returns the sum of their weighted errors. */
  step(order: Int32Array, from: number, to: number): number;
  /** The net as trained so far. */
  finish(): FloatNet;
  dispose(): void;
}

/**
 * The loop common to all backends: frozen layers are run once, epochs are shuffled by the seed, the
 * event loop breathes, the signal is heeded.
 *
 * @param backend who predicts the frozen layers' outputs
 * @param net where to start
 * @param data samples
 * @param options how
 * @param begin makes a stepper for the layers that learn
 * @returns progress by epoch, at the end the whole net
 * @throws GatewayError 'cancelled' when the signal is raised
 * @throws RangeError when data or options do not fit, or the loss leaves the numbers
 */
export async function* fitByEpochs(
  backend: Backend,
  net: FloatNet,
  data: TrainData,
  options: FitOptions,
  begin: (net: FloatNet, data: TrainData, penalties: number[]) => Stepper,
): AsyncGenerator<Progress, FloatNet> {
  checkData(net, data);
  checkOptions(options);
  const { backbone, head } = splitNet(net, options.frozen);
  const penalties = layerPenalties(options.l2, net.layers.length).slice(options.frozen);
  // frozen layers give the same outputs in every epoch
  const x = options.frozen === 0 ? data.x : backend.predict(backbone, data.x, data.n);
  const random = createRandom(options.seed);
  const order = Int32Array.from({ length: data.n }, (_, i) => i);
  const stepper = begin(head, { ...data, x }, penalties);
  try {
    let breath = performance.now();
    for (let epoch = 1; epoch <= options.epochs; epoch++) {
      random.shuffle(order);
      let loss = 0;
      for (let from = 0; from < data.n; from += options.batch) {
        heed(options.signal);
        loss += stepper.step(order, from, Math.min(from + options.batch, data.n));
        if (performance.now() - breath > BREATH_MS) {
          await setImmediate();
          breath = performance.now();
        }
      }
      if (!Number.isFinite(loss)) {
        throw new RangeError(`the loss is ${loss} in epoch ${epoch}: lower the learning rate`);
      }
      heed(options.signal);
      yield { epoch, loss: loss / data.n };
    }
    const layers = [...backbone.layers, ...stepper.finish().layers];
    return cloneNet({ input: net.input, layers });
  } finally {
    stepper.dispose();
  }
}

/** The longest that training keeps the gateway's other work waiting; one frame of a status page. */
const BREATH_MS = 16;

/**
 * Stops what somebody wants to end.
 *
 * @param what is cancelled then, for people
 * @throws GatewayError 'cancelled' when the signal is raised
 */
export function heed(signal: AbortSignal | undefined, what = 'the training'): void {
  if (signal?.aborted) {
    throw new GatewayError('cancelled', `${what} was cancelled`, { cause: signal.reason });
  }
}

function checkOptions(options: FitOptions): void {
  const { epochs, batch, learningRate, labelSmoothing } = options;
  if (!Number.isInteger(epochs) || epochs < 1) throw new RangeError(`epochs is ${epochs}`);
  if (!Number.isInteger(batch) || batch < 1) throw new RangeError(`batch is ${batch}`);
  if (!(learningRate > 0)) throw new RangeError(`learningRate is ${learningRate}`);
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new RangeError(`labelSmoothing is ${labelSmoothing}, but must be in [0, 1)`);
  }
}
