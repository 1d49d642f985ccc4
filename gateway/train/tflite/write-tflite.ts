import {
  layerGeometry,
  outputOf,
  type Quantisation,
  type QuantLayer,
  type Weighted,
} from '../quant-layer.ts';
import { assemble, type Made } from './assemble.ts';
import type { Fields } from './flat-writer.ts';
import { optionsOf } from './operator-options.ts';
import * as s from './schema.ts';

/** Oldest TensorFlow that runs these versions of the operators; per-channel dense layers are young. */
const RUNTIME = { usual: '1.14.0', perChannelDense: '2.17.0' };
const RUNTIME_BYTES = 16;

/** Versions that the converter gives int8 operators. @source tensorflow/lite/tools/versioning/op_version.cc */
const VERSIONS: Record<string, number> = {
  ADD: 2,
  AVERAGE_POOL_2D: 2,
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 3,
  FULLY_CONNECTED: 4,
  LOGISTIC: 2,
  MAX_POOL_2D: 2,
  MEAN: 2,
  QUANTIZE: 1,
  RESHAPE: 1,
  SOFTMAX: 2,
};
const PER_CHANNEL_DENSE = 12;

/**
 * Writes layers as a .tflite file: int8 in and out, every operator quantised, static shapes, a batch
 * of 1, per-tensor FULLY_CONNECTED with int32 bias where the layers are so: what a Coral Edge TPU
 * compiler asks for.
 *
 * The file's input is the input of the first layer: normalised by `pre`, which has no operator here.
 * {@link readTflite} reads the very same layers back.
 *
 * @param layers in the order they run
 * @param metadata buffers that travel with the model, by name
 * @returns the file; the same layers and metadata give the same bytes
 * @throws RangeError if a layer does not read what its source gives
 */
export function writeTflite(
  layers: readonly QuantLayer[],
  metadata: Record<string, Uint8Array> = {},
): Uint8Array {
  const first = layers[0];
  if (first === undefined) throw new RangeError('a model needs a layer');
  const tensors: Made[] = [];
  const operators: Fields[] = [];
  const codes: [name: string, version: number][] = [];

  function tensor(made: Made): number {
    return tensors.push(made) - 1;
  }
  function activation(name: string, shape: number[], quantisation: Quantisation): number {
    return tensor({ name, shape, type: s.TYPE.INT8, quantisation });
  }
  function operator(
    name: keyof typeof s.CODE,
    inputs: number[],
    output: number,
    options?: [kind: number, fields: Fields],
    version = VERSIONS[name] ?? 1,
  ): void {
    let opcode = codes.findIndex(([known, v]) => known === name && v === version);
    if (opcode < 0) opcode = codes.push([name, version]) - 1;
    const fields: Fields = {
      [s.OPERATOR.opcode]: ['uint32', opcode],
      [s.OPERATOR.inputs]: ['int32s', inputs],
      [s.OPERATOR.outputs]: ['int32s', [output]],
    };
    if (options !== undefined) {
      fields[s.OPERATOR.optionsType] = ['int8', options[0]];
      fields[s.OPERATOR.options] = ['table', options[1]];
    }
    operators.push(fields);
  }
  /** A tensor's values in another shape; the tensor itself where it has that shape. */
  function shaped(from: number, shape: number[]): number {
    const { shape: had, quantisation } = tensors[from]!;
    if (String(had) === String(shape)) return from;
    const name = `${tensors[from]!.name}/${shape.length === 2 ? 'flat' : 'plane'}`;
    const to = activation(name, shape, quantisation!);
    const wanted = tensor({ ...int32s(`${name}/shape`, shape) });
    operator('RESHAPE', [from, wanted], to, [
      s.OPTIONS.reshape,
      { [s.RESHAPE.newShape]: ['int32s', shape] },
    ]);
    return to;
  }

  const input = activation('input', inputShape(first), first.input);
  const gives: number[] = [];
  layers.forEach((layer, i) => {
    const read = (source: number, quantisation: Quantisation): number => {
      const from = source < 0 ? input : gives[source]!;
      const { scale, zero } = tensors[from]!.quantisation!;
      if (scale !== quantisation.scale || zero !== quantisation.zero) {
        throw new RangeError(`layer ${i} reads other steps than layer ${source} gives`);
      }
      return from;
    };
    const name = `layer${i}/${layer.type}`;
    const source = read(layer.from ?? i - 1, layer.input);
    const { shape: given } = tensors[source]!;
    const here = layer.type === 'add' ? given : inputShape(layer);
    const from = shaped(source, 'size' in layer && layer.type !== 'softmax' ? given : here);
    const to = activation(name, outputShape(layer, tensors[from]!.shape), outputOf(layer));
    gives.push(to);
    switch (layer.type) {
      case 'dense':
      case 'conv2d':
      case 'depthwise2d': {
        const [weights, bias] = constants(layer, name).map(tensor) as [number, number];
        const perChannel = layer.type === 'dense' && layer.weightScale.length > 1;
        const version = perChannel ? PER_CHANNEL_DENSE : undefined;
        operator(OPERATORS[layer.type], [from, weights, bias], to, optionsOf(layer), version);
        break;
      }
      case 'mean': {
        const axes = tensor(int32s(`${name}/axes`, [1, 2]));
        operator('MEAN', [from, axes], to, optionsOf(layer));
        break;
      }
      case 'add': {
        const second = shaped(read(layer.from2, layer.input2), tensors[from]!.shape);
        operator('ADD', [from, second], to, optionsOf(layer));
        break;
      }
      default:
        operator(OPERATORS[layer.type], [from], to, optionsOf(layer));
    }
  });
  const runtime = new Uint8Array(RUNTIME_BYTES);
  const isYoung = codes.some(([, version]) => version === PER_CHANNEL_DENSE);
  const oldest = isYoung ? RUNTIME.perChannelDense : RUNTIME.usual;
  runtime.set(new TextEncoder().encode(oldest));
  const graph = { tensors, operators, input, output: gives.at(-1)! };
  return assemble(graph, codes, { min_runtime_version: runtime, ...metadata });
}

const OPERATORS = {
  dense: 'FULLY_CONNECTED',
  conv2d: 'CONV_2D',
  depthwise2d: 'DEPTHWISE_CONV_2D',
  maxpool2d: 'MAX_POOL_2D',
  avgpool2d: 'AVERAGE_POOL_2D',
  softmax: 'SOFTMAX',
  logistic: 'LOGISTIC',
  quantise: 'QUANTIZE',
} as const;

function inputShape(layer: QuantLayer): number[] {
  const g = layerGeometry(layer);
  const isFlat = layer.type === 'dense' || 'size' in layer;
  return isFlat ? [1, g.channelsIn] : [1, g.heightIn, g.widthIn, g.channelsIn];
}

function outputShape(layer: QuantLayer, given: number[]): number[] {
  const g = layerGeometry(layer);
  if ('size' in layer) return given;
  const isFlat = layer.type === 'dense' || layer.type === 'mean';
  return isFlat ? [1, g.channelsOut] : [1, g.heightOut, g.widthOut, g.channelsOut];
}

function int32s(name: string, values: number[]): Made {
  const data = new Uint8Array(4 * values.length);
  const view = new DataView(data.buffer);
  values.forEach((value, i) => {
    view.setInt32(4 * i, value, true);
  });
  return { name, shape: [values.length], type: s.TYPE.INT32, data };
}

/** Weights and bias of a layer. */
function constants(layer: Weighted, name: string): [Made, Made] {
  const rows = layer.bias.length;
  const kernel = layer.type === 'dense' ? [] : [layer.kernelHeight, layer.kernelWidth];
  const isDepthwise = layer.type === 'depthwise2d';
  const taps = layer.weights.length / rows;
  const values = isDepthwise
    ? layer.weights.map((_, i) => layer.weights[(i % rows) * taps + Math.floor(i / rows)]!)
    : layer.weights;
  const bias = int32s(`${name}/bias`, [...layer.bias]);
  return [
    {
      name: `${name}/weights`,
      shape: isDepthwise
        ? [1, ...kernel, rows]
        : [rows, ...kernel, taps / (kernel[0] ?? 1) / (kernel[1] ?? 1)],
      type: s.TYPE.INT8,
      data: new Uint8Array(values.buffer, values.byteOffset, values.length),
      scales: layer.weightScale,
      dimension: isDepthwise ? 3 : 0,
    },
    { ...bias, scales: layer.weightScale.map((scale) => layer.input.scale * scale) },
  ];
}
