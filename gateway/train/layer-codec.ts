import { align } from '../../device/core/model.ts';
import { decodeLayer } from './decode-layer.ts';
import { addFactors, type Factor, lookup, meanFactor, softmaxFactors } from './factors.ts';
import {
  ACTIVATIONS,
  FIRST_PLANE,
  foldedTerms,
  HEADER,
  KEPT,
  PLANE_HEADER,
  TYPES,
} from './layer-form.ts';
import {
  activationBounds,
  effectiveScales,
  type Geometry,
  layerGeometry,
  layerSizes,
  outputOf,
  type QuantLayer,
  quantiseMultiplier,
  type Weighted,
} from './quant-layer.ts';

/** The score is in sixteenths of a logit, its multiplier in 1/256. */
const SCORE_STEPS = 16 * 256;

function codeOf(layer: QuantLayer, g: Geometry): number {
  const oneRow =
    'kernelHeight' in layer &&
    layer.height === 1 &&
    layer.kernelHeight === 1 &&
    layer.strideHeight === 1;
  if (layer.type === 'conv2d' && oneRow) return TYPES.indexOf('conv1d');
  if (layer.type === 'maxpool2d' || layer.type === 'avgpool2d') {
    // SAME may add nothing, and is VALID then
    const unpadded = (g.widthOut - 1) * g.strideWidth + g.kernelWidth <= g.widthIn;
    if (oneRow && unpadded && layer.activation === 'none') {
      return TYPES.indexOf(layer.type.replace('2', '1'));
    }
  }
  return TYPES.indexOf(layer.type);
}

/**
 * Names of layers as a part has them, one dimension told from two: what a device's bundle must hold.
 *
 * @example partTypes([{ type: 'softmax', size: 2, input: { scale: 1, zero: 0 }, beta: 1 }]) // ['softmax']
 */
export function partTypes(layers: readonly QuantLayer[]): string[] {
  return [...new Set(layers.map((layer) => TYPES[codeOf(layer, layerGeometry(layer))]!))];
}

/** The arrays of a layer, as they follow its header. */
interface Arrays {
  weights: Int8Array;
  bias: number[];
  factors: Factor[];
  scales: number[];
}

function arraysOf(layer: QuantLayer): Arrays {
  const none = { weights: new Int8Array(0), bias: [], factors: [] };
  const { scale } = layer.input;
  switch (layer.type) {
    case 'dense':
    case 'conv2d':
    case 'depthwise2d':
      return weightedArrays(layer);
    case 'maxpool2d':
    case 'avgpool2d':
      return { ...none, scales: [scale] };
    case 'mean':
      return { ...none, factors: [meanFactor(layer)], scales: [scale, layer.output.scale] };
    case 'add':
      return {
        ...none,
        factors: addFactors(layer),
        scales: [scale, layer.input2.scale, layer.output.scale],
      };
    case 'softmax': {
      const { factor, leastDifference } = softmaxFactors(layer);
      return { ...none, bias: [leastDifference], factors: [factor], scales: [scale, layer.beta] };
    }
    default:
      return { ...none, weights: lookup(layer), scales: [scale, layer.output.scale] };
  }
}

function weightedArrays(layer: Weighted): Arrays {
  const g = layerGeometry(layer);
  const size = rowSize(layer, g);
  const rows = g.channelsOut;
  const units = layer.weightScale.length;
  if (
    layer.weights.length !== rows * size ||
    layer.bias.length !== rows ||
    (units !== 1 && units !== rows)
  ) {
    throw new RangeError(`${layer.type} layer: an array's length does not fit its shape`);
  }
  return {
    weights: layer.weights,
    bias: foldedTerms(layer, size).map((term, row) =>
      int('folded bias', (layer.bias[row] ?? 0) - term, -(2 ** 31), 2 ** 31 - 1),
    ),
    factors: effectiveScales(layer).map(quantiseMultiplier),
    scales: [layer.input.scale, layer.output.scale, ...layer.weightScale],
  };
}

/** Weights of one output. */
function rowSize(layer: Weighted, g: Geometry): number {
  return g.kernelHeight * g.kernelWidth * (layer.type === 'depthwise2d' ? 1 : g.channelsIn);
}

function encodeLayer(layer: QuantLayer, wiring: number[], kept: boolean): Uint8Array {
  const g = layerGeometry(layer);
  const code = codeOf(layer, g);
  const { weights, bias, factors, scales } = arraysOf(layer);
  const header = code < FIRST_PLANE ? HEADER : PLANE_HEADER;
  const biasAt = align(header + weights.length);
  const factorAt = biasAt + 4 * bias.length;
  const shiftAt = factorAt + 4 * factors.length;
  const scaleAt = align(shiftAt + factors.length);
  const bytes = new Uint8Array(scaleAt + 4 * scales.length);
  const view = new DataView(bytes.buffer);
  const activation = 'activation' in layer ? layer.activation : 'none';
  const output = outputOf(layer);
  const [low, high] = activationBounds(activation, output);
  bytes[0] = code;
  view.setInt8(1, low);
  view.setInt8(2, int('zero point of the input', layer.input.zero, -128, 127));
  view.setInt8(3, int('zero point of the output', output.zero, -128, 127));
  [g.channelsIn, g.channelsOut, g.widthIn, g.widthOut].forEach((value, i) => {
    view.setUint16(4 + 2 * i, value, true);
  });
  bytes.set([g.kernelWidth, g.strideWidth, g.padLeft], 12);
  if (layer.type === 'add') view.setInt8(14, int('zero point', layer.input2.zero, -128, 127));
  view.setInt8(15, high);
  bytes[16] = 'weightScale' in layer && layer.weightScale.length > 1 ? 1 : 0;
  bytes[17] = ACTIVATIONS.indexOf(activation) + (kept ? KEPT : 0);
  bytes.set(wiring, 18);
  if (header === PLANE_HEADER) {
    view.setUint16(20, g.heightIn, true);
    view.setUint16(22, g.heightOut, true);
    const multiplier = layer.type === 'depthwise2d' ? layer.depthMultiplier : 1;
    bytes.set([g.kernelHeight, g.strideHeight, g.padTop, multiplier], 24);
  }
  new Int8Array(bytes.buffer).set(weights, header);
  bias.forEach((value, i) => {
    view.setInt32(biasAt + 4 * i, value, true);
  });
  factors.forEach(({ multiplier, shift }, i) => {
    view.setInt32(factorAt + 4 * i, multiplier, true);
    view.setInt8(shiftAt + i, int('shift', shift, -31, 31));
  });
  scales.forEach((scale, i) => {
    view.setFloat32(scaleAt + 4 * i, positive(scale), true);
  });
  return bytes;
}

function int(name: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} must be an integer from ${least} to ${most}, not ${value}`);
  }
  return value;
}

function positive(scale: number): number {
  if (!(scale > 0 && scale < Infinity) || Math.fround(scale) !== scale) {
    throw new RangeError(`a scale must be a positive float32, not ${scale}`);
  }
  return scale;
}

/** Where layer i reads: steps back beyond the layer before it. */
function stepsBack(i: number, from: number | undefined): number {
  if (from === undefined) return 0;
  return int(`layer ${i} reads the output of layer`, i - 1 - from, 0, Math.min(i, 255));
}

/** Index of the layer that layer i reads, -1 for the input of them all. */
function sourcesOf(layers: readonly QuantLayer[], i: number): number[] {
  const layer = layers[i]!;
  const first = i - 1 - stepsBack(i, layer.from);
  return layer.type === 'add' ? [first, i - 1 - stepsBack(i, layer.from2)] : [first];
}

/**
 * Writes layers as a `backbone` or `head` part, in the form of layer-form.ts.
 *
 * @param layers in the order they run; what one reads must be what its source gives
 * @param scoreScale real value of one step of the logits (scale of the last layer); 0 in a backbone
 * @throws RangeError if something does not fit its field, or the layers do not fit each other
 */
export function encodeLayers(layers: readonly QuantLayer[], scoreScale: number): Uint8Array {
  const far = new Set<number>();
  layers.forEach((_, i) => {
    sourcesOf(layers, i).forEach((source, term) => {
      if (source < i - 1 || term > 0) far.add(source); // a second term is always read by its place
      fit(layers, i, source);
    });
  });
  const bodies = layers.map((layer, i) => {
    const wiring = sourcesOf(layers, i).map((source) => i - 1 - source);
    return encodeLayer(layer, wiring, far.has(i));
  });
  const bytes = new Uint8Array(bodies.reduce((sum, body) => sum + body.length, 4));
  bytes[0] = int('number of layers', layers.length, 0, 255);
  const score = int('score multiplier', Math.round(scoreScale * SCORE_STEPS), 0, 65535);
  new DataView(bytes.buffer).setUint16(1, score, true);
  let at = 4;
  for (const body of bodies) {
    bytes.set(body, at);
    at += body.length;
  }
  return bytes;
}

/**
 * Throws RangeError unless layer i takes what its source gives: a layer, or the net's input (-1).
 * Only how many values counts: a RESHAPE moves none, so it is no layer.
 */
function fit(layers: readonly QuantLayer[], i: number, from: number): void {
  const given = from < 0 ? layerSizes(layers[0]!).input : layerSizes(layers[from]!).output;
  if (layerSizes(layers[i]!).input === given) return;
  const source = from < 0 ? 'the input' : `what layer ${from} gives`;
  throw new RangeError(`layer ${i} does not take ${source} (${given} values)`);
}

/**
 * Reads a `backbone` or `head` part: the exact inverse of encodeLayers.
 *
 * @param part whole part, at any alignment
 * @throws RangeError if the part ends early, names an unknown layer, or holds what encodeLayers
 *   would not have written: integers that are not those of its scales, for one
 */
export function decodeLayers(part: Uint8Array): QuantLayer[] {
  const bytes = part.slice();
  const view = new DataView(bytes.buffer);
  const layers: QuantLayer[] = [];
  let at = 4;
  for (let i = 0; i < view.getUint8(0); i++) {
    const { layer, end } = decodeLayer(view, at, i);
    layers.push(layer);
    at = end;
  }
  if (at !== bytes.length) throw new RangeError(`part has ${bytes.length} bytes, not ${at}`);
  const again = encodeLayers(layers, view.getUint16(1, true) / SCORE_STEPS);
  const different = again.findIndex((byte, i) => byte !== bytes[i]);
  if (different >= 0) throw new RangeError(`byte ${different} of the part is not as written`);
  return layers;
}
