import { byte, type Dot, type Layer } from '../core/arithmetic.ts';

/** A vector of scalars. */
type Vector = Int32Array | Float32Array | Float64Array | Uint8Array | Uint16Array;
/**
 * What a file is made of. An array is a vector of tables where a table has it, and a table where a
 * vector has it or `Inner` does; undefined is a field that is not there.
 */
type Node = number | undefined | Vector | Node[] | Inner;
/** A table in a table. */
interface Inner {
  table: Node[];
}

/** FULLY_CONNECTED, CONV_2D, MAX_POOL_2D and AVERAGE_POOL_2D in TensorFlow Lite's schema. */
const OPERATORS = [[9], [3], [17], [1]];
/** What the schema calls their options. */
const OPTIONS = [8, 1, 5, 5];
/** Which of them a layer is, plus 1, by its type. */
const OPERATOR_OF = [0, 1, 2, 3, 4, 2, 0, 3, 4];
const INT8 = 9;
const INT32 = 2;
const RELU6 = 3;

function bytesOf(a: Vector | Int8Array): Uint8Array {
  return new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
}

/**
 * Writes FlatBuffers: parents before children, its vtable before a table, four bytes for every scalar,
 * which reads as well where the schema has one.
 *
 * @param root a table
 * @param words where to; none, to measure
 * @returns words it takes
 */
function serialise(root: Node[], words: Int32Array): number {
  const bytes = new Uint8Array(words.buffer);
  let end = 1;
  const copy = (a: Vector): void => {
    if (words.length > 0) bytes.set(bytesOf(a), 4 * end);
    end += Math.ceil(a.byteLength / 4);
  };
  /* Gives the place of the first word, which refers to the vtable or counts. */
  const put = (node: Node, isTable: boolean): number => {
    const list = node as Node[];
    const n = list.length;
    const start = end;
    if (isTable) {
      const fields = new Uint16Array(2 + 2 * Math.ceil(n / 2));
      fields.set([4 + 2 * n, 4 + 4 * n], 0);
      for (let i = 0; i < n; i++) if (list[i] !== undefined) fields[2 + i] = 4 + 4 * i;
      copy(fields);
    }
    const at = end;
    words[at] = isTable ? 4 * (at - start) : n;
    end++;
    if (!Array.isArray(list)) copy(list as Vector);
    else {
      end += n;
      for (let i = 0; i < n; i++) {
        const child = list[i];
        const slot = at + 1 + i;
        if (typeof child === 'number') words[slot] = child;
        else if (child !== undefined) {
          const inner = (child as Inner).table;
          const place = put(inner === undefined ? child : inner, inner !== undefined || !isTable);
          words[slot] = 4 * (place - slot);
        }
      }
    }
    return at;
  };
  words[0] = 4 * put(root, true);
  return end;
}

/**
 * Makes a TensorFlow Lite model of layers, for an interpreter of the board.
 *
 * @param layers one or more, with their scales
 * @param dot exact dot product
 * @returns the file; undefined for layers that it has no operator for, that are wired or shaped as a
 *   plain chain is not, or whose multiplier TensorFlow Lite's versions compute differently: a dense
 *   layer's, unless input scale · weight scale is a float32
 * @source TensorFlow Lite schema, version 3; TFLM kernels/fully_connected.cc
 */
export function writeTflite(layers: Layer[], dot: Dot): Uint8Array | undefined {
  const tensors: Node[] = [];
  const operators: Node[] = [];
  const buffers: Node[] = [[]];
  const tensor = (
    shape: number[],
    type: number,
    scales: Float32Array,
    zero: number,
    data?: Vector,
  ) => {
    // int64 zero points: a double of no bits is 0
    const zeros = new Float64Array(scales.length);
    if (zero !== 0) new Int32Array(zeros.buffer).set([zero, zero < 0 ? -1 : 0], 0);
    const quantisation = { table: [undefined, undefined, scales, zeros] };
    if (data !== undefined) buffers.push([data]);
    const buffer = data === undefined ? 0 : buffers.length - 1;
    return tensors.push([new Int32Array(shape), type, buffer, undefined, quantisation]) - 1;
  };
  let before = ''; // shape of the newest output
  let last = 0;
  for (let i = 0; i < layers.length; i++) {
    const layer = layers[i];
    const head = layer.head;
    const type = head[0];
    const at = (k: number): number => byte(head[k]);
    const shape = layer.shape;
    const scales = layer.scales as Float32Array;
    const operator = type < 9 ? OPERATOR_OF[type] - 1 : -1;
    const plane = type > 4;
    const height = plane ? at(20) + 256 * at(21) : 1;
    const heightOut = plane ? at(22) + 256 * at(23) : 1;
    const tall = plane ? at(24) : 1;
    const down = plane ? at(25) : 1;
    const from = [1, height, shape[2], shape[0]];
    const to = [1, heightOut, shape[3], shape[1]];
    const flat = operator === 0;
    if (operator < 0 || head[18] !== 0 || (!flat && before !== '' && before !== `${from}`))
      return undefined;
    if (i === 0) last = tensor(flat ? [1, shape[0]] : from, INT8, scales.subarray(0, 1), head[2]);
    const inputs = [last];
    const activation = at(17) % 128;
    // SAME and VALID differ only where something is padded
    const same =
      (shape[3] - 1) * at(13) + at(12) > shape[2] || (heightOut - 1) * down + tall > height;
    const sliding = [same ? 0 : 1, at(13), down];
    const act = activation > 1 ? RELU6 : activation;
    let options = [act];
    if (operator < 2) {
      const steps = new Float32Array(scales.length - 2);
      const rows = layer.bias;
      const bias = new Int32Array(rows);
      const size = layer.weights.length / rows.length;
      const zeros = new Int8Array(size).fill(head[2]);
      for (let j = 0; j < steps.length; j++) {
        steps[j] = scales[0] * scales[2 + j];
        if (flat && (j > 0 || steps[j] !== scales[0] * scales[2])) return undefined;
      }
      for (let j = 0; j < bias.length; j++) {
        bias[j] += dot(layer.weights.subarray(j * size, j * size + size), zeros);
      }
      const kernel = flat ? [shape[1], size] : [shape[1], tall, at(12), shape[0]];
      inputs.push(tensor(kernel, INT8, scales.subarray(2), 0, bytesOf(layer.weights)));
      inputs.push(tensor([shape[1]], INT32, steps, 0, bytesOf(bias)));
      if (!flat) options = sliding.concat(act, 1, 1);
    } else options = sliding.concat(at(12), tall, act);
    const step = operator < 2 ? 1 : 0;
    last = tensor(flat ? [1, shape[1]] : to, INT8, scales.subarray(step, step + 1), head[3]);
    before = flat ? 'flat' : `${to}`;
    operators.push([
      operator,
      new Int32Array(inputs),
      new Int32Array([last]),
      OPTIONS[operator],
      { table: options },
    ]);
  }
  const graph = [tensors, new Int32Array([0]), new Int32Array([last]), operators];
  const model = [3, OPERATORS, [graph], undefined, buffers];
  const words = new Int32Array(serialise(model, new Int32Array(0)));
  serialise(model, words);
  return bytesOf(words);
}
