import { byte, type Dot, type Kernel, type Layer, POW2, requantise } from '../core/arithmetic.ts';
import { type Tier, tierOf } from '../core/kernel.ts';
import { CONV1D, PLANE } from '../core/options.ts';
import { patches } from '../core/planes.ts';

/* Of prelude.lua, where they are described. */
declare const luaDot: Dot;
declare const luaRecode: (this: void, weights: Int8Array, n: number) => ArrayBuffer;
declare const luaPadded: (this: void, values: Int8Array) => ArrayBuffer;
declare const luaProducts: (
  this: void,
  data: ArrayBuffer,
  at: number,
  weights: ArrayBuffer,
  first: number,
  n: number,
  rows: number,
  sums: number[],
) => void;
declare const luaBytes: (this: void, values: number[], n: number) => ArrayBuffer;
declare const luaJoin: (this: void, pieces: ArrayBuffer[], between: string) => ArrayBuffer;
declare const luaOwn: (this: void, array: Int8Array | Uint16Array) => void;

/**
 * How sums become int8: multiplier, shift, the size of a sum below which both roundings are one floor
 * (see the core's `multiply`), and that floor's addend and divisor. A list takes a third of a record.
 */
type Scale = [multiplier: number, shift: number, limit: number, plus: number, scale: number];

/** A layer as the tier keeps it after its first run: a view would look at its bytes each time. */
interface ReadyLayer extends Layer {
  weightBytes?: ArrayBuffer;
  sums: number[];
  steps: Scale[];
  type: number;
  channels: number;
  filters: number;
  zero: number;
  low: number;
  high: number;
}

/** Reads a layer's numbers once, and lets go of the part that they were read from. */
function ready(layer: ReadyLayer): void {
  const head = layer.head;
  const rows = layer.bias.length;
  layer.type = head[0];
  layer.channels = layer.shape[0];
  layer.filters = layer.shape[1];
  layer.zero = head[3];
  layer.low = head[1];
  layer.high = head[15];
  layer.sums = [];
  layer.steps = [];
  layer.weightBytes = luaRecode(layer.weights, layer.weights.length / rows);
  for (let i = 0; i < rows; i++) layer.sums.push(layer.bias[i]);
  for (let i = 0; i < layer.multiplier.length; i++) {
    const shift = -layer.right[i];
    const scale = 2147483648 * POW2[shift < 1 ? 0 : shift];
    const limit = shift < 1 ? 0 : 2097152;
    layer.steps.push([layer.multiplier[i], -shift, limit, 1073741824 + scale / 2, scale]);
  }
  luaOwn(head);
  if (layer.type > 1) luaOwn(layer.shape);
  else layer.shape = head as unknown as Uint16Array; // nothing asks for these any more
  layer.weights = head;
  layer.bias = head as unknown as Int32Array;
  layer.multiplier = layer.bias;
  layer.right = head;
}

/**
 * Dense layers and convolutions as Lua does them fastest: all filters of a place at once, up to 32
 * products a call. The same numbers as the core's `multiply`, which it stands for.
 */
export const products: Kernel = (given, input) => {
  const layer = given as ReadyLayer;
  if (layer.weightBytes === undefined) ready(layer);
  const type = layer.type;
  const zero = layer.zero;
  const low = layer.low;
  const high = layer.high;
  const weights = layer.weightBytes as ArrayBuffer;
  const starts = layer.sums;
  const scales = layer.steps;
  const each = scales.length > 1;
  let moving = input;
  let size = layer.channels;
  let step = 0;
  let places = 1;
  let planes = 1;
  if (PLANE && type > 4) {
    const head = layer.head;
    moving = patches(layer, input);
    if (type === 6) planes = size;
    size = byte(head[24]) * byte(head[12]) * (type === 6 ? 1 : size);
    step = size;
    places = moving.length / size / planes;
  } else if (CONV1D && type > 1) {
    const head = layer.head;
    places = layer.shape[3];
    step = byte(head[13]) * size;
    const before = head[14] * size;
    size *= byte(head[12]);
    const padded = (places - 1) * step + size;
    if (padded > input.length) {
      moving = new Int8Array(padded).fill(head[2]);
      moving.set(input, before);
    }
  }
  const rows = layer.filters / planes;
  const stride = size + ((8 - (size % 8)) % 8);
  const data = luaPadded(moving);
  const sums: number[] = [];
  const pieces: ArrayBuffer[] = [];
  let s = scales[0];
  let mul = s[0];
  let limit = s[2];
  let plus = s[3];
  let scale = s[4];
  let acc: number;
  for (let place = 0; place < places; place++) {
    for (let plane = 0; plane < planes; plane++) {
      const filter = plane * rows;
      const at = (plane * places + place) * step;
      for (let r = 0; r < rows; r++) sums[r] = starts[filter + r];
      luaProducts(data, at, weights, filter * stride, size, rows, sums);
      for (let r = 0; r < rows; r++) {
        if (each) {
          s = scales[filter + r];
          mul = s[0];
          limit = s[2];
          plus = s[3];
          scale = s[4];
        }
        acc = sums[r];
        if (acc < limit && acc > -limit) {
          acc = (acc * mul + plus - (acc < 0 ? 2147483648 : 0)) / scale;
          acc = Math.floor(acc) + zero;
        } else acc = requantise(acc, mul, s[1], zero);
        acc = acc < low ? low : acc > high ? high : acc;
        sums[r] = acc < 0 ? acc + 256 : acc;
      }
      pieces.push(luaBytes(sums, rows));
    }
  }
  return new Int8Array(places * planes === 1 ? pieces[0] : luaJoin(pieces, ''));
};

/** The kernel tier of NodeMCU. */
export const luaTier: Tier = tierOf(luaDot, products);
