import { outputOf, type QuantLayer, SHARE } from '../../gateway/train/quant-layer.ts';
import { type Fields, writeFlat } from '../../gateway/train/tflite/flat-writer.ts';
import * as s from '../../gateway/train/tflite/schema.ts';

/** A tensor of a made file: int8 with one scale of 1, unless it says otherwise. */
export interface FileTensor {
  shape: number[];
  type?: number;
  scale?: number[];
  zero?: number[];
  dimension?: number;
  data?: Uint8Array;
  /** further fields of its table */
  more?: Fields;
}

/** An operator of a made file; tensors by their index. */
export interface FileOperator {
  /** number of BuiltinOperator */
  code: number;
  inputs: number[];
  output: number;
  options?: Fields;
}

export interface FileGraph {
  tensors: FileTensor[];
  operators: FileOperator[];
  inputs?: number[];
  outputs?: number[];
  /** changes the root table */
  root?: (fields: Fields) => Fields;
}

/** Any .tflite file, sound or not. */
export function tfliteFile({ tensors, operators, ...graph }: FileGraph): Uint8Array {
  const { inputs = [0], outputs = [operators.at(-1)?.output ?? 0], root = (same) => same } = graph;
  const buffers: Fields[] = [{}];
  const tables = tensors.map((tensor): Fields => {
    const { shape, type = s.TYPE.INT8, scale = [1], zero = [0], dimension = 0, data } = tensor;
    if (data !== undefined) buffers.push({ [s.BUFFER.data]: ['bytes', data] });
    return {
      [s.TENSOR.shape]: ['int32s', shape],
      [s.TENSOR.type]: ['int8', type],
      [s.TENSOR.buffer]: ['uint32', data === undefined ? 0 : buffers.length - 1],
      [s.TENSOR.name]: ['text', `t${shape.join('x')}`],
      [s.TENSOR.quantization]: [
        'table',
        {
          [s.QUANTIZATION.scale]: ['float32s', Float32Array.from(scale)],
          [s.QUANTIZATION.zeroPoint]: ['int64s', zero],
          [s.QUANTIZATION.dimension]: ['int32', dimension],
        },
      ],
      ...tensor.more,
    };
  });
  return writeFlat(
    root({
      [s.MODEL.version]: ['uint32', 3],
      [s.MODEL.operatorCodes]: [
        'tables',
        operators.map(
          ({ code }): Fields => ({
            [s.OPERATOR_CODE.deprecatedCode]: ['int8', Math.min(code, 127)],
            [s.OPERATOR_CODE.code]: ['int32', code],
          }),
        ),
      ],
      [s.MODEL.subgraphs]: [
        'tables',
        [
          {
            [s.SUBGRAPH.tensors]: ['tables', tables],
            [s.SUBGRAPH.inputs]: ['int32s', inputs],
            [s.SUBGRAPH.outputs]: ['int32s', outputs],
            [s.SUBGRAPH.operators]: ['tables', operators.map(operatorFields)],
          },
        ],
      ],
      [s.MODEL.buffers]: ['tables', buffers],
    }),
    s.IDENTIFIER,
  );
}

function operatorFields({ inputs, output, options }: FileOperator, i: number): Fields {
  const fields: Fields = {
    [s.OPERATOR.opcode]: ['uint32', i],
    [s.OPERATOR.inputs]: ['int32s', inputs],
    [s.OPERATOR.outputs]: ['int32s', [output]],
  };
  if (options !== undefined) fields[s.OPERATOR.options] = ['table', options];
  return fields;
}

/** Little-endian int32 as bytes. */
export const int32 = (...values: number[]): Uint8Array =>
  new Uint8Array(Int32Array.from(values).buffer);

/** Layers whose inputs are in the steps of what they read, as those of a file are. */
export function inSteps(layers: readonly QuantLayer[]): QuantLayer[] {
  const made: QuantLayer[] = [];
  const first = layers[0]!.input;
  const of = (source: number) => (source < 0 ? first : outputOf(made[source]!));
  layers.forEach((layer, i) => {
    const input = of(layer.from ?? i - 1);
    if (layer.type === 'add') made.push({ ...layer, input, input2: of(layer.from2) });
    else if (layer.type === 'logistic') made.push({ ...layer, input, output: SHARE });
    else made.push({ ...layer, input });
  });
  return made;
}
