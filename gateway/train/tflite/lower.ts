import {
  type Activation,
  layerGeometry,
  type Quantisation,
  type QuantLayer,
  SHARE,
  type Sliding,
} from '../quant-layer.ts';
import { damaged, type Table } from './flat-table.ts';
import { type Operator, refused } from './graph.ts';
import * as s from './schema.ts';
import type { Activations, Activation as Source } from './tensors.ts';
import { dilate, readBias, readWeights } from './weights.ts';

/**
 * Turns one operator into the layer that computes the same.
 *
 * @param operator of the file
 * @param made what the operators before it gave
 * @param index of the layer
 * @param notes gets a line where something is read otherwise than it stands in the file
 * @throws GatewayError 'bad-model' if the operator asks for what devices do not do
 */
export function lowerOperator(
  operator: Operator,
  made: Activations,
  index: number,
  notes: string[],
): QuantLayer {
  const source = made.int8(operator, 0);
  const output = made.quantisation(operator.output);
  const wired = source.layer === index - 1 ? {} : { from: source.layer };
  const context = { operator, source, output, notes };
  switch (operator.name) {
    case 'FULLY_CONNECTED':
      return { ...dense(context), ...wired };
    case 'CONV_2D':
    case 'DEPTHWISE_CONV_2D':
      return { ...convolution(context), ...wired };
    case 'MAX_POOL_2D':
    case 'AVERAGE_POOL_2D':
      return { ...pool(context), ...wired };
    case 'MEAN':
      return { ...mean(context), ...wired };
    case 'ADD':
      return { ...add(context, made.int8(operator, 1), index), ...wired };
    default:
      return { ...pointwise(context), ...wired };
  }
}

interface Context {
  operator: Operator;
  source: Source;
  output: Quantisation;
  notes: string[];
}

function dense({ operator, source, output }: Context): QuantLayer {
  const { options } = operator;
  if (options !== undefined && options.int8(s.DENSE.weightsFormat) !== 0) {
    throw refused(
      `${operator.name} has shuffled weights`,
      'convert it without optimising for a CPU',
    );
  }
  const weights = readWeights(operator, 2, 0);
  const [outputs = 0, inputs = 0] = weights.shape;
  expectShape(operator, source.size === inputs && operator.output.size === outputs);
  const input = source.quantisation;
  return {
    type: 'dense',
    inputs,
    outputs,
    weights: weights.values.slice(),
    bias: readBias(operator, outputs, input.scale, weights.scale),
    weightScale: weights.scale,
    input,
    output,
    activation: activationOf(operator, options, s.DENSE.activation),
  };
}

function convolution({ operator, source, output, notes }: Context): QuantLayer {
  const isDepthwise = operator.name === 'DEPTHWISE_CONV_2D';
  const fields = isDepthwise ? s.DEPTHWISE : s.CONV;
  const options = needed(operator);
  const [height, width, channels] = plane(operator, source.shape);
  const weights = readWeights(operator, 4, isDepthwise ? 3 : 0);
  const [first = 0, tall = 0, wide = 0, last = 0] = weights.shape;
  const filters = isDepthwise ? last : first;
  const fits = isDepthwise ? first === 1 && filters % channels === 0 : last === channels;
  if (!fits) {
    throw refused(
      `${operator.name} has weights [${weights.shape}] for ${channels} channels`,
      'grouped convolutions do not run on devices',
    );
  }
  const dilation = [
    options.int32(fields.dilationHeight, 1),
    options.int32(fields.dilationWidth, 1),
  ] as const;
  const rows = { filters, height: tall, width: wide, channels: isDepthwise ? 1 : channels };
  const values = isDepthwise ? channelMajor(weights.values, filters) : weights.values;
  const kernel = dilate(values, rows, dilation, operator);
  if (kernel.height !== tall || kernel.width !== wide) {
    notes.push(
      `${operator.name}: dilation ${dilation.join(' × ')} becomes a kernel of ` +
        `${kernel.height} × ${kernel.width} with zeros between its weights`,
    );
  }
  const sliding = upright({
    ...{ height, width, channels, kernelHeight: kernel.height, kernelWidth: kernel.width },
    strideHeight: options.int32(fields.strideHeight),
    strideWidth: options.int32(fields.strideWidth),
    padding: paddingOf(operator, options),
  });
  const input = source.quantisation;
  const common = {
    ...sliding,
    weights: kernel.values,
    bias: readBias(operator, filters, input.scale, weights.scale),
    weightScale: weights.scale,
    input,
    output,
    activation: activationOf(operator, options, fields.activation),
  };
  return shaped(
    operator,
    isDepthwise
      ? { type: 'depthwise2d', ...common, depthMultiplier: filters / channels }
      : { type: 'conv2d', ...common, filters },
  );
}

/** Weights [1][height][width][out] as [out][height][width]. */
function channelMajor(values: Int8Array, filters: number): Int8Array {
  const taps = values.length / filters;
  return Int8Array.from(values, (_, i) => values[(i % taps) * filters + Math.floor(i / taps)]!);
}

/** One column is one row: the same numbers, in the form that the smaller kernels know. */
function upright(sliding: Sliding): Sliding {
  const { height, width, kernelHeight, kernelWidth, strideHeight } = sliding;
  if (width !== 1 || kernelWidth !== 1 || height === 1) return sliding;
  return {
    ...sliding,
    ...{ height: 1, width: height, kernelHeight: 1, kernelWidth: kernelHeight },
    ...{ strideHeight: 1, strideWidth: strideHeight },
  };
}

function pool({ operator, source, output }: Context): QuantLayer {
  const options = needed(operator);
  const input = source.quantisation;
  if (input.scale !== output.scale || input.zero !== output.zero) {
    throw refused(`${operator.name} changes the scale`, 'convert it again: a pool keeps the scale');
  }
  const [height, width, channels] = plane(operator, source.shape);
  const sliding = upright({
    ...{ height, width, channels },
    kernelHeight: options.int32(s.POOL.kernelHeight),
    kernelWidth: options.int32(s.POOL.kernelWidth),
    strideHeight: options.int32(s.POOL.strideHeight),
    strideWidth: options.int32(s.POOL.strideWidth),
    padding: paddingOf(operator, options),
  });
  return shaped(operator, {
    type: operator.name === 'MAX_POOL_2D' ? 'maxpool2d' : 'avgpool2d',
    ...sliding,
    input,
    activation: activationOf(operator, options, s.POOL.activation),
  });
}

function mean({ operator, source, output }: Context): QuantLayer {
  const { shape } = source;
  const axes = operator.inputs[1];
  if (axes?.type !== 'int32' || axes.data === undefined || axes.size > 4) {
    throw refused('MEAN has no constant axes', 'convert a global average pooling');
  }
  const view = new DataView(axes.data.buffer, axes.data.byteOffset, axes.data.length);
  const over = Array.from({ length: axes.size }, (_, i) => view.getInt32(4 * i, true));
  const folded = new Set(over.map((axis) => (axis < 0 ? axis + shape.length : axis)));
  const [height, width, channels] = plane(operator, shape);
  const isGlobal = shape.every((n, i) => {
    const isSpatial = i > 0 && i < shape.length - 1;
    return isSpatial ? n === 1 || folded.has(i) : !folded.has(i);
  });
  if (!isGlobal) {
    throw refused(
      `MEAN over the axes ${over} of [${shape}]`,
      'only all of height and width are averaged',
    );
  }
  const input = source.quantisation;
  return shaped(operator, { type: 'mean', height, width, channels, input, output });
}

function add({ operator, source, output }: Context, second: Source, index: number): QuantLayer {
  const same = source.size === second.size && source.size === operator.output.size;
  if (!same || String(source.shape) !== String(second.shape)) {
    throw refused(
      `ADD of [${source.shape}] and [${second.shape}]`,
      'both terms must have one shape',
    );
  }
  return {
    type: 'add',
    size: source.size,
    from2: second.layer === index - 1 ? index - 1 : second.layer,
    input: source.quantisation,
    input2: second.quantisation,
    output,
    activation: activationOf(operator, operator.options, s.ADD.activation),
  };
}

function pointwise({ operator, source, output }: Context): QuantLayer {
  const { name, output: tensor, options } = operator;
  const { size, quantisation: input, shape } = source;
  expectShape(operator, tensor.size === size);
  if (name === 'QUANTIZE') return { type: 'quantise', size, input, output };
  if (output.scale !== SHARE.scale || output.zero !== SHARE.zero) {
    throw refused(`${name} gives steps of ${output.scale}`, 'it must be 1/256, zero point -128');
  }
  if (name === 'LOGISTIC') return { type: 'logistic', size, input, output };
  if (shape.at(-1) !== size) {
    throw refused(`SOFTMAX over the last of [${shape}]`, 'it must be over all values');
  }
  const beta = options?.float32(s.SOFTMAX.beta) ?? 1;
  if (!(beta > 0 && beta < Infinity)) throw damaged(`SOFTMAX has beta ${beta}`);
  return { type: 'softmax', size, input, beta };
}

/** Height, width and channels; one dimension is height 1. */
function plane({ name }: Operator, shape: number[]): [number, number, number] {
  const [batch, height, width, channels] =
    shape.length === 3 ? [shape[0], 1, shape[1], shape[2]] : shape;
  if (shape.length < 3 || shape.length > 4 || batch !== 1) {
    throw refused(`${name} reads the shape [${shape}]`, 'it must be [1, height, width, channels]');
  }
  return [height!, width!, channels!];
}

function shaped(operator: Operator, layer: QuantLayer): QuantLayer {
  let size: number;
  try {
    const g = layerGeometry(layer);
    size = g.heightOut * g.widthOut * g.channelsOut;
  } catch (error) {
    throw refused(`${operator.name} (operator ${operator.index}): ${(error as Error).message}`);
  }
  expectShape(operator, size === operator.output.size);
  return layer;
}

function expectShape({ name, index, output }: Operator, fits: boolean): void {
  if (fits) return;
  throw damaged(`${name} (operator ${index}) cannot give [${output.shape}] of what it reads`);
}

function needed({ name, options }: Operator): Table {
  if (options === undefined) throw damaged(`${name} has no options`);
  return options;
}

function paddingOf({ name }: Operator, options: Table): 'same' | 'valid' {
  const padding = s.PADDINGS[options.int8(s.CONV.padding)]; // field 0 in every operator's options
  if (padding === undefined) throw damaged(`${name} has an unknown padding`);
  return padding;
}

function activationOf({ name }: Operator, options: Table | undefined, field: number): Activation {
  const code = options?.int8(field) ?? 0;
  const activation = (s.ACTIVATIONS as Record<number, Activation>)[code];
  if (activation === undefined) {
    throw refused(`${name} has a fused activation other than RELU and RELU6`, 'use one of these');
  }
  return activation;
}
