import { byte, clamp, type Dot, type Layer, POW2 } from './arithmetic.ts';
import { featureAxes, features } from './features.ts';
import { flat } from './flat.ts';
import { argmax, type Tier } from './kernel.ts';
import { CONV1D, FEATURES, MOTION, PLANE, POINT, POOL, RAW, TFLM } from './options.ts';

/** A model as it lies in memory: views on the bytes of its three parts. */
export interface Model {
  /** feature set of its input: 0 the window itself, 1 statistics, 2 motion */
  set: number;
  /** values a sample has */
  axes: number;
  /** int8 that stands for 0 */
  zero: number;
  /** int32, subtracted from a feature (or from an axis of a raw window) */
  offset: Int32Array;
  /** uint16 in [2^15, 2^16), or 0 for a constant feature */
  multiplier: Uint16Array;
  /** uint8, right shift applied with it */
  right: Uint8Array;
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

/** Two bytes as an integer. */
export function u16(bytes: Uint8Array, at: number): number {
  return bytes[at] + 256 * bytes[at + 1];
}

/** The next multiple of 4. */
export function align(at: number): number {
  return Math.ceil(at / 4) * 4;
}

type View<T> = new (buffer: ArrayBufferLike, at: number, n: number) => T;

/** Gives the arrays of a part one after the other, as views: each begins at a multiple of 4. */
function viewer(part: Uint8Array): <T>(type: View<T>, n: number, bytes: number) => T {
  let next = part.byteOffset + 4; // the part's own header is before them
  return (type, n, bytes) => {
    const at = next;
    next = align(at + n * bytes);
    return new type(part.buffer, at, n);
  };
}

/**
 * Gives the layers of a backbone or head part as views on its bytes.
 *
 * @param part whole part; it must start at a multiple of 4 in its ArrayBuffer
 * @source gateway/train/layer-form.ts has the format
 */
export function loadLayers(part: Uint8Array): Layer[] {
  const layers: Layer[] = [];
  const view = viewer(part);
  for (let i = 0; i < part[0]; i++) {
    let head: Int8Array = view(Int8Array, 20, 1);
    const type = head[0];
    const shape = new Uint16Array(part.buffer, head.byteOffset + 4, 4);
    if ((PLANE || POINT) && type > 4) {
      view(Int8Array, 8, 1);
      head = new Int8Array(part.buffer, head.byteOffset, 28);
    }
    let rows = shape[1];
    let weights = rows * shape[0];
    let units = CONV1D && head[16] === 1 ? rows : 1;
    let scales = 2 + units;
    if (CONV1D && type === 2) weights *= byte(head[12]);
    if (PLANE && (type === 5 || type === 6)) {
      weights = rows * byte(head[24]) * byte(head[12]) * (type === 5 ? shape[0] : 1);
    }
    if ((POOL && (type === 3 || type === 4)) || (PLANE && type > 6 && type < 10)) {
      rows = 0;
      weights = 0;
      units = type === 9 ? 1 : 0;
      scales = 1 + units;
    }
    if (POINT && type > 9) {
      rows = type === 11 ? 1 : 0;
      weights = type > 11 ? 256 : 0;
      units = type > 11 ? 0 : type === 10 ? 3 : 1;
      scales = type === 10 ? 3 : 2;
    }
    const layer: Layer = {
      head: head,
      shape: shape,
      weights: view(Int8Array, weights, 1),
      bias: view(Int32Array, rows, 4),
      multiplier: view(Int32Array, units, 4),
      right: view(Int8Array, units, 1),
    };
    const floats = view(Float32Array, scales, 4);
    if (TFLM) layer.scales = floats;
    layers.push(layer);
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
  const n = u16(pre, 2);
  const set = pre[0] - 1;
  const view = viewer(pre);
  return {
    set: set,
    axes: RAW && set === 0 ? n : featureAxes(set, n),
    zero: new Int8Array(pre.buffer, pre.byteOffset, 2)[1],
    offset: view(Int32Array, n, 4),
    multiplier: view(Uint16Array, n, 2),
    right: view(Uint8Array, n, 1),
    backbone: loadLayers(backbone),
    head: loadLayers(head),
    scoreMultiplier: u16(head, 1),
  };
}

/**
 * Normalises a window (set 0) or its features into the input of the backbone:
 * clamp(zero + floor((f - offset) · multiplier / 2^shift + 1/2), -128, 127).
 *
 * @param model see loadModel
 * @param window int8 [samples][axes], zero after its n samples
 * @param n samples that are not padding
 * @param dot exact dot product of the tier
 */
export function normalise(model: Model, window: Int8Array, length: number, dot: Dot): Int8Array {
  const n = model.offset.length;
  const values =
    RAW && (!FEATURES || model.set === 0)
      ? window
      : features(model.set, window, length, window.length / model.axes, model.axes, dot);
  const output = new Int8Array(values.length);
  for (let i = 0; i < output.length; i++) {
    const j = i % n;
    output[i] = clamp(
      Math.floor(
        ((values[i] - model.offset[j]) * model.multiplier[j]) / POW2[model.right[j]] + 0.5,
      ) + model.zero,
    );
  }
  return output;
}

/**
 * Classifies one window.
 *
 * @param model see loadModel
 * @param window int8 [samples][axes], zero after its n samples
 * @param n samples that are not padding
 * @param tier see Tier
 */
export function infer(model: Model, window: Int8Array, n: number, tier: Tier): Inference {
  const embedding = tier.run(model.backbone, normalise(model, window, n, tier.dot));
  const logits = tier.run(model.head, embedding);
  const cls = argmax(logits);
  const others = new Int8Array(logits);
  others[cls] = -128;
  return {
    embedding: embedding,
    logits: logits,
    cls: cls,
    score: Math.min(
      255,
      Math.floor(((logits[cls] - others[argmax(others)]) * model.scoreMultiplier) / 256),
    ),
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
    value = clamp(value + (seed % 41) - 20);
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
  tier: Tier,
): Uint8Array {
  const window = new Int8Array(length);
  const all: Int8Array[] = [];
  for (let i = 0; i < count; i++) {
    seed = goldenWindow(seed, window);
    all.push(infer(model, window, length / model.axes, tier).logits);
  }
  return flat(all);
}

/**
 * Whether this device gives the golden logits, bit for bit.
 *
 * @param model see loadModel; one that this bundle was not built for gives false or throws
 * @param seed of the first window
 * @param count windows
 * @param length values of a window: samples × axes
 * @param logits the gateway's, int8 [count][classes]
 * @param tier see Tier
 */
export function selfTest(
  model: Model,
  seed: number,
  count: number,
  length: number,
  logits: Uint8Array,
  tier: Tier,
): boolean {
  const known = model.set === 0 ? RAW : FEATURES && (MOTION || model.set === 1);
  return known && count > 0 && `${goldenLogits(model, seed, count, length, tier)}` === `${logits}`;
}
