import Type, { type Static } from 'typebox';
import { partTypes } from './layer-codec.ts';
import { layerGeometry, layerSizes, type QuantLayer } from './quant-layer.ts';

/** One layer, for people and programs. */
export const LayerSummary = Type.Object({
  operator: Type.String(),
  input: Type.Array(Type.Integer(), { description: '[height, width, channels], or [values]' }),
  output: Type.Array(Type.Integer()),
  activation: Type.String({ description: 'fused behind it' }),
  macs: Type.Integer({ description: 'multiplications of one inference' }),
  weights: Type.Integer(),
});
export type LayerSummary = Static<typeof LayerSummary>;

/** What a model costs. */
export const ModelSummary = Type.Object({
  layers: Type.Array(LayerSummary),
  macs: Type.Integer(),
  weights: Type.Integer(),
  ram: Type.Integer({
    description:
      "bytes of activations that live at the same time, the largest moment, with the kernel's copies",
  }),
});
export type ModelSummary = Static<typeof ModelSummary>;

const OPERATORS: Record<QuantLayer['type'], string> = {
  dense: 'FULLY_CONNECTED',
  conv2d: 'CONV_2D',
  depthwise2d: 'DEPTHWISE_CONV_2D',
  maxpool2d: 'MAX_POOL_2D',
  avgpool2d: 'AVERAGE_POOL_2D',
  mean: 'MEAN',
  add: 'ADD',
  softmax: 'SOFTMAX',
  logistic: 'LOGISTIC',
  quantise: 'QUANTIZE',
};

/**
 * Counts what layers cost.
 *
 * @param layers in the order they run
 * @example summarise([{ type: 'mean', height: 5, width: 3, channels: 2, input: { scale: 1, zero: 0 }, output: { scale: 1, zero: 0 } }]).ram // 32
 */
export function summarise(layers: readonly QuantLayer[]): ModelSummary {
  const rows = layers.map(summaryOf);
  const last = lastReaders(layers);
  const sizes = [layerSizes(layers[0]!).input, ...layers.map((layer) => layerSizes(layer).output)];
  let ram = 0;
  layers.forEach((layer, i) => {
    // what lies about while layer i runs: what it or a later one reads, what it makes, its copies
    let live = sizes[i + 1]! + scratch(layer);
    for (let k = 0; k <= i; k++) if ((last[k] ?? -1) >= i) live += sizes[k]!;
    ram = Math.max(ram, live);
  });
  const sum = (of: (row: LayerSummary) => number): number =>
    rows.reduce((total, row) => total + of(row), 0);
  return { layers: rows, macs: sum((row) => row.macs), weights: sum((row) => row.weights), ram };
}

/** Index of the last layer that reads each tensor: first the input, then what each layer gives. */
function lastReaders(layers: readonly QuantLayer[]): number[] {
  const last: number[] = [];
  layers.forEach((layer, i) => {
    last[(layer.from ?? i - 1) + 1] = i;
    if (layer.type === 'add') last[layer.from2 + 1] = i;
  });
  return last;
}

/** Bytes that the kernel copies an input into. @source device/core/kernel.ts, planes.ts */
function scratch(layer: QuantLayer): number {
  if (layer.type !== 'conv2d' && layer.type !== 'depthwise2d') return 0;
  const g = layerGeometry(layer);
  const oneRow = layer.height === 1 && layer.kernelHeight === 1;
  if (layer.type === 'conv2d' && oneRow) {
    const padded = ((g.widthOut - 1) * g.strideWidth + g.kernelWidth) * g.channelsIn;
    return padded > layerSizes(layer).input ? padded : 0;
  }
  return g.heightOut * g.widthOut * g.kernelHeight * g.kernelWidth * g.channelsIn;
}

function summaryOf(layer: QuantLayer): LayerSummary {
  const g = layerGeometry(layer);
  const activation = 'activation' in layer ? layer.activation : 'none';
  const isFlat = layer.type === 'dense' || 'size' in layer;
  return {
    operator: OPERATORS[layer.type],
    input: isFlat ? [g.channelsIn] : [g.heightIn, g.widthIn, g.channelsIn],
    output:
      isFlat || layer.type === 'mean' ? [g.channelsOut] : [g.heightOut, g.widthOut, g.channelsOut],
    activation,
    macs: macsOf(layer),
    weights: 'weights' in layer ? layer.weights.length : 0,
  };
}

/** Multiplications of one inference; of what does not multiply, the values that it reads. */
export function macsOf(layer: QuantLayer): number {
  const { input, output } = layerSizes(layer);
  if (!('kernelHeight' in layer)) return layer.type === 'dense' ? layer.weights.length : input;
  const depth = layer.type === 'conv2d' ? layer.channels : 1;
  return output * layer.kernelHeight * layer.kernelWidth * depth;
}

/** What of the core runs a layer, by the name that a part has for it. */
const NEEDS: Record<string, string[]> = {
  dense: [],
  conv1d: ['CONV1D'],
  maxpool1d: ['POOL'],
  avgpool1d: ['POOL'],
  conv2d: ['CONV1D', 'PLANE'],
  depthwise2d: ['CONV1D', 'PLANE'],
  maxpool2d: ['PLANE'],
  avgpool2d: ['PLANE'],
  mean: ['PLANE'],
};

/**
 * Parts of the core that a bundle must hold to run the layers: see device/core/options.ts.
 *
 * @example needsOf([{ type: 'softmax', size: 2, input: { scale: 1, zero: 0 }, beta: 1 }]) // ['POINT']
 */
export function needsOf(layers: readonly QuantLayer[]): string[] {
  const needs = new Set(partTypes(layers).flatMap((type) => NEEDS[type] ?? ['POINT']));
  for (const layer of layers) {
    if (layer.from !== undefined) needs.add('POINT');
    if (layer.type === 'dense' && layer.weightScale.length > 1) needs.add('CONV1D');
  }
  return [...needs].sort();
}
