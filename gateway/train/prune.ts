import type { LayerSpec } from '../task.ts';
import { softmaxLoss, squaredLoss } from './builtin-loss.ts';
import { type FloatLayer, type FloatNet, splitNet } from './net.ts';
import { type Backend, type FitOptions, type TrainData, train } from './trainer.ts';

/**
 * Share of a layer's units that stays at each step: what is left is trained again before the next
 * ones go, since importance changes with every removal.
 *
 * @source Han et al. 2015, section 3.4: iterative pruning beats one aggressive step
 */
const KEPT = 0.75;
/** Each step trains again for this share of the epochs, at the same learning rate; the last for more. */
const AGAIN = 1 / 6;
const LAST = 1 / 2;
/** Samples that judge importance, for the time that it takes. */
const JUDGES = 128;

/**
 * Units of each layer that is left after one step of pruning.
 *
 * @param units now
 * @param target never below this
 * @example nextWidth(32, 1) // 24
 * @example nextWidth(3, 1) // 2
 */
export function nextWidth(units: number, target: number): number {
  return Math.max(target, Math.min(units - 1, Math.floor(units * KEPT)));
}

/** Units or filters of a layer; 0 of a pool. */
function widthOf(layer: FloatLayer): number {
  return 'weights' in layer ? layer.bias.length : 0;
}

/**
 * The widths to which the task's layers are pruned, and the layers as they are trained before.
 *
 * @param specs layers; those with `prunedFrom` are trained so wide
 * @returns the wide layers, and the final width of each (0: a pool); null where none is pruned
 * @example pruning([{ type: 'dense', units: 5, activation: 'relu', prunedFrom: 16 }])?.widths // [5]
 */
export function pruning(
  specs: readonly LayerSpec[],
): { wide: LayerSpec[]; widths: number[] } | null {
  if (specs.every((spec) => !('prunedFrom' in spec) || spec.prunedFrom === undefined)) return null;
  const wide = specs.map((spec): LayerSpec => {
    if (spec.type === 'dense') return { ...spec, units: spec.prunedFrom ?? spec.units };
    if (spec.type === 'conv1d') return { ...spec, filters: spec.prunedFrom ?? spec.filters };
    return spec;
  });
  const widths = specs.map((spec) =>
    spec.type === 'dense' ? spec.units : spec.type === 'conv1d' ? spec.filters : 0,
  );
  return { wide, widths };
}

/**
 * Removes whole units of a dense layer or filters of a convolution, and the weights that read them:
 * a smaller net of the same kind. Where what is removed was zero, both nets give the same.
 *
 * @param net not changed
 * @param at index of the layer; another with weights must follow
 * @param keep indices of the units that stay, rising
 * @returns the smaller net, sharing nothing with the first
 * @throws RangeError if nothing would stay, an index is none, or no layer reads the units
 */
export function removeUnits(net: FloatNet, at: number, keep: readonly number[]): FloatNet {
  const layer = net.layers[at];
  const reader = net.layers.findIndex((other, i) => i > at && 'weights' in other);
  if (layer === undefined || !('weights' in layer) || reader < 0) {
    throw new RangeError(`layer ${at} has no units that a later layer reads`);
  }
  const rising = keep.every((unit, i) => unit > (keep[i - 1] ?? -1) && unit < widthOf(layer));
  if (keep.length === 0 || !rising) throw new RangeError(`units [${keep}] cannot be kept`);
  const size = layer.weights.length / widthOf(layer);
  const kept = {
    weights: gathered(layer.weights, size, keep),
    bias: Float32Array.from(keep, (unit) => layer.bias[unit]!),
  };
  const layers = net.layers.map((other, i): FloatLayer => {
    if (i === at) {
      return layer.type === 'dense'
        ? { ...layer, ...kept, outputs: keep.length }
        : { ...layer, ...kept, filters: keep.length };
    }
    if (i > at && i < reader) return { ...other, channels: keep.length } as FloatLayer;
    if (i !== reader) {
      return 'weights' in other
        ? { ...other, weights: other.weights.slice(), bias: other.bias.slice() }
        : { ...other };
    }
    return narrowed(other, widthOf(layer), keep);
  });
  return { input: { ...net.input }, layers };
}

/** Rows of `size` values, in the order given. */
function gathered(values: Float32Array, size: number, rows: readonly number[]): Float32Array {
  const result = new Float32Array(rows.length * size);
  rows.forEach((row, i) => {
    result.set(values.subarray(row * size, (row + 1) * size), i * size);
  });
  return result;
}

/** A layer that reads fewer channels: its weights are [outputs][places][channels], in both kinds. */
function narrowed(layer: FloatLayer, channels: number, keep: readonly number[]): FloatLayer {
  if (!('weights' in layer)) throw new RangeError('a pool has no weights');
  const places = layer.weights.length / channels;
  const columns = Array.from({ length: places }, (_, p) => keep.map((c) => p * channels + c));
  const weights = gathered(layer.weights, 1, columns.flat());
  const bias = layer.bias.slice();
  return layer.type === 'dense'
    ? { ...layer, weights, bias, inputs: (layer.inputs / channels) * keep.length }
    : { ...layer, weights, bias, channels: keep.length };
}

/**
 * How much the error grows without each unit of a layer: nets are so small here that every removal is
 * tried.
 *
 * Estimates from gradients, which spare large nets the trials, say little of a net that fits its data:
 * all its gradients are near 0.
 *
 * @param backend who predicts
 * @param at index of a layer that a later one reads, with two units or more
 * @param data labelled samples; at most {@link JUDGES} of them, spread over all, judge
 * @returns one number a unit: mean error without it less mean error with it
 * @throws RangeError if it is another layer
 * @source Molchanov et al. 2017, 'Pruning Convolutional Neural Networks for Resource Efficient
 *   Inference', section 2.2: oracle pruning
 */
export function importance(backend: Backend, net: FloatNet, at: number, data: TrainData): number[] {
  const units = widthOf(net.layers[at] ?? net.layers.at(-1)!);
  if (units < 2 || !net.layers.some((layer, l) => l > at && 'weights' in layer)) {
    throw new RangeError(`layer ${at} has no unit to spare`);
  }
  // classes lie one behind the other: every so many is of all
  const n = Math.min(data.n, JUDGES);
  const chosen = Array.from({ length: n }, (_, i) => Math.floor((i * data.n) / n));
  const judges = samplesOf(data, chosen);
  // what the layer gives is computed once; a unit that gives 0 is as good as gone
  const { backbone, head } = splitNet(net, at + 1);
  const given = backend.predict(backbone, judges.x, n);
  const error = errorOf(backend, head, { ...judges, x: given });
  return Array.from({ length: units }, (_, unit) => {
    const x = given.slice();
    for (let i = unit; i < x.length; i += units) x[i] = 0;
    return errorOf(backend, head, { ...judges, x }) - error;
  });
}

/** Mean weighted error: softmax cross-entropy of classes, squared error of targets. */
function errorOf(backend: Backend, net: FloatNet, { x, y, n, weight }: TrainData): number {
  const outputs = Float64Array.from(backend.predict(net, x, n));
  const gradient = new Float64Array(outputs.length);
  const weights = Float64Array.from(weight ?? new Float32Array(n).fill(1));
  const size = outputs.length / n;
  const sum =
    y instanceof Int32Array
      ? softmaxLoss(outputs, gradient, y, weights, n, size, 0)
      : squaredLoss(outputs, gradient, Float64Array.from(y), weights, n, size);
  return sum / n;
}

function samplesOf({ x, y, n, weight }: TrainData, chosen: readonly number[]): TrainData {
  const some = (values: Float32Array): Float32Array => gathered(values, values.length / n, chosen);
  return {
    x: some(x),
    y: y instanceof Int32Array ? Int32Array.from(chosen, (i) => y[i]!) : some(y),
    n: chosen.length,
    ...(weight && { weight: some(weight) }),
  };
}

/**
 * Prunes a trained net step by step: the least important units of each layer go, the rest is trained
 * again from where it stands.
 *
 * @param backend who trains
 * @param net trained
 * @param widths units of each layer in the end, as {@link pruning} gives them
 * @param data what it was trained on
 * @param options how it was trained
 * @returns the smaller net
 * @throws RangeError if a width is missing, below 1, or above what the layer has
 * @throws GatewayError 'cancelled' when the signal is raised
 */
export async function prune(
  backend: Backend,
  net: FloatNet,
  widths: readonly number[],
  data: TrainData,
  options: FitOptions,
): Promise<FloatNet> {
  net.layers.forEach((layer, l) => {
    const [has, wants] = [widthOf(layer), widths[l] ?? -1];
    if (wants > has || (has > 0 && wants < 1)) {
      throw new RangeError(`layer ${l} has ${has} units and cannot be pruned to ${wants}`);
    }
  });
  let smaller = net;
  const isDone = (): boolean => smaller.layers.every((layer, l) => widthOf(layer) <= widths[l]!);
  while (!isDone()) {
    for (let l = 0; l < widths.length; l++) {
      const left = nextWidth(widthOf(smaller.layers[l]!), widths[l]!);
      // one after the other: of two alike either may go, but not both
      while (widthOf(smaller.layers[l]!) > left) {
        const cost = importance(backend, smaller, l, data);
        const least = cost.indexOf(Math.min(...cost));
        smaller = removeUnits(
          smaller,
          l,
          [...cost.keys()].filter((unit) => unit !== least),
        );
      }
    }
    const epochs = Math.max(1, Math.round(options.epochs * (isDone() ? LAST : AGAIN)));
    smaller = await train(backend, smaller, data, { ...options, epochs });
  }
  return smaller;
}
