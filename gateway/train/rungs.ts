import { setImmediate } from 'node:timers/promises';
import { featureCount, features } from '../../device/core/features.ts';
import type { LayerSpec, Task } from '../task.ts';
import { addClasses } from './add-class.ts';
import type { LabelledWindow } from './augment.ts';
import { chooseBackend } from './backends.ts';
import { builtin } from './builtin.ts';
import { canTrain, dequantiseLayer } from './dequantise.ts';
import { type Drawn, draw } from './draw.ts';
import { tier } from './gateway-tier.ts';
import {
  createEmbedder,
  createHeadPredictor,
  encodeModel,
  inputOf,
  type QuantModel,
} from './model.ts';
import { createNet, type FloatNet, type Shape } from './net.ts';
import { classesOf, grow } from './new-class.ts';
import { oneClass } from './one-class.ts';
import { FEATURE_SETS, fitPre, type Pre } from './pre.ts';
import { prune, pruning } from './prune.ts';
import { agreed } from './pseudo.ts';
import { layerGeometry, type Quantisation, type QuantLayer } from './quant-layer.ts';
import { dequantise, quantise } from './quantise.ts';
import { realigner } from './realign.ts';
import type { Recipe } from './recipe.ts';
import { regression } from './regression.ts';
import { fitStandardisedSoftmax } from './standardised.ts';
import { heed, train } from './trainer.ts';

/** A stretch of raw samples: int8 [samples][axes], zero after its first `length` samples. */
export type Window = Pick<LabelledWindow, 'window' | 'length'>;

/** A window with its class. */
export type Example = LabelledWindow;

/**
 * The rungs of the update ladder, cheapest first: the normalisation, without labels; the head, on
 * what the frozen layers say (taught otherwise where a class is added); the head again, taught also by recent windows whose class it is sure
 * of; the last layers (where none are frozen: normalisation and head); the whole net from raw
 * windows, grown to the task's deeper architecture where it has one.
 */
export const RUNGS = ['pre', 'head', 'pseudo', 'layers', 'whole'] as const;
export type Rung = (typeof RUNGS)[number];

/** What a rung is trained on. */
export interface RungData {
  fresh: readonly Example[];
  /** windows of earlier regimes, mixed in against forgetting */
  old: readonly Example[];
  /** recent windows, labelled or not, for the normalisation */
  recent: readonly Window[];
}

export interface RungOptions {
  seed: number;
  signal?: AbortSignal;
}

/** A candidate, and the float net that it was made of. */
export interface Trained {
  model: QuantModel;
  /** class by the float form of the layers that were trained; what int8 may cost is measured on it */
  predictFloat: (window: Int8Array, length: number) => number;
}

/**
 * Trains one rung.
 *
 * @param rung how much of the model may change
 * @param task windows, features, architecture, recipe
 * @param champion what stays where the rung does not reach; null for a first model ('whole' only)
 * @param data windows; `fresh` may be empty for `pre`, and for others where `old` is not
 * @returns a candidate in int8, not yet proven
 * @throws RangeError if the rung has nothing to start from or to learn from
 * @throws GatewayError 'cancelled' when the signal is raised
 */
export async function trainRung(
  rung: Rung,
  task: Task,
  champion: QuantModel | null,
  data: RungData,
  options: RungOptions,
): Promise<Trained> {
  if (champion === null && rung !== 'whole') throw new RangeError('a first model is trained whole');
  const recipe = recipeOf(task);
  if (rung === 'pre') {
    const model = { ...champion!, pre: fitWindows(task, data.recent, PRE_SIGMAS) };
    const from = model.layers.findLastIndex((layer) => !canTrain(layer)) + 1;
    return trained(model, model.layers.slice(from).map(dequantiseLayer), from, recipe);
  }
  const isMore = task.kind === 'classification' && champion !== null;
  if (rung === 'head' && isMore && classesOf(champion) < task.classes.length) {
    const { model, layers, from } = await addClasses(task, champion, data, options);
    return trained(model, layers, from, null);
  }
  const guessed = rung === 'pseudo' ? await guess(task, champion!, data, options) : [];
  const drawn =
    recipe === null
      ? draw(task, { ...data, guessed }, options.seed)
      : drawBy(recipe, data, options.seed);
  const base = start(rung, task, champion, drawn, options.seed);
  const { pre, kept, net } = base;
  const embedder = createEmbedder({ pre, layers: kept }, kept.length);
  const embed = ({ window, length }: Window): Int8Array => embedder(window, length);
  const input = inputOf({ layers: kept }, kept.length);
  const realign = realignOld(task, data, embed);
  const calibration = flatten(drawn.map((w) => (w.isOld ? realign(embed(w)) : embed(w))));
  const x = dequantise(calibration, input);
  const y = Int32Array.from(drawn, ({ cls }) => cls);
  const l2 = penalty(task, data, recipe?.groups ?? task.classes.length);
  const isWarm = rung !== 'whole';
  const fitted =
    recipe === null
      ? await fit(net, base.widths, x, y, task, l2, options)
      : await recipe.fit(net, { x, answers: y, isWarm, l2, ...options });
  const reached = recipe === null ? calibration : reach(calibration, input, recipe.reach);
  const layers = [...kept, ...quantise(fitted, reached, input, recipe?.output)];
  return trained({ pre, layers, cut: base.cut }, fitted.layers, kept.length, recipe);
}

/** How a task of another kind than classification is trained. */
function recipeOf(task: Task): Recipe | null {
  if (task.kind === 'regression') return regression(task);
  return task.kind === 'anomaly' ? oneClass(task) : null;
}

function drawBy(recipe: Recipe, { fresh, old }: RungData, seed: number): Drawn[] {
  return recipe.draw(fresh, old, seed).map((window) => ({ ...window, isOld: false }));
}

/** Windows with others that lie several times as far from the middle: layers hold what those give. */
function reach(calibration: Int8Array, { zero }: Quantisation, times: number): Int8Array {
  if (times === 1) return calibration;
  const far = calibration.map((q) => Math.max(-128, Math.min(127, zero + (q - zero) * times)));
  return flatten([calibration, far]);
}

/** Windows on either side that say where a regime lies, so that one more or less does not move it. */
export const MIN_RECENT = 20;

/** Moves embeddings of rehearsed windows to where the recent ones lie, if the task wants it. */
function realignOld(
  { training }: Task,
  { old, recent }: RungData,
  embed: (window: Window) => Int8Array,
): (embedding: Int8Array) => Int8Array {
  const enough = Math.min(old.length, recent.length) >= MIN_RECENT;
  if (!training.align || !enough) return (embedding) => embedding;
  return realigner(old.map(embed), recent.map(embed));
}

/** Recent windows with the class that a head trained on the labels gives them, where that may teach. */
async function guess(
  task: Task,
  champion: QuantModel,
  data: RungData,
  options: RungOptions,
): Promise<Example[]> {
  const { model } = await trainRung('head', task, champion, data, options);
  const embedder = createEmbedder(model, model.cut);
  const embed = ({ window, length }: Window): Int8Array => embedder(window, length).slice();
  const says = createHeadPredictor(encodeModel(model));
  const windows = data.recent.map((window) => {
    const embedding = embed(window);
    return { embedding, ...says(embedding) };
  });
  const realign = realignOld(task, data, embed);
  const labelled = [
    ...data.fresh.map((one) => ({ embedding: embed(one), cls: one.cls })),
    ...data.old.map((one) => ({ embedding: realign(embed(one)), cls: one.cls })),
  ];
  const teaching = agreed(windows, labelled);
  return teaching.map((i) => ({ ...data.recent[i]!, cls: windows[i]!.cls }));
}

/** Deviations that the int8 input holds where a rung fits it to the windows at hand. */
const PRE_SIGMAS = 4;

interface Start {
  pre: Pre;
  kept: QuantModel['layers'];
  net: FloatNet;
  /** units of each layer to prune to after training; null where nothing is pruned */
  widths: readonly number[] | null;
  cut: number;
}

function start(
  rung: Rung,
  task: Task,
  champion: QuantModel | null,
  drawn: readonly Window[],
  seed: number,
): Start {
  const { layers, cut, deeper } = task.architecture;
  if (champion === null) {
    const pre = fitWindows(task, drawn, task.training.sigmas);
    return { pre, kept: [], ...newNet(task, layers, seed), cut };
  }
  if (rung === 'whole') {
    const pre = fitWindows(task, drawn, PRE_SIGMAS);
    const specs: readonly LayerSpec[] = deeper ?? layers;
    return { pre, kept: [], ...newNet(task, specs, seed), cut: deeper === undefined ? cut : 0 };
  }
  const thawed = rung === 'layers' ? lastLearned(champion) : champion.cut;
  const renormalise = rung === 'layers' && champion.cut === 0;
  const kept = champion.layers.slice(0, thawed);
  const last = kept.at(-1);
  const input = last === undefined ? inputShape(task) : shapeAfter(last);
  const pre = renormalise ? fitWindows(task, drawn, PRE_SIGMAS) : champion.pre;
  const known = { input, layers: champion.layers.slice(thawed).map(dequantiseLayer) };
  const net = task.kind === 'classification' ? grow(known, task.classes.length) : known;
  return { pre, kept, net, widths: null, cut: champion.cut };
}

/** A net with new weights: as wide as it is trained, and the widths that are left of it. */
function newNet(
  task: Task,
  specs: readonly LayerSpec[],
  seed: number,
): Pick<Start, 'net' | 'widths'> {
  const pruned = pruning(specs);
  const net = createNet(inputShape(task), pruned?.wide ?? specs, seed);
  return { net, widths: pruned?.widths ?? null };
}

/** What a frozen layer, of any type, gives to a net that is trained behind it. */
function shapeAfter(layer: QuantLayer): Shape {
  const { heightOut, widthOut, channelsOut } = layerGeometry(layer);
  return { length: heightOut * widthOut, channels: channelsOut };
}

/** The last frozen layer that has anything to learn: a pool has not. */
export function lastLearned({ layers, cut }: QuantModel): number {
  const frozen = layers.slice(0, cut);
  return Math.max(
    0,
    frozen.findLastIndex((layer) => 'weights' in layer),
  );
}

async function fit(
  net: FloatNet,
  widths: readonly number[] | null,
  x: Float32Array,
  y: Int32Array,
  task: Task,
  l2: number,
  { seed, signal }: RungOptions,
): Promise<FloatNet> {
  const { labelSmoothing, linear, deep } = task.training;
  const n = y.length;
  const [only] = net.layers;
  if (net.layers.length === 1 && only?.type === 'dense') {
    await setImmediate(); // the gateway's other work, and whoever wants to cancel this
    heed(signal);
    const data = { x, n, features: only.inputs };
    const options = { l2, labelSmoothing, ...linear };
    return { ...net, layers: [fitStandardisedSoftmax(data, y, only.outputs, options)] };
  }
  const options = { ...deep, l2, labelSmoothing, seed, frozen: 0, ...(signal && { signal }) };
  const backend = await chooseBackend();
  const wide = await train(backend, net, { x, y, n }, options);
  return widths === null ? wide : prune(backend, wide, widths, { x, y, n }, options);
}

/** A prior weighs less the more windows speak: beyond `many` labels a class, in proportion. */
function penalty(task: Task, { fresh, old }: RungData, groups: number): number {
  const perClass = (fresh.length + old.length) / groups;
  return task.training.l2 * Math.min(1, task.training.many / perClass);
}

function fitWindows(task: Task, windows: readonly Window[], sigmas: number): Pre {
  const set = FEATURE_SETS[task.features];
  const { samples } = task.window;
  const axes = task.sensor.axes.length;
  if (set !== 0) {
    const rows = windows.map((w) => features(set, w.window, w.length, samples, axes, tier.dot));
    return fitPre(rows, { sigmas, set });
  }
  const rows = windows.flatMap(({ window, length }) =>
    Array.from({ length }, (_, t) => window.subarray(t * axes, (t + 1) * axes)),
  );
  return fitPre(rows, { sigmas, set });
}

/** What the first layer of a task's nets reads. */
export function inputShape(task: Task): Shape {
  const axes = task.sensor.axes.length;
  if (task.features === 'raw') return { length: task.window.samples, channels: axes };
  return { length: 1, channels: featureCount(FEATURE_SETS[task.features], axes) };
}

function trained(
  model: QuantModel,
  layers: FloatNet['layers'],
  from: number,
  recipe: Recipe | null,
): Trained {
  const embed = createEmbedder(model, from);
  const input = inputOf(model, from);
  const first = layers[0]!;
  const shape: Shape =
    first.type === 'dense'
      ? { length: 1, channels: first.inputs }
      : { length: first.length, channels: first.channels };
  const net: FloatNet = { input: shape, layers };
  return {
    model,
    predictFloat: (window, length) => {
      const logits = builtin.predict(net, dequantise(embed(window, length), input), 1);
      return recipe?.said(logits) ?? logits.indexOf(Math.max(...logits));
    },
  };
}

function flatten(rows: readonly Int8Array[]): Int8Array {
  const all = new Int8Array(rows.reduce((sum, row) => sum + row.length, 0));
  let at = 0;
  for (const row of rows) {
    all.set(row, at);
    at += row.length;
  }
  return all;
}
