import { setImmediate } from 'node:timers/promises';
import { createRandom, type Random } from '../random.ts';
import type { Task } from '../task.ts';
import type { LabelledWindow } from './augment.ts';
import { builtin } from './builtin.ts';
import { dequantiseLayer } from './dequantise.ts';
import { invent } from './distil.ts';
import { createEmbedder, inputOf, type QuantModel } from './model.ts';
import { createNet, type FloatDense, type FloatNet, type Shape } from './net.ts';
import { classesOf } from './new-class.ts';
import { newClassTeacher, type ShareTeacher } from './new-class-teacher.ts';
import { dequantise, quantise } from './quantise.ts';
import { reservoir } from './rehearsal.ts';
import { heed, type TrainData, train } from './trainer.ts';

/*
 * Chosen by taking old gestures in turn for the new one, of both people of gateway/bench/new-class.ts:
 * recall at a loss of 0.8 points, in int8.
 */
/** Units between the features and the classes; 32 of 50 features take 2.5 KB with all. */
const HIDDEN = 32;
/** Points of a lesson for each window that the task makes of a class by variation. */
const LESSON = 60;
/** Share of the ends of an invented point that are windows of a new class. */
const NEW_ENDS = 0.4;
/** Noise of an invented point, in deviations of each feature. */
const NOISE = 0.7;
/** Passes over the lesson at each of these step sizes. */
const PASSES = 2;
const RATES = [0.005, 0.0015, 0.0005];
const BATCH = 32;
const L2 = 1e-4;
/** A class to which the teacher gives less is not trained towards. */
const LEAST_SHARE = 0.02;
/** Points that the teacher is asked about at once. */
const AT_ONCE = 500;
/** Windows of one class that the teacher compares with. */
const COMPARED = 200;
/** A feature that moves less than this many steps of int8 is noise, not to be blown up. */
const LEAST_DEVIATION = 2;

/** What the labelled windows are to the layers that are trained. */
interface Seen {
  /** int8 of each window, the known ones first */
  rows: Int8Array[];
  labels: number[];
  /** how many are of classes that the champion knows */
  known: number;
}

/**
 * Adds the classes that a model has no output for: a net with one hidden layer takes the place of the dense
 * layers at the end of the head. It learns to say what a teacher says of points that nobody recorded, between
 * the windows and around them; see newClassTeacher for what the teacher makes of a class that has few.
 *
 * Prefer it to a row that is fitted to the few windows: a new gesture is seldom on one side of a plane, the
 * old ones on the other.
 *
 * @param task with more classes than the model; its `training.augment.perClass` says how long a lesson is
 * @param champion whose last layer is dense
 * @param data labelled windows, the old ones among them
 * @param options seed of the points, the first weights and the order; signal to cancel
 * @returns the model, the first of its new layers, and these as they were before int8
 * @throws RangeError if the last layer cannot be trained, or a new class or all others have no window
 * @throws GatewayError 'cancelled' when the signal is raised
 * @source Hinton, Vinyals and Dean 2015, 'Distilling the Knowledge in a Neural Network', soft targets
 */
export async function addClasses(
  task: Task,
  champion: QuantModel,
  data: { fresh: readonly LabelledWindow[]; old: readonly LabelledWindow[] },
  { seed, signal }: { seed: number; signal?: AbortSignal },
): Promise<{ model: QuantModel; layers: FloatDense[]; from: number }> {
  const { layers, cut } = champion;
  const from = Math.max(cut, layers.findLastIndex(({ type }) => type !== 'dense') + 1);
  if (from === layers.length) throw new RangeError('only a dense layer can have another output');
  const known = classesOf(champion);
  const classes = task.classes.length;
  const input = inputOf(champion, from);
  const seen = look(champion, from, [...data.old, ...data.fresh], seed);
  const learned = dequantise(joined(seen.rows), input);
  const features = learned.length / seen.rows.length;
  const spread = spreadOf(learned.subarray(0, seen.known * features), features);
  const scale = spread.deviation.map((v) => Math.max(v, LEAST_DEVIATION * input.scale));
  const even = (x: Float32Array): Float32Array =>
    x.map((value, i) => (value - spread.mean[i % features]!) / scale[i % features]!);

  const shape: Shape = { length: 1, channels: features };
  const [first, ...rest] = layers.slice(from).map((layer) => dequantiseLayer(layer) as FloatDense);
  const teacher = newClassTeacher(
    { x: even(learned), labels: Int32Array.from(seen.labels), n: seen.rows.length, features },
    ...([known, classes] as const),
    { input: shape, layers: [shifted(first!, scale, spread.mean), ...rest] },
  );
  const random = createRandom(seed, known);
  const points = joined(
    invent(
      pickFrom(seen, random),
      scale.map((v) => v / input.scale),
      LESSON * task.training.augment.perClass,
      random,
      { noise: NOISE },
    ),
  );
  const lesson = await ask(teacher, even(dequantise(points, input)), features, classes, signal);
  const specs = [
    { type: 'dense', units: HIDDEN, activation: 'relu' },
    { type: 'dense', units: classes, activation: 'none' },
  ] as const;
  let net = createNet(shape, specs, seed);
  for (const [i, learningRate] of RATES.entries()) {
    net = await train(builtin, net, lesson, {
      ...{ epochs: PASSES, batch: BATCH, learningRate, l2: L2, labelSmoothing: 0 },
      ...{ seed: seed + i, frozen: 0, ...(signal && { signal }) },
    });
  }
  const [hidden, output] = net.layers as [FloatDense, FloatDense];
  const back = spread.mean.map((mean, f) => -mean / scale[f]!);
  const fitted: FloatDense[] = [
    shifted(
      hidden,
      scale.map((v) => 1 / v),
      back,
    ),
    output,
  ];
  const made: FloatNet = { input: shape, layers: fitted };
  const model = {
    ...champion,
    layers: [...layers.slice(0, from), ...quantise(made, points, input)],
  };
  return { model, layers: fitted, from };
}

/** The windows as the trained layers see them; of a class that has very many a fair choice. */
function look(
  champion: QuantModel,
  from: number,
  windows: readonly LabelledWindow[],
  seed: number,
): Seen {
  const embed = createEmbedder(champion, from);
  const count = classesOf(champion);
  const some = reservoir(windows, ({ cls }) => String(cls), COMPARED, seed);
  const chosen = [
    ...some.filter(({ cls }) => cls < count),
    ...some.filter(({ cls }) => cls >= count),
  ];
  return {
    rows: chosen.map(({ window, length }) => embed(window, length).slice()),
    labels: chosen.map(({ cls }) => cls),
    known: chosen.filter(({ cls }) => cls < count).length,
  };
}

/** Draws a window: of a new class as often as NEW_ENDS says. */
function pickFrom({ rows, known }: Seen, random: Random): () => Int8Array {
  const fresh = rows.length - known;
  return () =>
    random.uniform(0, 1) < NEW_ENDS
      ? rows[known + random.integer(fresh)]!
      : rows[random.integer(known)]!;
}

/**
 * A lesson of hard labels: of each point every class that the teacher gives a share, weighted by it. In
 * between the gateway does its other work, and can cancel this.
 */
async function ask(
  teacher: ShareTeacher,
  x: Float32Array,
  features: number,
  classes: number,
  signal: AbortSignal | undefined,
): Promise<TrainData> {
  const step = AT_ONCE * features;
  const rows: Float32Array[] = [];
  const labels: number[] = [];
  const weight: number[] = [];
  for (let at = 0; at < x.length; at += step) {
    await setImmediate();
    heed(signal);
    const some = x.subarray(at, at + step);
    teacher(some, some.length / features).forEach((share, i) => {
      if (share < LEAST_SHARE) return;
      const row = Math.floor(i / classes) * features;
      rows.push(some.subarray(row, row + features));
      labels.push(i % classes);
      weight.push(share);
    });
  }
  const all = new Float32Array(rows.length * features);
  rows.forEach((row, i) => {
    all.set(row, i * features);
  });
  return { x: all, y: Int32Array.from(labels), weight: Float32Array.from(weight), n: rows.length };
}

/** The same layer for inputs z, where it had scale · z + offset before. */
function shifted(layer: FloatDense, scale: Float64Array, offset: Float64Array): FloatDense {
  const { inputs } = layer;
  const bias = layer.bias.map((value, c) =>
    offset.reduce((sum, by, f) => sum + layer.weights[c * inputs + f]! * by, value),
  );
  return { ...layer, weights: layer.weights.map((w, i) => w * scale[i % inputs]!), bias };
}

/** Mean and deviation of each feature. */
function spreadOf(
  x: Float32Array,
  features: number,
): { mean: Float64Array; deviation: Float64Array } {
  const n = x.length / features;
  const mean = new Float64Array(features);
  const square = new Float64Array(features);
  x.forEach((value, i) => {
    mean[i % features]! += value / n;
  });
  x.forEach((value, i) => {
    square[i % features]! += (value - mean[i % features]!) ** 2 / n;
  });
  return { mean, deviation: square.map(Math.sqrt) };
}

function joined(rows: readonly Int8Array[]): Int8Array {
  const all = new Int8Array(rows.length * (rows[0]?.length ?? 0));
  rows.forEach((row, i) => {
    all.set(row, i * row.length);
  });
  return all;
}
