import { GatewayError } from '../../errors.ts';
import { damaged, rootTable, type Table } from './flat-table.ts';
import * as s from './schema.ts';

/** A tensor of the file. */
export interface Tensor {
  index: number;
  name: string;
  /** all dimensions, the batch of 1 included */
  shape: number[];
  /** values */
  size: number;
  type: string;
  /** numbers of a constant, a view of the file; undefined for what is computed */
  data: Uint8Array | undefined;
  /** empty where the tensor is not quantised */
  scale: Float32Array;
  zero: number[];
  /** dimension that the scales belong to */
  dimension: number;
}

/** An operator: its name, where it reads and writes, and its options. */
export interface Operator {
  index: number;
  name: string;
  /** undefined for an optional input that is left out */
  inputs: (Tensor | undefined)[];
  output: Tensor;
  options: Table | undefined;
}

/** The one graph of a file. */
export interface Graph {
  operators: Operator[];
  input: Tensor;
  output: Tensor;
  metadata: Record<string, Uint8Array>;
}

/** Above what any microcontroller holds: what is larger is refused before anything is made of it. */
const MOST_BYTES = 16 * 2 ** 20;
const MOST_VALUES = 2 ** 20;
const MOST_DIMENSIONS = 8;
/** A part has at most 255 layers; between them may be shapes. */
const MOST_OPERATORS = 512;
/** No operator that is read has more inputs. */
const MOST_INPUTS = 4;
const MOST_TENSORS = 10_000;
const BYTES_OF: Record<string, number> = {
  int8: 1,
  uint8: 1,
  int16: 2,
  int32: 4,
  float32: 4,
  int64: 8,
};

/** A refusal of a sound file that is not a model for Whetstone. */
export function refused(message: string, hint?: string): GatewayError {
  return new GatewayError('bad-model', message, hint === undefined ? {} : { hint });
}

/**
 * Reads a .tflite file's graph, without judging its operators.
 *
 * @param bytes the whole file
 * @returns constants as views of the file
 * @throws GatewayError 'bad-model' if it is no .tflite file or a damaged one, has more than one
 *   graph, input or output, keeps its numbers elsewhere, or has a shape that is not fixed
 */
export function readGraph(bytes: Uint8Array): Graph {
  if (bytes.length > MOST_BYTES) {
    throw refused(`the model file has ${bytes.length} bytes`, `at most ${MOST_BYTES} are read`);
  }
  const identifier = String.fromCharCode(...bytes.subarray(4, 8));
  if (bytes.length < 8 || identifier !== s.IDENTIFIER) {
    throw refused('this is no .tflite file', 'TensorFlow Lite models begin with TFL3 at byte 4');
  }
  const model = rootTable(bytes);
  if (model.uint32(s.MODEL.version) !== s.SCHEMA_VERSION) {
    throw refused(`the file has version ${model.uint32(s.MODEL.version)} of its format, not 3`);
  }
  const subgraphs = model.tables(s.MODEL.subgraphs);
  const [graph] = subgraphs;
  if (graph === undefined || subgraphs.length > 1) {
    throw refused(
      `the file has ${subgraphs.length} graphs`,
      'models with control flow or several signatures do not run on devices: convert one function',
    );
  }
  const external =
    model.tables(s.MODEL.externalBuffers).length +
    model.tables(s.MODEL.externalBufferGroups).length;
  if (external > 0) throw refused('its weights are in another file', 'convert it into one file');
  const buffers = model.tables(s.MODEL.buffers);
  const tensors = graph.tables(s.SUBGRAPH.tensors);
  if (tensors.length > MOST_TENSORS) throw refused(`the model has ${tensors.length} tensors`);
  const read = tensorReader(tensors, buffers);
  const codes = model.tables(s.MODEL.operatorCodes);
  const operators = graph.tables(s.SUBGRAPH.operators);
  if (operators.length > MOST_OPERATORS) {
    throw refused(
      `the model has ${operators.length} operators`,
      `at most ${MOST_OPERATORS} are read`,
    );
  }
  return {
    operators: operators.map((table, index) => readOperator(table, index, codes, read)),
    input: only('input', graph.int32s(s.SUBGRAPH.inputs), read),
    output: only('output', graph.int32s(s.SUBGRAPH.outputs), read),
    metadata: readMetadata(model.tables(s.MODEL.metadata), buffers),
  };
}

function only(what: string, indexes: number[], read: (index: number) => Tensor): Tensor {
  const [index] = indexes;
  if (index === undefined || indexes.length > 1) {
    throw refused(
      `the model has ${indexes.length} ${what}s`,
      'a device feeds one window and reads one answer: convert a model of one input and one output',
    );
  }
  return read(index);
}

function readOperator(
  table: Table,
  index: number,
  codes: Table[],
  read: (index: number) => Tensor,
): Operator {
  const code = codes[table.uint32(s.OPERATOR.opcode)];
  if (code === undefined) throw damaged(`operator ${index} has no kind`);
  const number = Math.max(
    code.int32(s.OPERATOR_CODE.code),
    code.int8(s.OPERATOR_CODE.deprecatedCode),
  );
  const custom = s.CODE_NAMES[number] === 'CUSTOM';
  const name = custom
    ? `CUSTOM '${code.text(s.OPERATOR_CODE.customCode).slice(0, 40)}'`
    : (s.CODE_NAMES[number] ?? `number ${number}`);
  const places = table.int32s(s.OPERATOR.inputs);
  const outputs = table.int32s(s.OPERATOR.outputs);
  if (!KNOWN.has(name)) throw unknown(name);
  const [out] = outputs;
  if (
    out === undefined ||
    outputs.length > 1 ||
    places.length === 0 ||
    places.length > MOST_INPUTS
  ) {
    throw damaged(
      `${name} (operator ${index}) has ${places.length} inputs, ${outputs.length} outputs`,
    );
  }
  return {
    index,
    name,
    inputs: places.map((place) => (place === -1 ? undefined : read(place))),
    output: read(out),
    options: table.table(s.OPERATOR.options),
  };
}

const KNOWN = new Set(Object.keys(s.CODE));

/** What a converter writes where the batch is not fixed: the shape is computed while the model runs. */
const SHAPING = ['SHAPE', 'STRIDED_SLICE', 'PACK'];

function unknown(name: string): GatewayError {
  const fused = name.startsWith('RELU');
  let hint = `devices run: ${[...KNOWN].join(', ')}; build the model of these`;
  if (fused) hint = 'convert it so that the activation is fused into the layer before it';
  if (SHAPING.includes(name)) hint = 'convert it for a batch of 1, so that shapes are constants';
  return refused(`operator ${name} is not one that devices run`, hint);
}

function tensorReader(tables: Table[], buffers: Table[]): (index: number) => Tensor {
  const known = new Map<number, Tensor>();
  return (index) => {
    const table = tables[index];
    if (table === undefined) throw damaged(`there is no tensor ${index}`);
    const tensor = known.get(index) ?? readTensor(table, index, buffers);
    known.set(index, tensor);
    return tensor;
  };
}

function readTensor(table: Table, index: number, buffers: Table[]): Tensor {
  const name = table.text(s.TENSOR.name).slice(-60) || `tensor ${index}`;
  const type = s.TYPE_NAMES[table.int8(s.TENSOR.type)] ?? 'of unknown type';
  if (table.bool(s.TENSOR.isVariable)) {
    throw refused(
      `'${name}' keeps state between windows`,
      'recurrent layers do not run on devices',
    );
  }
  if (table.has(s.TENSOR.sparsity)) throw refused(`'${name}' is sparse`, 'convert it dense');
  if (table.uint32(s.TENSOR.externalBuffer) > 0) {
    throw refused(`the numbers of '${name}' are in another file`, 'convert it into one file');
  }
  const shape = table.int32s(s.TENSOR.shape, MOST_DIMENSIONS);
  const signature = table.int32s(s.TENSOR.shapeSignature, MOST_DIMENSIONS);
  const size = shape.reduce((product, n) => product * n, 1);
  if (shape.some((n) => n < 1) || signature.slice(1).includes(-1)) {
    throw refused(
      `'${name}' has the shape [${shape}], which is not fixed`,
      'convert with fixed shapes',
    );
  }
  const buffer = buffers[table.uint32(s.TENSOR.buffer)];
  if (buffer === undefined) throw damaged(`'${name}' has no buffer`);
  if (buffer.uint64(s.BUFFER.offset) > 1) {
    throw refused(`the numbers of '${name}' lie behind the file's end`, 'convert it into one file');
  }
  const given = buffer.bytes(s.BUFFER.data);
  const data = given === undefined || given.length === 0 ? undefined : given;
  const bytes = (BYTES_OF[type] ?? 1) * size;
  if (data !== undefined && data.length !== bytes) {
    throw damaged(`'${name}' has ${data.length} bytes, its shape needs ${bytes}`);
  }
  if (data === undefined && size > MOST_VALUES) {
    throw refused(`'${name}' has ${size} values`, 'that is more than a microcontroller holds');
  }
  const quantization = table.table(s.TENSOR.quantization);
  if (quantization !== undefined && quantization.int8(s.QUANTIZATION.detailsType) !== 0) {
    throw refused(`'${name}' is quantised in a way of its own`, 'convert it to plain int8');
  }
  const scale = quantization?.float32s(s.QUANTIZATION.scale) ?? new Float32Array(0);
  const zero = quantization?.int64s(s.QUANTIZATION.zeroPoint) ?? [];
  const dimension = quantization?.int32(s.QUANTIZATION.dimension) ?? 0;
  return { index, name, shape, size, type, data, scale, zero, dimension };
}

function readMetadata(tables: Table[], buffers: Table[]): Record<string, Uint8Array> {
  const entries = tables.slice(0, 64).map((table) => {
    const data = buffers[table.uint32(s.METADATA.buffer)]?.bytes(s.BUFFER.data);
    return [table.text(s.METADATA.name), data ?? new Uint8Array(0)];
  });
  return Object.fromEntries(entries);
}
