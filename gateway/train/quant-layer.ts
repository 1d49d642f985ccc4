export { decodePre, encodePre, fitPre, type Pre } from './pre.ts';

/** What the device needs of a dense layer: all but the scales. */
export interface DeviceDense {
  type: 'dense';
  inputs: number;
  outputs: number;
  /** int8 [outputs][inputs] */
  weights: Int8Array;
  /** int32, as TensorFlow Lite has it: the input's zero point is not folded in */
  bias: Int32Array;
  /** one, or one an output */
  multiplier: Int32Array;
  shift: Int32Array;
  inputZero: number;
  outputZero: number;
  relu: boolean;
}

/** What the device needs of a one-dimensional convolution: all but the scales. */
export interface DeviceConv1d {
  type: 'conv1d';
  /** samples of the input */
  length: number;
  channels: number;
  filters: number;
  kernel: number;
  stride: number;
  padding: 'same' | 'valid';
  /** int8 [filters][kernel][channels] */
  weights: Int8Array;
  /** int32, as TensorFlow Lite has it: the input's zero point is not folded in */
  bias: Int32Array;
  /** one a filter, or one */
  multiplier: Int32Array;
  shift: Int32Array;
  inputZero: number;
  outputZero: number;
  relu: boolean;
}

/** A pool keeps scale and zero point; there is no padding. */
export interface QuantPool {
  type: 'maxpool1d' | 'avgpool1d';
  length: number;
  channels: number;
  pool: number;
  stride: number;
}

/** Real value of an int8: (q - zero) · scale. */
export interface Scales {
  inputScale: number;
  outputScale: number;
  /** one, or one an output channel; zero points of weights are 0 */
  weightScale: Float64Array;
}

export type DeviceLayer = DeviceDense | DeviceConv1d | QuantPool;
export type QuantDense = DeviceDense & Scales;
export type QuantConv1d = DeviceConv1d & Scales;
/** A layer in the int8 scheme of TensorFlow Lite. */
export type QuantLayer = QuantDense | QuantConv1d | QuantPool;

const TYPES = ['dense', 'conv1d', 'maxpool1d', 'avgpool1d'] as const;
const HEADER = 16;

/** Shape of a layer as the part has it. */
interface Geometry {
  channelsIn: number;
  channelsOut: number;
  lengthIn: number;
  lengthOut: number;
  kernel: number;
  stride: number;
  padLeft: number;
}

/**
 * Shape of a layer's input and output.
 *
 * @returns lengths and channels; padLeft as TensorFlow's SAME puts it (the odd one goes right)
 * @throws RangeError if the kernel is longer than an unpadded input, or a size leaves its field
 * @example layerGeometry({ type: 'maxpool1d', length: 23, channels: 8, pool: 2, stride: 2 }).lengthOut // 11
 */
export function layerGeometry(layer: DeviceLayer): Geometry {
  if (layer.type === 'dense') {
    const { inputs, outputs } = layer;
    const line = { lengthIn: 1, lengthOut: 1, kernel: 1, stride: 1, padLeft: 0 };
    return checked({ channelsIn: inputs, channelsOut: outputs, ...line });
  }
  const { length, channels, stride } = layer;
  const kernel = layer.type === 'conv1d' ? layer.kernel : layer.pool;
  const same = layer.type === 'conv1d' && layer.padding === 'same';
  const lengthOut = Math.ceil((same ? length : length - kernel + 1) / stride);
  const pad = same ? Math.max((lengthOut - 1) * stride + kernel - length, 0) : 0;
  return checked({
    channelsIn: channels,
    channelsOut: layer.type === 'conv1d' ? layer.filters : channels,
    lengthIn: length,
    lengthOut,
    kernel,
    stride,
    padLeft: Math.floor(pad / 2),
  });
}

function checked(geometry: Geometry): Geometry {
  for (const [name, value] of Object.entries(geometry)) {
    const most = name === 'kernel' || name === 'stride' ? 255 : name === 'padLeft' ? 127 : 65535;
    const least = name === 'padLeft' ? 0 : 1;
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new RangeError(`layer: ${name} must be ${least} to ${most}, not ${value}`);
    }
  }
  return geometry;
}

const align = (at: number): number => Math.ceil(at / 4) * 4;

/** inputZero · Σ of each row of weights. */
function foldedTerm(layer: DeviceDense | DeviceConv1d, rows: number): number[] {
  const size = layer.weights.length / rows;
  return Array.from(
    { length: rows },
    (_, row) =>
      layer.inputZero *
      layer.weights.subarray(row * size, (row + 1) * size).reduce((sum, w) => sum + w, 0),
  );
}

function encodeLayer(layer: DeviceLayer): Uint8Array {
  const g = layerGeometry(layer);
  const weighted = layer.type === 'dense' || layer.type === 'conv1d' ? layer : undefined;
  const size = weighted === undefined ? 0 : g.channelsOut * g.kernel * g.channelsIn;
  const rows = weighted === undefined ? 0 : g.channelsOut;
  const units = weighted === undefined ? 0 : weighted.multiplier.length;
  const biasAt = align(HEADER + size);
  const bytes = new Uint8Array(biasAt + 4 * rows + 4 * units + align(units));
  const view = new DataView(bytes.buffer);
  bytes.set([TYPES.indexOf(layer.type) + 1], 0);
  [g.channelsIn, g.channelsOut, g.lengthIn, g.lengthOut].forEach((value, i) => {
    view.setUint16(4 + 2 * i, value, true);
  });
  bytes.set([g.kernel, g.stride, g.padLeft], 12);
  if (weighted === undefined) return bytes;

  const lengths = [weighted.weights.length - size, weighted.bias.length - rows];
  lengths.push(weighted.shift.length - units, units === 1 ? 0 : units - rows);
  if (lengths.some((difference) => difference !== 0)) {
    throw new RangeError(`${layer.type} layer: an array's length does not fit its shape`);
  }
  bytes[1] = weighted.relu ? 1 : 0;
  view.setInt8(2, int('inputZero', weighted.inputZero, -128, 127));
  view.setInt8(3, int('outputZero', weighted.outputZero, -128, 127));
  bytes[15] = units > 1 ? 1 : 0;
  new Int8Array(bytes.buffer).set(weighted.weights, HEADER);
  foldedTerm(weighted, rows).forEach((term, row) => {
    const folded = int('folded bias', weighted.bias[row] - term, -(2 ** 31), 2 ** 31 - 1);
    view.setInt32(biasAt + 4 * row, folded, true);
  });
  weighted.multiplier.forEach((multiplier, i) => {
    view.setInt32(biasAt + 4 * rows + 4 * i, multiplier, true);
    const shift = int('shift', weighted.shift[i], -31, 30);
    view.setInt8(biasAt + 4 * rows + 4 * units + i, shift);
  });
  return bytes;
}

function int(name: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} must be an integer from ${least} to ${most}, not ${value}`);
  }
  return value;
}

/**
 * Writes layers as a `backbone` or `head` part.
 *
 * The part: u8 count, u16 score multiplier, u8 0, then each layer. A layer: u8 type, u8 relu, i8
 * zpIn, i8 zpOut, u16 channelsIn, channelsOut, lengthIn, lengthOut, u8 kernel, stride, padLeft,
 * perChannel; dense and convolution go on with int8 weights[out][kernel][in], int32 bias[out] (with
 * zpIn·Σrow subtracted), int32 multiplier and int8 shift, each one or [out]. Little-endian; every
 * array starts at a multiple of 4.
 *
 * @param layers in the order they run
 * @param scoreScale real value of one step of the logits (outputScale of the last layer); 0 in a
 *   backbone
 * @throws RangeError if something does not fit its field, or the layers do not fit each other
 */
export function encodeLayers(layers: readonly DeviceLayer[], scoreScale: number): Uint8Array {
  layers.forEach((layer, i) => {
    if (i === 0) return;
    const before = layerGeometry(layers[i - 1]);
    const here = layerGeometry(layer);
    const given = before.lengthOut * before.channelsOut;
    const flat = layer.type === 'dense' && here.channelsIn === given;
    if (!flat && (here.channelsIn !== before.channelsOut || here.lengthIn !== before.lengthOut)) {
      throw new RangeError(`layer ${i} does not take what layer ${i - 1} gives (${given} values)`);
    }
  });
  const bodies = layers.map(encodeLayer);
  const bytes = new Uint8Array(bodies.reduce((sum, body) => sum + body.length, 4));
  bytes[0] = int('number of layers', layers.length, 0, 255);
  const score = int('score multiplier', Math.round(scoreScale * 16 * 256), 0, 65535);
  new DataView(bytes.buffer).setUint16(1, score, true);
  let at = 4;
  for (const body of bodies) {
    bytes.set(body, at);
    at += body.length;
  }
  return bytes;
}

/**
 * Reads a `backbone` or `head` part: the exact inverse of encodeLayers, without the scales.
 *
 * @param part whole part, at any alignment
 * @returns layers, and the score's multiplier (real logit step · 4096)
 * @throws RangeError if the part ends early or names an unknown layer
 */
export function decodeLayers(part: Uint8Array): { layers: DeviceLayer[]; scoreMultiplier: number } {
  const bytes = part.slice();
  const view = new DataView(bytes.buffer);
  const layers: DeviceLayer[] = [];
  let at = 4;
  for (let i = 0; i < view.getUint8(0); i++) {
    const type = TYPES[view.getUint8(at) - 1];
    if (type === undefined) throw new RangeError(`layer ${i} has unknown type ${bytes[at]}`);
    const [channels, outputs, length, lengthOut] = [4, 6, 8, 10].map((o) =>
      view.getUint16(at + o, true),
    );
    const [kernel, stride] = [view.getUint8(at + 12), view.getUint8(at + 13)];
    if (type === 'maxpool1d' || type === 'avgpool1d') {
      layers.push({ type, length, channels, pool: kernel, stride });
      at += HEADER;
      continue;
    }
    const size = outputs * kernel * channels;
    const biasAt = align(at + HEADER + size);
    const units = view.getUint8(at + 15) === 1 ? outputs : 1;
    const shiftAt = biasAt + 4 * outputs + 4 * units;
    const common = {
      weights: new Int8Array(bytes.buffer, at + HEADER, size).slice(),
      bias: new Int32Array(bytes.buffer, biasAt, outputs).slice(),
      multiplier: new Int32Array(bytes.buffer, biasAt + 4 * outputs, units).slice(),
      shift: Int32Array.from(new Int8Array(bytes.buffer, shiftAt, units)),
      inputZero: view.getInt8(at + 2),
      outputZero: view.getInt8(at + 3),
      relu: view.getUint8(at + 1) === 1,
    };
    const valid = lengthOut === Math.ceil((length - kernel + 1) / stride);
    const layer: DeviceLayer =
      type === 'dense'
        ? { type, inputs: channels, outputs, ...common }
        : {
            type,
            length,
            channels,
            filters: outputs,
            kernel,
            stride,
            padding: valid ? 'valid' : 'same',
            ...common,
          };
    foldedTerm(layer, outputs).forEach((term, row) => {
      layer.bias[row] += term;
    });
    layers.push(layer);
    at = shiftAt + align(units);
  }
  if (at !== bytes.length) throw new RangeError(`part has ${bytes.length} bytes, not ${at}`);
  return { layers, scoreMultiplier: view.getUint16(1, true) };
}

/**
 * Splits a real scale into the significand and power of two of the integer kernels.
 *
 * @param real scale, 0 or positive
 * @returns multiplier in [2^30, 2^31) and shift, with real ≈ multiplier / 2^31 · 2^shift; both 0
 *   for 0 and for what is below 2^-32
 * @throws RangeError if real is negative, not finite, or 2^30 or more
 * @source TensorFlow Lite QuantizeMultiplier (quantization_util.cc)
 * @example quantiseMultiplier(0.046875) // { multiplier: 1610612736, shift: -4 }
 */
export function quantiseMultiplier(real: number): { multiplier: number; shift: number } {
  if (!(real >= 0 && real < 2 ** 30)) throw new RangeError(`scale must be 0 to 2^30, not ${real}`);
  if (real === 0) return { multiplier: 0, shift: 0 };
  let shift = Math.ceil(Math.log2(real)) + 0; // never -0
  while (real / 2 ** shift >= 1) shift++;
  while (real / 2 ** shift < 0.5) shift--;
  let multiplier = Math.floor((real / 2 ** shift) * 2 ** 31 + 0.5);
  if (multiplier === 2 ** 31) {
    multiplier = 2 ** 30;
    shift++;
  }
  return shift < -31 ? { multiplier: 0, shift: 0 } : { multiplier, shift };
}
