import type { Task } from '../task.ts';
import type { LabelledWindow } from './augment.ts';
import { dequantiseLayer } from './dequantise.ts';
import { draw } from './draw.ts';
import { factorise, type LinearData, solve } from './linear.ts';
import { createEmbedder, inputOf, type QuantModel } from './model.ts';
import type { FloatDense, FloatNet } from './net.ts';
import { classesOf, grow } from './new-class.ts';
import { dequantise, quantise } from './quantise.ts';

/** Penalty l2/2·Σw² of a new row; chosen on James's snap, see gateway/bench/new-class.ts. */
const L2 = 0.01;
/** How heavy the few new windows are together, the many old ones being 1; chosen in the same place. */
const NEW_WEIGHT = 3;
/** Newton's steps, halvings of one, and the fall of the loss that ends them. */
const STEPS = 50;
const HALVINGS = 20;
const LEAST_FALL = 1e-9;
/** A feature that moves less than this many units of the input is noise, as for every head. */
const LEAST_DEVIATION = 1 / 8;

/**
 * Adds the classes that a model has no output for, and leaves all that it has as it is: between the
 * classes before it decides as it did, and an old window is lost only where a new class outdoes all of
 * them on it.
 *
 * Windows are taken as they were recorded. Varied ones would fill the room between the few new windows
 * and the many old ones, from which the other windows of the new class come.
 *
 * @param task with more classes than the model
 * @param champion whose last layer is dense
 * @param data labelled windows, the old ones among them
 * @param seed of the windows that say what int8 has to hold
 * @returns the model, and its last layer as it was before int8
 * @throws RangeError if the last layer cannot be trained, or a new class or all others have no window
 * @source the frozen rows: Qi, Brown and Lowe 2018, 'Low-Shot Learning with Imprinted Weights'; here the
 *   new row is fitted instead of copied
 */
export function addClasses(
  task: Task,
  champion: QuantModel,
  data: { fresh: readonly LabelledWindow[]; old: readonly LabelledWindow[] },
  seed: number,
): { model: QuantModel; layers: FloatDense[] } {
  const at = champion.layers.length - 1;
  const input = inputOf(champion, at);
  const embedder = createEmbedder(champion, at);
  const windows = [...data.old, ...data.fresh];
  const embedAll = (all: typeof windows): Int8Array => {
    const rows = all.map(({ window, length }) => embedder(window, length).slice());
    const joined = new Int8Array(rows.length * (rows[0]?.length ?? 0));
    rows.forEach((row, i) => {
      joined.set(row, i * row.length);
    });
    return joined;
  };
  const known = dequantiseLayer(champion.layers[at]!);
  if (known.type !== 'dense') throw new RangeError('only a dense layer can have another output');
  const shape = { length: 1, channels: known.inputs };
  const grown: FloatNet = grow({ input: shape, layers: [known] }, task.classes.length);
  let layer = grown.layers[0] as FloatDense;
  const x = dequantise(embedAll(windows), input);
  for (let cls = classesOf(champion); cls < task.classes.length; cls++) {
    // a window of a class that is added later says nothing of this one
    const use = [...windows.keys()].filter((i) => windows[i]!.cls <= cls);
    const rows = Float32Array.from(use.flatMap((i) => [...row(x, i, known.inputs)]));
    const isNew = use.map((i) => windows[i]!.cls === cls);
    layer = withRow(layer, cls, { x: rows, n: use.length, features: known.inputs }, isNew);
  }
  const drawn = draw(task, { fresh: data.fresh, old: data.old, guessed: [] }, seed);
  const net = { input: shape, layers: [layer] };
  const layers = [...champion.layers.slice(0, at), ...quantise(net, embedAll(drawn), input)];
  return { model: { ...champion, layers }, layers: [layer] };
}

/**
 * Fits one output against the greatest of those before it, by Newton's method.
 *
 * @param layer that has the row already
 * @param cls the row
 * @param data inputs of the layer
 * @param isNew whether each is of the class
 */
function withRow(layer: FloatDense, cls: number, data: LinearData, isNew: boolean[]): FloatDense {
  const { n, features } = data;
  const many = isNew.filter(Boolean).length;
  if (many === 0 || many === n) throw new RangeError('a new class needs windows, and others too');
  const weight = isNew.map((is) => 0.5 * (is ? NEW_WEIGHT / many : 1 / (n - many)));
  const { scale, mean } = spreadOf(data);
  const width = features + 1; // the last is the bias
  const z = new Float64Array(n * width);
  const others = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const values = row(data.x, i, features);
    others[i] = logSum(layer, cls, values);
    for (let f = 0; f < features; f++) z[i * width + f] = (values[f]! - mean[f]!) / scale[f]!;
    z[i * width + features] = 1;
  }
  const margins = (w: Float64Array): Float64Array =>
    others.map((other, i) => {
      let sum = -other;
      for (let f = 0; f < width; f++) sum += w[f]! * z[i * width + f]!;
      return isNew[i] ? sum : -sum;
    });
  const loss = (w: Float64Array): number =>
    margins(w).reduce((sum, m, i) => sum + weight[i]! * softplus(-m), 0) +
    (L2 / 2) * w.subarray(0, features).reduce((sum, v) => sum + v * v, 0);
  let w = new Float64Array(width);
  w[features] = others.reduce((sum, other) => sum + other / n, 0);
  let now = loss(w);
  for (let step = 0; step < STEPS; step++) {
    const move = newton(w, margins(w), z, weight, isNew);
    let next = w;
    let after = now;
    for (let k = 0, share = 1; k < HALVINGS && !(after < now); k++, share /= 2) {
      next = w.map((v, f) => v - share * move[f]!);
      after = loss(next);
    }
    if (!(now - after > LEAST_FALL)) break;
    w = next;
    now = after;
  }
  const weights = layer.weights.slice();
  const bias = layer.bias.slice();
  let moved = w[features]!;
  for (let f = 0; f < features; f++) {
    weights[cls * features + f] = w[f]! / scale[f]!;
    moved -= (w[f]! * mean[f]!) / scale[f]!;
  }
  bias[cls] = moved;
  return { ...layer, weights, bias };
}

/** Newton's step: the gradient divided by the Hessian, whose own rows are filled below the diagonal. */
function newton(
  w: Float64Array,
  margins: Float64Array,
  z: Float64Array,
  weight: readonly number[],
  isNew: readonly boolean[],
): Float64Array {
  const width = w.length;
  const gradient = w.map((v, f) => (f < width - 1 ? L2 * v : 0));
  const hessian = new Float64Array(width * width);
  for (let f = 0; f < width; f++) hessian[f * width + f] = f < width - 1 ? L2 : LEAST_FALL;
  margins.forEach((margin, i) => {
    const wrong = 1 / (1 + Math.exp(margin));
    const slope = weight[i]! * wrong * (isNew[i] ? -1 : 1);
    const curve = weight[i]! * wrong * (1 - wrong);
    for (let a = 0; a < width; a++) {
      const value = z[i * width + a]!;
      gradient[a]! += slope * value;
      for (let b = 0; b <= a; b++) hessian[a * width + b]! += curve * value * z[i * width + b]!;
    }
  });
  factorise(hessian, width);
  solve(hessian, gradient, width);
  return gradient;
}

/** Mean and deviation of each input. */
function spreadOf({ x, n, features }: LinearData): { mean: Float64Array; scale: Float64Array } {
  const mean = new Float64Array(features);
  const square = new Float64Array(features);
  x.forEach((value, i) => {
    mean[i % features]! += value / n;
  });
  x.forEach((value, i) => {
    square[i % features]! += (value - mean[i % features]!) ** 2 / n;
  });
  return { mean, scale: square.map((value) => Math.max(Math.sqrt(value), LEAST_DEVIATION)) };
}

/** log Σ exp of the outputs before a row: what the row has to outdo. */
function logSum({ weights, bias, inputs }: FloatDense, cls: number, values: Float32Array): number {
  const logits = Array.from({ length: cls }, (_, c) =>
    values.reduce((sum, value, f) => sum + weights[c * inputs + f]! * value, bias[c]!),
  );
  const most = Math.max(...logits);
  return most + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
}

const softplus = (v: number): number => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));

function row(x: Float32Array, i: number, features: number): Float32Array {
  return x.subarray(i * features, (i + 1) * features);
}
