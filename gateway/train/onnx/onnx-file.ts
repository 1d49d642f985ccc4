import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** Element types of a TensorProto. */
export const ELEMENT = { float32: 1, int8: 3, int32: 6, int64: 7 } as const;

/** An attribute of a node: one integer, one float, or integers. */
export type Attribute = { int: number } | { float: number } | { ints: readonly number[] };

export interface OnnxNode {
  op: string;
  inputs: string[];
  output: string;
  attributes?: Record<string, Attribute>;
}

/** A constant; its numbers little-endian. */
export interface OnnxTensor {
  name: string;
  shape: readonly number[];
  element: number;
  data: Uint8Array;
}

/** An input or output of the graph. */
export interface OnnxEdge {
  name: string;
  shape: readonly number[];
  /** default int8 */
  element?: number;
}

export interface OnnxGraph {
  nodes: OnnxNode[];
  constants: OnnxTensor[];
  input: OnnxEdge;
  output: OnnxEdge;
}

/** Read by ONNX Runtime from 1.8 on; the first opset whose DequantizeLinear has an axis. */
const IR_VERSION = 7;
const OPSET = 13;

type Write = (writer: BinaryWriter) => void;

function message(writer: BinaryWriter, field: number, write: Write): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}

const text = (writer: BinaryWriter, field: number, value: string) =>
  writer.tag(field, WireType.LengthDelimited).string(value);
const int = (writer: BinaryWriter, field: number, value: number) =>
  writer.tag(field, WireType.Varint).int64(value);

/**
 * Writes a graph as an ONNX file.
 *
 * @param graph nodes in the order they run
 * @returns the file; the same graph gives the same bytes
 * @source onnx.proto3: field numbers of ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto
 */
export function writeOnnxFile(graph: OnnxGraph): Uint8Array {
  const writer = new BinaryWriter();
  int(writer, 1, IR_VERSION);
  text(writer, 2, 'Whetstone');
  message(writer, 7, (w) => {
    for (const node of graph.nodes) message(w, 1, (n) => writeNode(n, node));
    text(w, 2, 'main');
    for (const constant of graph.constants) message(w, 5, (t) => writeTensor(t, constant));
    message(w, 11, (e) => writeEdge(e, graph.input));
    message(w, 12, (e) => writeEdge(e, graph.output));
  });
  message(writer, 8, (w) => int(w, 2, OPSET));
  return writer.finish();
}

function writeNode(w: BinaryWriter, { op, inputs, output, attributes = {} }: OnnxNode): void {
  for (const input of inputs) text(w, 1, input);
  text(w, 2, output);
  text(w, 3, `${output}:${op}`);
  text(w, 4, op);
  for (const [name, attribute] of Object.entries(attributes)) {
    message(w, 5, (a) => {
      text(a, 1, name);
      if ('float' in attribute) {
        a.tag(2, WireType.Bit32).float(attribute.float);
        int(a, 20, 1);
      } else if ('int' in attribute) {
        int(a, 3, attribute.int);
        int(a, 20, 2);
      } else {
        for (const value of attribute.ints) int(a, 8, value);
        int(a, 20, 7);
      }
    });
  }
}

function writeTensor(w: BinaryWriter, { name, shape, element, data }: OnnxTensor): void {
  for (const size of shape) int(w, 1, size);
  int(w, 2, element);
  text(w, 8, name);
  w.tag(9, WireType.LengthDelimited).bytes(data);
}

function writeEdge(w: BinaryWriter, { name, shape, element = ELEMENT.int8 }: OnnxEdge): void {
  text(w, 1, name);
  message(w, 2, (type) =>
    message(type, 1, (tensor) => {
      int(tensor, 1, element);
      message(tensor, 2, (dimensions) => {
        for (const size of shape) message(dimensions, 1, (d) => int(d, 1, size));
      });
    }),
  );
}
