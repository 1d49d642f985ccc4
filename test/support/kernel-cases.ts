import { readFileSync } from 'node:fs';
import type { Quantisation, QuantLayer } from '../../gateway/train/quant-layer.ts';

/** Operators with golden vectors, each a file of test/vectors/kernel. */
export const OPERATORS = [
  'dense',
  'conv2d',
  'depthwise2d',
  'maxpool2d',
  'avgpool2d',
  'mean',
  'add',
  'softmax',
  'logistic',
  'quantise',
] as const;
export type Operator = (typeof OPERATORS)[number];

/** One operator with inputs and the outputs that TensorFlow Lite Micro gave for them. */
export interface KernelCase {
  name: string;
  /** an ADD's second term is given beside it: its from2 is -1 and has no meaning */
  layer: QuantLayer;
  inputs: Int8Array[];
  /** second terms of an ADD, one an input; else none */
  inputs2: Int8Array[];
  outputs: Int8Array[];
}

/** A float edge of a model: QUANTIZE from float32 to int8 or DEQUANTIZE to float32. */
export interface EdgeCase {
  name: string;
  type: 'quantise-float' | 'dequantise-float';
  /** of the int8 side */
  quantisation: Quantisation;
  /** float32 or int8 */
  input: number[];
  output: number[];
}

/** A row of a file: "every" stands for -128 to 127. */
type Row = number[] | 'every';

interface FileCase {
  name: string;
  layer: { type: string; weights: number[]; bias: number[]; weightScale: number[] } & Record<
    'input' | 'output',
    Quantisation
  >;
  input: Row[];
  input2?: Row[];
  output: number[][];
}

function fileCases(file: string): FileCase[] {
  const url = new URL(`../vectors/kernel/${file}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')).cases;
}

const values = (row: Row): number[] =>
  row === 'every' ? Array.from({ length: 256 }, (_, i) => i - 128) : row;
const int8 = (rows: Row[]): Int8Array[] => rows.map((row) => Int8Array.from(values(row)));

function toLayer(layer: FileCase['layer']): QuantLayer {
  const weighted = layer.weights !== undefined && {
    weights: Int8Array.from(layer.weights),
    bias: Int32Array.from(layer.bias),
    weightScale: Float32Array.from(layer.weightScale),
  };
  const second = layer.type === 'add' && { from2: -1 };
  // The file's fields are QuantLayer's but for the typed arrays and an ADD's wiring.
  return { ...layer, ...weighted, ...second } as unknown as QuantLayer;
}

/** The golden vectors of an operator. */
export function kernelCases(operator: Operator): KernelCase[] {
  return fileCases(operator).map((row) => ({
    name: row.name,
    layer: toLayer(row.layer),
    inputs: int8(row.input),
    inputs2: int8(row.input2 ?? []),
    outputs: int8(row.output),
  }));
}

/** The golden vectors of QUANTIZE from and DEQUANTIZE to float32. */
export function edgeCases(): EdgeCase[] {
  return fileCases('edges').map(({ name, layer, input, output }) => ({
    name,
    type: layer.type as EdgeCase['type'],
    quantisation: layer.output ?? layer.input,
    input: values(input[0]),
    output: output[0],
  }));
}

/** The loop every kernel tier must agree with. */
export function dot(a: Int8Array | Int16Array, b: Int8Array | Int16Array): number {
  if (a.length === 0 || a.length !== b.length)
    throw new Error(`dot of ${a.length} and ${b.length}`);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
