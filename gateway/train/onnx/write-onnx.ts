import {
  activationBounds,
  type Geometry,
  layerGeometry,
  outputOf,
  type Quantisation,
  type QuantLayer,
  type Sliding,
  type Weighted,
} from '../quant-layer.ts';
import {
  type Attribute,
  ELEMENT,
  type OnnxNode,
  type OnnxTensor,
  writeOnnxFile,
} from './onnx-file.ts';

/**
 * An int8 tensor: flat, [1, values] in Whetstone's order, or a plane, [1, channels, height, width] as
 * ONNX's operators want it.
 */
interface Made {
  name: string;
  quantisation: Quantisation;
  plane: { height: number; width: number; channels: number } | undefined;
  size: number;
}

/** A tie is moved by less than one part in so many of what lies between it and the next average. */
const LEAST_SHARE = 1024;

/**
 * Writes layers as an ONNX file in QDQ form: between DequantizeLinear and QuantizeLinear each
 * operator stands in float32, and ONNX Runtime fuses the three into one that computes in int8.
 *
 * Input and output are int8, the same numbers in the same order as the .tflite file's: float edges
 * would cost a conversion each and gain nothing. ONNX rounds ties to even where TensorFlow Lite
 * rounds up, so a value may differ by a step.
 *
 * @param layers in the order they run
 * @returns the file; the same layers give the same bytes
 * @throws RangeError without layers
 */
export function writeOnnx(layers: readonly QuantLayer[]): Uint8Array {
  const first = layers[0];
  if (first === undefined) throw new RangeError('a model needs a layer');
  const nodes: OnnxNode[] = [];
  const constants: OnnxTensor[] = [];

  function node(
    op: string,
    inputs: string[],
    output: string,
    attributes?: Record<string, Attribute>,
  ): string {
    nodes.push({ op, inputs, output, ...(attributes && { attributes }) });
    return output;
  }
  function constant(name: string, shape: number[], element: number, values: ArrayBufferView) {
    const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    constants.push({ name, shape, element, data });
    return name;
  }
  function steps(name: string, { scale, zero }: Quantisation): [string, string] {
    return [
      constant(`${name}/scale`, [], ELEMENT.float32, Float32Array.of(scale)),
      constant(`${name}/zero`, [], ELEMENT.int8, Int8Array.of(zero)),
    ];
  }
  const real = (tensor: Made, name: string): string =>
    node('DequantizeLinear', [tensor.name, ...steps(name, tensor.quantisation)], name);
  function quantised(from: string, name: string, quantisation: Quantisation): string {
    return node('QuantizeLinear', [from, ...steps(name, quantisation)], name);
  }
  /** A tensor's int8 numbers, flat and in Whetstone's order. */
  function flat(tensor: Made, name: string): Made {
    const { plane } = tensor;
    if (plane === undefined) return tensor;
    const turned =
      plane.channels === 1 || plane.height * plane.width === 1
        ? tensor.name
        : node('Transpose', [tensor.name], `${name}/nhwc`, { perm: { ints: [0, 2, 3, 1] } });
    return { ...tensor, name: reshape(turned, `${name}/flat`, [1, tensor.size]), plane: undefined };
  }
  /** A tensor's int8 numbers as a plane. */
  function asPlane(tensor: Made, g: Geometry, name: string): Made {
    const { heightIn: height, widthIn: width, channelsIn: channels } = g;
    const had = tensor.plane;
    if (had?.height === height && had.width === width && had.channels === channels) return tensor;
    const rows = reshape(flat(tensor, name).name, `${name}/rows`, [1, height, width, channels]);
    const turned = node('Transpose', [rows], `${name}/nchw`, { perm: { ints: [0, 3, 1, 2] } });
    return { ...tensor, name: turned, plane: { height, width, channels } };
  }
  function reshape(from: string, name: string, shape: number[]): string {
    const wanted = BigInt64Array.from(shape, BigInt);
    return node(
      'Reshape',
      [from, constant(`${name}/shape`, [shape.length], ELEMENT.int64, wanted)],
      name,
    );
  }
  function constantsOf(layer: Weighted, g: Geometry, name: string): string[] {
    const rows = layer.bias.length;
    const depth = layer.type === 'depthwise2d' ? 1 : g.channelsIn;
    const shape =
      layer.type === 'dense' ? [rows, depth] : [rows, depth, g.kernelHeight, g.kernelWidth];
    const scale = layer.weightScale;
    /** Real numbers of constants; ONNX Runtime fuses only what has its zero points, though all are 0. */
    const stepped = (
      what: string,
      from: string,
      scales: Float32Array,
      zeros: Int8Array | Int32Array,
    ): string => {
      const scaleShape = scales.length === 1 ? [] : [scales.length];
      const element = zeros instanceof Int8Array ? ELEMENT.int8 : ELEMENT.int32;
      const step = constant(`${from}/scale`, scaleShape, ELEMENT.float32, scales);
      const zero = constant(`${from}/zero`, scaleShape, element, zeros);
      return node('DequantizeLinear', [from, step, zero], what, { axis: { int: 0 } });
    };
    const weights = channelsFirst(layer.weights, depth);
    return [
      stepped(
        `${name}/w`,
        constant(`${name}/weights`, shape, ELEMENT.int8, weights),
        scale,
        new Int8Array(scale.length),
      ),
      stepped(
        `${name}/b`,
        constant(`${name}/bias`, [rows], ELEMENT.int32, layer.bias),
        scale.map((s) => layer.input.scale * s),
        new Int32Array(scale.length),
      ),
    ];

    /** [out][height][width][in] as [out][in][height][width]. */
    function channelsFirst(values: Int8Array, channels: number): Int8Array {
      const taps = g.kernelHeight * g.kernelWidth;
      return values.map((_, i) => {
        const row = Math.floor(i / (taps * channels));
        const channel = Math.floor(i / taps) % channels;
        return values[(row * taps + (i % taps)) * channels + channel]!;
      });
    }
  }
  /** The fused activation, where saturation does not do the same. */
  function activated(layer: QuantLayer, from: string): string {
    if (!('activation' in layer)) return from;
    const [low, high] = activationBounds(layer.activation, outputOf(layer));
    if (low === -128 && high === 127) return from;
    if (layer.activation === 'relu') return node('Relu', [from], `${from}/relu`);
    const bounds = [0, 6].map((bound) =>
      constant(`${from}/${bound}`, [], ELEMENT.float32, Float32Array.of(bound)),
    );
    return node('Clip', [from, ...bounds], `${from}/clip`);
  }

  /**
   * An average whose ties go away from zero, as TensorFlow Lite's do: of the int8 numbers themselves,
   * stretched by too little to reach another one.
   */
  function average(tensor: Made, name: string, layer: Sliding, g: Geometry): void {
    const taps = g.kernelHeight * g.kernelWidth;
    const plain = { ...tensor, quantisation: { scale: 1, zero: 0 } };
    const mean = node('AveragePool', [real(plain, `${name}/x`)], `${name}/y`, moves(layer, g));
    quantised(mean, name, { scale: Math.fround(1 - 1 / (LEAST_SHARE * taps)), zero: 0 });
  }

  const g0 = layerGeometry(first);
  const isFlat = first.type === 'dense' || 'size' in first;
  const shape = isFlat ? [1, g0.channelsIn] : [1, g0.heightIn, g0.widthIn, g0.channelsIn];
  const size = shape.reduce((product, n) => product * n);
  const flatInput = isFlat ? 'input' : reshape('input', 'input/flat', [1, size]);
  const input: Made = { name: flatInput, quantisation: first.input, plane: undefined, size };
  const gives: Made[] = [];
  layers.forEach((layer, i) => {
    const g = layerGeometry(layer);
    const name = `layer${i}`;
    const from = layer.from ?? i - 1;
    const source = from < 0 ? input : gives[from]!;
    const quantisation = outputOf(layer);
    const outputs = g.heightOut * g.widthOut * g.channelsOut;
    const out = { name, quantisation, size: outputs };
    const plane = { height: g.heightOut, width: g.widthOut, channels: g.channelsOut };
    if (layer.type === 'dense') {
      const x = real(flat(source, name), `${name}/x`);
      const inputs = [x, ...constantsOf(layer, g, name)];
      const sum = node('Gemm', inputs, `${name}/y`, { transB: { int: 1 } });
      quantised(activated(layer, sum), name, quantisation);
      gives.push({ ...out, plane: undefined });
    } else if (layer.type === 'add') {
      const second = layer.from2 < 0 ? input : gives[layer.from2]!;
      const x = real(flat(source, `${name}/1`), `${name}/x`);
      const y = real(flat(second, `${name}/2`), `${name}/z`);
      const sum = node('Add', [x, y], `${name}/y`);
      quantised(activated(layer, sum), name, quantisation);
      gives.push({ ...out, plane: undefined });
    } else if ('size' in layer) {
      let x = real(flat(source, name), `${name}/x`);
      if (layer.type === 'softmax') {
        if (layer.beta !== 1) {
          const beta = Float32Array.of(layer.beta);
          x = node('Mul', [x, constant(`${name}/beta`, [], ELEMENT.float32, beta)], `${name}/m`);
        }
        x = node('Softmax', [x], `${name}/y`, { axis: { int: 1 } });
      } else if (layer.type === 'logistic') {
        x = node('Sigmoid', [x], `${name}/y`);
      }
      quantised(x, name, quantisation);
      gives.push({ ...out, plane: undefined });
    } else {
      const given = asPlane(source, g, name);
      if (layer.type === 'avgpool2d' && layer.activation === 'none') {
        average(given, name, layer, g);
        gives.push({ ...out, plane });
        return;
      }
      const x = real(given, `${name}/x`);
      let y: string;
      if (layer.type === 'mean') y = node('GlobalAveragePool', [x], `${name}/y`);
      else if (layer.type === 'conv2d' || layer.type === 'depthwise2d') {
        y = node('Conv', [x, ...constantsOf(layer, g, name)], `${name}/y`, {
          ...moves(layer, g),
          group: { int: layer.type === 'conv2d' ? 1 : layer.channels },
        });
      } else {
        const op = layer.type === 'maxpool2d' ? 'MaxPool' : 'AveragePool';
        y = node(op, [x], `${name}/y`, moves(layer, g));
      }
      quantised(activated(layer, y), name, quantisation);
      gives.push({ ...out, plane });
    }
  });
  const output = flat(gives.at(-1)!, 'output');
  return writeOnnxFile({
    ...{ nodes, constants },
    input: { name: 'input', shape },
    output: { name: output.name, shape: [1, output.size] },
  });
}

function moves(layer: Sliding, g: Geometry): Record<string, Attribute> {
  const below = (out: number, kernel: number, stride: number, length: number, before: number) =>
    layer.padding === 'same' ? Math.max((out - 1) * stride + kernel - length - before, 0) : 0;
  return {
    kernel_shape: { ints: [g.kernelHeight, g.kernelWidth] },
    strides: { ints: [g.strideHeight, g.strideWidth] },
    pads: {
      ints: [
        ...[g.padTop, g.padLeft],
        below(g.heightOut, g.kernelHeight, g.strideHeight, g.heightIn, g.padTop),
        below(g.widthOut, g.kernelWidth, g.strideWidth, g.widthIn, g.padLeft),
      ],
    },
  };
}
