import { damaged } from './flat-table.ts';
import { type Operator, refused } from './graph.ts';

/** Constant int8 weights. */
export interface Weights {
  shape: number[];
  /** a view of the file */
  values: Int8Array;
  /** one, or one an output channel */
  scale: Float32Array;
}

/** Kernels are at most so tall and wide, here and on a device. */
const MOST_KERNEL = 255;
/** As TFLM allows a bias' scale to be off, in steps of the output. */
const BIAS_SCALE_OFF = 0.02;

/**
 * Weights of an operator: its second input.
 *
 * @param dimensions that they must have
 * @param axis that scales of their own may belong to
 * @throws GatewayError 'bad-model' if they are computed, not int8, or not symmetric
 */
export function readWeights(operator: Operator, dimensions: number, axis: number): Weights {
  const tensor = operator.inputs[1];
  if (tensor === undefined) throw damaged(`${operator.name} has no weights`);
  const { name, shape, type, data, scale, zero } = tensor;
  if (type !== 'int8') {
    throw refused(
      `the weights '${name}' are ${type}`,
      'convert with full-integer int8 quantisation',
    );
  }
  if (data === undefined) throw refused(`the weights '${name}' are no constant`);
  if (shape.length !== dimensions) throw damaged(`the weights '${name}' have the shape [${shape}]`);
  const channels = shape[axis]!;
  if (scale.length === 0) throw refused(`the weights '${name}' have no scale`);
  if (scale.length > 1 && (scale.length !== channels || tensor.dimension !== axis)) {
    throw refused(`the weights '${name}' have ${scale.length} scales for ${channels} channels`);
  }
  if (zero.some((z) => z !== 0)) {
    throw refused(
      `the weights '${name}' have a zero point other than 0`,
      'convert with symmetric weights',
    );
  }
  if (scale.some((value) => !(value > 0 && value < Infinity))) {
    throw damaged(`the weights '${name}' have a scale that is not positive`);
  }
  return { shape, values: new Int8Array(data.buffer, data.byteOffset, data.length), scale };
}

/**
 * Bias of an operator: its third input; zeros where there is none.
 *
 * @throws GatewayError 'bad-model' if it is not one int32 an output, in steps of input × weight scale
 */
export function readBias(
  operator: Operator,
  outputs: number,
  inputScale: number,
  weightScale: Float32Array,
): Int32Array {
  const tensor = operator.inputs[2];
  if (tensor === undefined) return new Int32Array(outputs);
  const { name, type, data, size, scale } = tensor;
  if (type !== 'int32' || data === undefined) {
    throw refused(
      `the bias '${name}' is ${data === undefined ? 'no constant' : type}`,
      'it must be int32',
    );
  }
  if (size !== outputs) throw damaged(`the bias '${name}' has ${size} values for ${outputs}`);
  const step = operator.output.scale[0] ?? 1;
  const isOff = scale.some((value, i) => {
    const own = weightScale[weightScale.length === 1 ? 0 : i] ?? 0;
    return !(Math.abs(value - inputScale * own) / step <= BIAS_SCALE_OFF);
  });
  if (isOff) throw refused(`the bias '${name}' is not in steps of input × weight scale`);
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  return Int32Array.from({ length: outputs }, (_, i) => view.getInt32(4 * i, true));
}

/** Shape of a kernel: [filters][height][width][channels]. */
interface Kernel {
  filters: number;
  height: number;
  width: number;
  channels: number;
}

/**
 * Spreads a dilated kernel: zeros between its weights give the same sums, for a plain convolution.
 *
 * @param values of the kernel, row by row
 * @param dilation steps from one weight to the next, down and across
 * @returns a copy, and its height and width
 * @throws GatewayError 'bad-model' if it becomes larger than a device's kernel
 * @example dilate(Int8Array.of(1, 2), { filters: 1, height: 1, width: 2, channels: 1 }, [1, 3]).values // Int8Array.of(1, 0, 0, 2)
 */
export function dilate(
  values: Int8Array,
  { filters, height, width, channels }: Kernel,
  [down, across]: readonly [number, number],
  operator?: Pick<Operator, 'name'>,
): { values: Int8Array; height: number; width: number } {
  const tall = (height - 1) * down + 1;
  const wide = (width - 1) * across + 1;
  if (!(down >= 1 && across >= 1 && tall <= MOST_KERNEL && wide <= MOST_KERNEL)) {
    throw refused(
      `${operator?.name ?? 'a layer'} has a kernel of ${tall} × ${wide}`,
      `at most ${MOST_KERNEL} × ${MOST_KERNEL} run on devices`,
    );
  }
  const size = filters * tall * wide * channels;
  if (size > values.length * MOST_KERNEL ** 2) throw damaged('a kernel');
  const out = new Int8Array(size);
  for (let i = 0; i < values.length; i++) {
    const c = i % channels;
    const x = Math.floor(i / channels) % width;
    const y = Math.floor(i / channels / width) % height;
    const f = Math.floor(i / channels / width / height);
    out[((f * tall + y * down) * wide + x * across) * channels + c] = values[i]!;
  }
  return { values: out, height: tall, width: wide };
}
