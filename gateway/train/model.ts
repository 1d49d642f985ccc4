import type { Layer } from '../../device/core/arithmetic.ts';
import {
  goldenLogits,
  type Inference,
  infer,
  loadLayers,
  loadModel,
  type Model,
  normalise,
} from '../../device/core/model.ts';
import { tier } from './gateway-tier.ts';
import { decodeLayers, encodeLayers } from './layer-codec.ts';
import { decodePre, encodePre, type Pre } from './pre.ts';
import { moved, outputOf, type Quantisation, type QuantLayer } from './quant-layer.ts';
import { PRE_OUTPUT } from './quantise.ts';

/** A model as the gateway trains it: int8 layers with their scales, and where the head begins. */
export interface QuantModel {
  pre: Pre;
  layers: QuantLayer[];
  /** layers before the head */
  cut: number;
}

/** A model as it travels: the bytes of its three parts, in the order of the wire. */
export interface ModelParts {
  pre: Uint8Array;
  backbone: Uint8Array;
  head: Uint8Array;
}

/**
 * What a device says of a window, computed by the device's own kernel. Of a model with a single output
 * `cls` is the answer that the gateway reads in it: the score.
 */
export type Predictor = (window: Int8Array, length: number) => Inference;

/**
 * Writes a model's parts.
 *
 * @param model with at least one layer in its head
 * @returns bytes that the device reads in place
 * @throws RangeError if the layers do not fit each other
 */
export function encodeModel({ pre, layers, cut }: QuantModel): ModelParts {
  return {
    pre: encodePre(pre),
    backbone: encodeLayers(layers.slice(0, cut), 0),
    head: encodeLayers(
      layers.slice(cut).map((layer) => moved(layer, -cut)),
      inputOf({ layers }, layers.length).scale,
    ),
  };
}

/**
 * Reads a model back: the inverse of {@link encodeModel}.
 *
 * @param parts bytes of the model
 * @throws RangeError if the parts are damaged
 */
export function decodeModel(parts: ModelParts): QuantModel {
  const backbone = decodeLayers(parts.backbone);
  return {
    pre: decodePre(parts.pre),
    layers: [
      ...backbone,
      ...decodeLayers(parts.head).map((layer) => moved(layer, backbone.length)),
    ],
    cut: backbone.length,
  };
}

/**
 * Loads a model into the device's kernel.
 *
 * @param parts as {@link encodeModel} wrote them or as the registry holds them
 * @returns int8 predictions, equal to every device's, bit for bit
 */
export function createPredictor(parts: ModelParts): Predictor {
  const model = loaded(parts);
  return (window, length) => {
    const said = infer(model, window, length, tier);
    return said.logits.length === 1 ? { ...said, cls: said.score } : said;
  };
}

/**
 * Computes what layer `from` of a model sees of a window.
 *
 * @param model the layers before `from` are run
 * @param from index of a layer; 0 gives the normalised input
 * @returns int8 activations
 */
export function createEmbedder(
  { pre, layers }: Pick<QuantModel, 'pre' | 'layers'>,
  from: number,
): (window: Int8Array, length: number) => Int8Array {
  const empty = encodeLayers([], 0);
  const normaliser = loadModel(encodePre(pre), empty, empty);
  const before: Layer[] = loadLayers(encodeLayers(layers.slice(0, from), 0));
  return (window, length) => tier.run(before, normalise(normaliser, window, length, tier.dot));
}

/** What a head says of an embedding. */
export type HeadSaid = Omit<Inference, 'embedding'>;

/**
 * Loads the head alone, for windows of which only the embedding is there.
 *
 * @param parts the model; the embedding is its own, or of a model with the same layers before the head
 * @returns class and score of an embedding, as the device would say them
 */
export function createHeadPredictor(parts: ModelParts): (embedding: Int8Array) => HeadSaid {
  const { head, scoreMultiplier } = loaded(parts);
  return (embedding) => {
    const logits = tier.run(head, embedding);
    const [first, second] = logits.toSorted((a, b) => b - a);
    const margin = (first ?? 0) - (second ?? -128);
    return {
      ...{ logits, cls: logits.indexOf(first ?? 0) },
      score: Math.min(255, Math.floor((margin * scoreMultiplier) / 256)),
    };
  };
}

/** A model that can be given a window, what is computed of it, or what its head sees. */
export interface Reader {
  /** numbers that the model takes of a window; null where it takes the window itself */
  readonly features: number | null;
  /** numbers that its head sees */
  readonly embedding: number;
  ofWindow: Predictor;
  /** @param values integers as the device computes them, not normalised */
  ofFeatures(values: Int32Array): HeadSaid;
  ofEmbedding(values: Int8Array): HeadSaid;
}

/**
 * Loads a model into the device's kernel, to be asked at any of its three doors.
 *
 * @param parts as {@link encodeModel} wrote them or as the registry holds them
 * @param values of one window: samples × axes
 */
export function createReader(parts: ModelParts, values: number): Reader {
  const model = loaded(parts);
  const inputs = model.set === 0 ? null : model.offset.length;
  const ofEmbedding = createHeadPredictor(parts);
  return {
    features: inputs,
    embedding: tier.run(model.backbone, new Int8Array(inputs ?? values)).length,
    ofWindow: createPredictor(parts),
    ofFeatures(given) {
      // set 0 normalises what it is given as it is: whatever width its numbers have
      const input = normalise(
        { ...model, set: 0 },
        given as ArrayLike<number> as Int8Array,
        0,
        tier.dot,
      );
      return ofEmbedding(tier.run(model.backbone, input));
    },
    ofEmbedding,
  };
}

/**
 * Scale and zero point of what layer `from` sees.
 *
 * @example inputOf({ layers: [] }, 0) // { scale: 0.03125, zero: 0 }
 */
export function inputOf({ layers }: Pick<QuantModel, 'layers'>, from: number): Quantisation {
  const before = layers[from - 1];
  return before === undefined ? (layers[0]?.input ?? PRE_OUTPUT) : outputOf(before);
}

/** Inputs with the int8 outputs that every kernel must give: made from a seed, so few bytes travel. */
export interface GoldenVectors {
  /** 0 to 65536 */
  seed: number;
  count: number;
  /** int8 logits as bytes, [count][classes] */
  outputs: Uint8Array;
}

/**
 * Makes the golden vectors of a model.
 *
 * @param parts the model
 * @param values of one window: samples × axes
 * @param seed 0 to 65536
 * @param count windows; each costs the device one inference before a trial begins
 */
export function goldenVectors(
  parts: ModelParts,
  values: number,
  seed: number,
  count = 4,
): GoldenVectors {
  const logits = goldenLogits(loaded(parts), seed, count, values, tier);
  return { seed, count, outputs: Uint8Array.from(logits) };
}

/** Seeds that are tried for golden vectors, and the step from one to the next. */
const TRIES = 64;
const STEP = 977;
const SEEDS = 65_536;

/**
 * Golden vectors that tell: an output at the end of int8's range hides a wrong kernel, so of some seeds the
 * first is taken under which most outputs are within it, or the one that has most of them there.
 *
 * @param seed where to begin, 0 to 65536
 */
export function tellingVectors(
  parts: ModelParts,
  values: number,
  seed: number,
  count = 4,
): GoldenVectors {
  let best: GoldenVectors | undefined;
  let most = -1;
  for (let k = 0; k < TRIES && most < 0.5; k++) {
    const golden = goldenVectors(parts, values, (seed + k * STEP) % SEEDS, count);
    const within = golden.outputs.filter((byte) => byte !== 127 && byte !== 128).length;
    if (within / golden.outputs.length <= most) continue;
    most = within / golden.outputs.length;
    best = golden;
  }
  return best!;
}

function loaded({ pre, backbone, head }: ModelParts): Model {
  return loadModel(aligned(pre), aligned(backbone), aligned(head));
}

/** Views of 32-bit numbers need their bytes at a multiple of 4; bytes out of a store may lie anywhere. */
function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
}
