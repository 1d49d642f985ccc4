import { featureAxes, features } from './features.ts';
import { argmax, type Dot, type Layer, POW2, runLayers } from './kernel.ts';

/** A model as it lies in memory: views on the bytes of its three parts. */
export interface Model {
  /** 1 the window itself, 2 features of it */
  kind: number;
  /** feature set of kind 2 */
  set: number;
  /** values a sample has */
  axes: number;
  /** int32, subtracted from a feature (or from an axis of a raw window) */
  offset: Int32Array;
  /** uint16 in [2^15, 2^16), or 0 for a constant feature */
  multiplier: Uint16Array;
  /** uint8, right shift applied with it */
  shift: Uint8Array;
  backbone: Layer[];
  head: Layer[];
  /** turns a margin of logits into a score, times 256 */
  scoreMultiplier: number;
}

/** What a model says about a window. */
export interface Inference {
  embedding: Int8Array;
  logits: Int8Array;
  /** class of the largest logit; of equal ones the first */
  cls: number;
  /** 0 to 255: margin between the best two logits, in 1/16 of a logit */
  score: number;
}

/** Pseudo-random windows and the logits that every kernel must give for them. */
export interface Golden {
  seed: number;
  count: number;
  /** values of one window: samples × axes */
  length: number;
  /** int8 logits, [count][classes] */
  logits: Uint8Array;
}

function u16(part: Uint8Array, at: number): number {
  return part[at] + 256 * part[at + 1];
}

function align(at: number): number {
  return Math.ceil(at / 4) * 4;
}

/**
 * Gives the layers of a backbone or head part as views on its bytes.
 *
 * @param part whole part; it must start at a multiple of 4 in its ArrayBuffer
 * @source quant-layer.ts (the encoder) has the format
 */
export function loadLayers(part: Uint8Array): Layer[] {
  const layers: Layer[] = [];
  const buffer = part.buffer;
  const base = part.byteOffset;
  let at = 4;
  let rows: number;
  let size: number;
  let units: number;
  for (let i = 0; i < part[0]; i++) {
    rows = part[at] > 2 ? 0 : u16(part, at + 6);
    size = rows * part[at + 12] * u16(part, at + 4);
    units = part[at + 15] === 1 ? rows : Math.min(rows, 1);
    layers.push({
      head: new Int8Array(buffer, base + at, 16),
      shape: new Uint16Array(buffer, base + at + 4, 4),
      weights: new Int8Array(buffer, base + at + 16, size),
      bias: new Int32Array(buffer, base + align(at + 16 + size), rows),
      multiplier: new Int32Array(buffer, base + align(at + 16 + size) + 4 * rows, units),
      shift: new Int8Array(buffer, base + align(at + 16 + size) + 4 * rows + 4 * units, units),
    });
    at = align(at + 16 + size) + 4 * rows + 4 * units + align(units);
  }
  return layers;
}

/**
 * Puts a model together from its parts, without copying them.
 *
 * @param pre normalisation part
 * @param backbone frozen layers
 * @param head retrained layers
 * @returns views; each part must start at a multiple of 4 in its ArrayBuffer
 */
export function loadModel(pre: Uint8Array, backbone: Uint8Array, head: Uint8Array): Model {
  const set = pre[1];
  const n = u16(pre, 2);
  const base = pre.byteOffset + 4;
  return {
    kind: pre[0],
    set: set,
    axes: pre[0] === 1 ? n : featureAxes(set, n),
    offset: new Int32Array(pre.buffer, base, n),
    multiplier: new Uint16Array(pre.buffer, base + 4 * n, n),
    shift: new Uint8Array(pre.buffer, base + 4 * n + align(2 * n), n),
    backbone: loadLayers(backbone),
    head: loadLayers(head),
    scoreMultiplier: u16(head, 1),
  };
}

/**
 * Normalises a window (kind 1) or its features (kind 2) into the input of the backbone:
 * clamp(floor((f - offset) · multiplier / 2^shift + 1/2), -128, 127).
 *
 * @param model see loadModel
 * @param window int8 [samples][axes], zero after its n samples
 * @param n samples that are not padding
 * @param dot exact dot product of the tier
 */
export function normalise(model: Model, window: Int8Array, n: number, dot: Dot): Int8Array {
  const offset = model.offset;
  const multiplier = model.multiplier;
  const shift = model.shift;
  const floor = Math.floor;
  const values =
    model.kind === 1
      ? window
      : features(model.set, window, n, window.length / model.axes, model.axes, dot);
  const output = new Int8Array(values.length);
  let j = 0;
  let value: number;
  for (let i = 0; i < output.length; i++) {
    value = floor(((values[i] - offset[j]) * multiplier[j]) / POW2[shift[j]] + 0.5);
    output[i] = value < -128 ? -128 : value > 127 ? 127 : value;
    j++;
    if (j === offset.length) j = 0;
  }
  return output;
}

/**
 * Classifies one window.
 *
 * @param model see loadModel
 * @param window int8 [samples][axes], zero after its n samples
 * @param n samples that are not padding
 * @param dot exact dot product of the tier
 */
export function infer(model: Model, window: Int8Array, n: number, dot: Dot): Inference {
  const embedding = runLayers(model.backbone, normalise(model, window, n, dot), dot);
  const logits = runLayers(model.head, embedding, dot);
  const cls = argmax(logits);
  let second = -128;
  for (let i = 0; i < logits.length; i++) {
    if (i !== cls && logits[i] > second) second = logits[i];
  }
  return {
    embedding: embedding,
    logits: logits,
    cls: cls,
    score: Math.min(255, Math.floor(((logits[cls] - second) * model.scoreMultiplier) / 256)),
  };
}

/**
 * Fills a window with a pseudo-random walk that device and gateway make alike.
 *
 * @param seed 0 to 65536
 * @param window filled in order; each window starts at value 0
 * @returns seed of the next window
 * @source the Sinclair ZX81's generator, s·75 + 74 mod 65537: no product leaves 32 bits
 * @example goldenWindow(1, new Int8Array(6)) // 24819
 */
export function goldenWindow(seed: number, window: Int8Array): number {
  let value = 0;
  for (let i = 0; i < window.length; i++) {
    seed = (seed * 75 + 74) % 65537;
    value += (seed % 41) - 20;
    if (value < -128) value = -128;
    if (value > 127) value = 127;
    window[i] = value;
  }
  return seed;
}

/**
 * Logits of a model for its golden windows, all of full length.
 *
 * @returns int8 [count][classes], as bytes
 */
export function goldenLogits(
  model: Model,
  seed: number,
  count: number,
  length: number,
  dot: Dot,
): number[] {
  const window = new Int8Array(length);
  const all: number[] = [];
  let logits: Int8Array;
  let j: number;
  for (let i = 0; i < count; i++) {
    seed = goldenWindow(seed, window);
    logits = infer(model, window, length / model.axes, dot).logits;
    for (j = 0; j < logits.length; j++) all.push((logits[j] + 256) % 256);
  }
  return all;
}

/**
 * Whether this kernel gives the golden logits, bit for bit.
 *
 * @param model see loadModel
 * @param golden windows (by seed) and the gateway's logits
 * @param dot exact dot product of the tier
 */
export function selfTest(model: Model, golden: Golden, dot: Dot): boolean {
  const logits = goldenLogits(model, golden.seed, golden.count, golden.length, dot);
  if (golden.count < 1 || logits.length !== golden.logits.length) return false;
  for (let i = 0; i < logits.length; i++) {
    if (logits[i] !== golden.logits[i]) return false;
  }
  return true;
}
