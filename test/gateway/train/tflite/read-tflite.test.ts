import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../../gateway/errors.ts';
import type { Fields } from '../../../../gateway/train/tflite/flat-writer.ts';
import { readTflite } from '../../../../gateway/train/tflite/read-tflite.ts';
import { layerRunner } from '../../../../gateway/train/tflite/run-tflite.ts';
import * as s from '../../../../gateway/train/tflite/schema.ts';
import {
  type FileGraph,
  type FileTensor,
  int32,
  tfliteFile,
} from '../../../support/tflite-files.ts';

const { CODE, TYPE } = s;
const int8s = (...values: number[]): Uint8Array => new Uint8Array(Int8Array.from(values).buffer);

/** A dense layer of 2 → 1, with what a test changes of it. */
function dense(changes: Record<number, Partial<FileTensor>> = {}, graph: Partial<FileGraph> = {}) {
  const tensors: FileTensor[] = [
    { shape: [1, 2] },
    { shape: [1, 2], data: int8s(3, -2), scale: [0.5] },
    { shape: [1], data: int32(4), type: TYPE.INT32, scale: [0.5] },
    { shape: [1, 1] },
  ].map((tensor, i) => ({ ...tensor, ...changes[i] }));
  const operators = [{ code: CODE.FULLY_CONNECTED, inputs: [0, 1, 2], output: 3, options: {} }];
  return tfliteFile({ tensors, operators, ...graph });
}

/** One operator on [1, 4, 1, 2]. */
function plane(
  code: number,
  options: Fields,
  more: Partial<FileTensor>[] = [],
  out = [1, 4, 1, 2],
) {
  return tfliteFile({
    tensors: [{ shape: [1, 4, 1, 2] }, { shape: out }, ...more.map((m) => ({ shape: [1], ...m }))],
    operators: [{ code, inputs: [0, ...more.map((_, i) => i + 2)], output: 1, options }],
  });
}
const moves = (padding: number, stride = 1): Fields => ({
  [s.CONV.padding]: ['int8', padding],
  [s.CONV.strideWidth]: ['int32', stride],
  [s.CONV.strideHeight]: ['int32', stride],
});
const conv = (more: Fields = {}, weights: Partial<FileTensor> = {}, out = [1, 4, 1, 1]) =>
  plane(
    CODE.CONV_2D,
    { ...moves(0), ...more },
    [{ shape: [1, 3, 1, 2], data: int8s(1, 2, 3, 4, 5, 6), ...weights }],
    out,
  );

/** What a file is refused with. */
function refusal(file: Uint8Array): string {
  try {
    readTflite(file);
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    expect((error as GatewayError).code).toBe('bad-model');
    return (error as GatewayError).line();
  }
  return 'accepted';
}

describe('readTflite()', () => {
  it('gives what the operator computes when the file is sound', () => {
    const { layers, input, output } = readTflite(dense());
    expect([input.float, output.shape]).toEqual([false, [1, 1]]);
    // (3·10 - 2·20 + 4) · 0.5
    expect(layerRunner(layers)(Int8Array.of(10, 20))).toEqual(Int8Array.of(-3));
  });

  it('spreads a dilated kernel, and says so', () => {
    const { layers, notes } = readTflite(conv({ [s.CONV.dilationHeight]: ['int32', 2] }));
    expect(notes).toEqual([
      'CONV_2D: dilation 2 × 1 becomes a kernel of 5 × 1 with zeros between its weights',
    ]);
    // places 0 to 3 see -2, 0 and +2: sums of (x, y) · (1, 2), (3, 4), (5, 6)
    const x = Int8Array.of(1, 0, 0, 1, 2, 0, 0, 2);
    expect([...layerRunner(layers)(x)]).toEqual([3 + 10, 4 + 12, 6 + 1, 8 + 2]);
  });

  it('takes a kernel over one column as one over one row', () => {
    const [layer] = readTflite(conv()).layers;
    expect(layer).toMatchObject({ type: 'conv2d', height: 1, width: 4, kernelWidth: 3 });
  });

  it('reads one input twice as layers that name their source', () => {
    const file = tfliteFile({
      tensors: [{ shape: [1, 2] }, { shape: [1, 2], scale: [2] }, { shape: [1, 2], scale: [4] }],
      operators: [
        { code: CODE.QUANTIZE, inputs: [0], output: 1 },
        { code: CODE.ADD, inputs: [0, 1], output: 2 },
      ],
    });
    const { layers } = readTflite(file);
    expect(layers.map(({ type, from }) => [type, from])).toEqual([
      ['quantise', undefined],
      ['add', -1],
    ]);
    expect(layerRunner(layers)(Int8Array.of(8, -20))).toEqual(Int8Array.of(4, -10));
  });

  it('takes shapes that only fold for no layers', () => {
    const shapes = [
      [1, 4],
      [1, 1, 4, 1],
      [1, 4, 1],
      [1, 4],
    ];
    const file = tfliteFile({
      tensors: [...shapes.map((shape) => ({ shape })), { shape: [1, 4], scale: [3] }],
      operators: [
        { code: CODE.RESHAPE, inputs: [0], output: 1 },
        { code: CODE.SQUEEZE, inputs: [1], output: 2 },
        { code: CODE.EXPAND_DIMS, inputs: [2], output: 3 },
        { code: CODE.QUANTIZE, inputs: [3], output: 4 },
      ],
    });
    expect(readTflite(file).layers.map(({ type }) => type)).toEqual(['quantise']);
  });

  it('keeps float edges outside the layers', () => {
    const float = { type: TYPE.FLOAT32, scale: [] };
    const file = tfliteFile({
      tensors: [
        { shape: [1, 2], ...float },
        { shape: [1, 2], scale: [0.25], zero: [3] },
        { shape: [1, 2], scale: [0.5] },
        { shape: [1, 2], ...float },
      ],
      operators: [
        { code: CODE.QUANTIZE, inputs: [0], output: 1 },
        { code: CODE.QUANTIZE, inputs: [1], output: 2 },
        { code: CODE.DEQUANTIZE, inputs: [2], output: 3 },
      ],
    });
    const { layers, input, output } = readTflite(file);
    expect(layers).toHaveLength(1);
    expect(input).toEqual({ shape: [1, 2], quantisation: { scale: 0.25, zero: 3 }, float: true });
    expect(output).toEqual({ shape: [1, 2], quantisation: { scale: 0.5, zero: 0 }, float: true });
  });

  const text = new TextEncoder().encode('hello, this is no model');
  const float = { type: TYPE.FLOAT32, scale: [] };
  it.each<[string, Uint8Array, RegExp]>([
    ['is no model', text, /no \.tflite file/],
    ['is empty', new Uint8Array(0), /no \.tflite file/],
    ['is cut short', dense().slice(0, 120), /damaged/],
    ['has more than 16 MB', new Uint8Array(2 ** 24 + 1), /16777217 bytes.*at most 16777216/],
    [
      'is of another version',
      dense({}, { root: (f) => ({ ...f, [s.MODEL.version]: ['uint32', 2] }) }),
      /version 2/,
    ],
    [
      'has two graphs',
      dense(
        {},
        {
          root: (f) => {
            const graphs = f[s.MODEL.subgraphs] as ['tables', []];
            return { ...f, [s.MODEL.subgraphs]: ['tables', [...graphs[1], ...graphs[1]]] };
          },
        },
      ),
      /2 graphs/,
    ],
    [
      'keeps its weights elsewhere',
      dense({}, { root: (f) => ({ ...f, [s.MODEL.externalBuffers]: ['tables', [{}]] }) }),
      /another file/,
    ],
    ['has two inputs', dense({}, { inputs: [0, 1] }), /2 inputs/],
    ['has two outputs', dense({}, { outputs: [3, 0] }), /2 outputs/],
    ['names a tensor that is not there', dense({}, { inputs: [9] }), /no tensor 9/],
    ['has TRANSPOSE_CONV', plane(67, {}), /TRANSPOSE_CONV is not one.*devices run: ADD/],
    ['computes a shape', plane(77, {}), /SHAPE is not one.*batch of 1/],
    ['has RELU alone', plane(19, {}), /RELU is not one.*fused/],
    [
      'is float',
      dense({ 0: float, 3: float }),
      /float32: a float or dynamic-range model.*full-integer/,
    ],
    [
      'has float activations and int8 weights',
      tfliteFile({
        tensors: [
          { shape: [1, 2], ...float },
          { shape: [1, 2], data: int8s(1, 2) },
          { shape: [1, 1], ...float },
        ],
        operators: [{ code: CODE.FULLY_CONNECTED, inputs: [0, 1], output: 2 }],
      }),
      /dynamic-range model/,
    ],
    ['has int16 activations', dense({ 0: { type: 7 } }), /int16, devices compute in int8/],
    ['has uint8 activations', dense({ 3: { type: 3 } }), /uint8, devices compute in int8/],
    ['has uint8 weights', dense({ 1: { type: 3 } }), /weights 't1x2' are uint8/],
    ['has int4 weights', dense({ 1: { type: 17 } }), /weights 't1x2' are int4/],
    ['has weights with a zero point', dense({ 1: { zero: [5] } }), /zero point other than 0/],
    ['computes its weights', dense({ 1: { data: undefined } }), /no constant/],
    ['has weights without a scale', dense({ 1: { scale: [] } }), /no scale/],
    ['has weights with a scale of 0', dense({ 1: { scale: [0] } }), /not positive/],
    ['has three scales for one channel', dense({ 1: { scale: [1, 1, 1] } }), /3 scales for 1/],
    ['has activations without a scale', dense({ 3: { scale: [] } }), /int8 without a scale/],
    ['has activations of two scales', dense({ 3: { scale: [1, 2] } }), /2 scales/],
    ['has an infinite scale', dense({ 0: { scale: [Infinity] } }), /scale Infinity/],
    ['has a zero point that is no int8', dense({ 0: { zero: [200] } }), /zero point 200/],
    ['has weights of another length', dense({ 1: { data: int8s(1, 2, 3) } }), /3 bytes.*needs 2/],
    ['has weights for other inputs', dense({ 0: { shape: [1, 3] } }), /cannot give \[1,1\]/],
    ['gives another shape than it can', dense({ 3: { shape: [1, 2] } }), /cannot give \[1,2\]/],
    ['has a batch of 2', dense({ 0: { shape: [2, 2] } }), /batch of 1/],
    [
      'has a shape that is not fixed',
      dense({ 0: { more: { [s.TENSOR.shapeSignature]: ['int32s', [1, -1]] } } }),
      /not fixed/,
    ],
    [
      'has an int64 bias',
      dense({ 2: { type: TYPE.INT64, data: new Uint8Array(8) } }),
      /bias.*int64/,
    ],
    ['has a bias in other steps', dense({ 2: { scale: [0.9] } }), /not in steps/],
    ['sums more than int32 holds', dense({ 2: { data: int32(2 ** 31 - 1) } }), /32 bits/],
    [
      'shifts its sums out of int32',
      dense({ 2: { data: int32(2 ** 24) }, 3: { scale: [2 ** -9] } }),
      /may sum up to \d+ steps/,
    ],
    ['has too long a bias', dense({ 2: { shape: [2], data: int32(1, 2) } }), /2 values for 1/],
    [
      'keeps state',
      dense({ 0: { more: { [s.TENSOR.isVariable]: ['bool', true] } } }),
      /keeps state/,
    ],
    ['is sparse', dense({ 1: { more: { [s.TENSOR.sparsity]: ['table', {}] } } }), /sparse/],
    [
      'has an external tensor',
      dense({ 1: { more: { [s.TENSOR.externalBuffer]: ['uint32', 1] } } }),
      /another file/,
    ],
    [
      'has another activation',
      conv({ [s.CONV.activation]: ['int8', 4] }),
      /activation other than RELU/,
    ],
    ['has a kernel of stride 0', conv(moves(0, 0)), /widthOut must be 1 to 65535/],
    ['has grouped channels', conv({}, { shape: [1, 3, 1, 1], data: int8s(1, 2, 3) }), /grouped/],
    ['dilates without end', conv({ [s.CONV.dilationHeight]: ['int32', 2 ** 30] }), /kernel of/],
    [
      'pools into another scale',
      tfliteFile({
        tensors: [{ shape: [1, 4, 1, 2] }, { shape: [1, 2, 1, 2], scale: [2] }],
        operators: [{ code: CODE.MAX_POOL_2D, inputs: [0], output: 1, options: moves(1) }],
      }),
      /MAX_POOL_2D changes the scale/,
    ],
    [
      'averages over some axes',
      plane(CODE.MEAN, {}, [{ shape: [1], data: int32(3), type: TYPE.INT32 }], [1, 4, 1, 1]),
      /MEAN over the axes 3/,
    ],
    [
      'adds tensors of two shapes',
      tfliteFile({
        tensors: [{ shape: [1, 2] }, { shape: [2] }, { shape: [1, 2] }],
        operators: [
          { code: CODE.RESHAPE, inputs: [0], output: 1 },
          { code: CODE.ADD, inputs: [0, 1], output: 2 },
        ],
      }),
      /one shape/,
    ],
    [
      'gives SOFTMAX in other steps',
      tfliteFile({
        tensors: [{ shape: [1, 2] }, { shape: [1, 2] }],
        operators: [{ code: CODE.SOFTMAX, inputs: [0], output: 1 }],
      }),
      /1\/256/,
    ],
    [
      'reads what is computed later',
      tfliteFile({
        tensors: [{ shape: [1, 2] }, { shape: [1, 2] }, { shape: [1, 2] }],
        operators: [{ code: CODE.QUANTIZE, inputs: [1], output: 2 }],
      }),
      /too early/,
    ],
    [
      'writes a tensor twice',
      tfliteFile({
        tensors: [{ shape: [1, 2] }],
        operators: [{ code: CODE.QUANTIZE, inputs: [0], output: 0 }],
      }),
      /written twice/,
    ],
    ['has no operator', dense({}, { operators: [], outputs: [0] }), /no layer/],
    [
      'is larger than a device',
      tfliteFile({
        tensors: [{ shape: [1, 2 ** 15, 2 ** 15, 1] }, { shape: [1, 1] }],
        operators: [{ code: CODE.MAX_POOL_2D, inputs: [0], output: 1, options: {} }],
      }),
      /1073741824 values/,
    ],
  ])('refuses a file that %s', (_what, file, message) => {
    expect(refusal(file)).toMatch(message);
  });
});
