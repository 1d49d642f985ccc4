import { byte, type Dot, type Kernel, POW2, requantise } from '../core/arithmetic.ts';
import { type Tier, tierOf } from '../core/kernel.ts';
import { CONV1D, PLANE } from '../core/options.ts';
import { patches } from '../core/planes.ts';
import type { ReadyLayer } from './globals.ts';

/* Of prelude.lua, where they are described. */
declare const luaDot: Dot;
declare const luaRecode: (this: void, weights: Int8Array) => ArrayBuffer;
declare const luaProducts: (
  this: void,
  moving: Int8Array,
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

/** Reads a layer's numbers once: a view looks at its bytes each time, and keeps the whole part. */
function ready(layer: ReadyLayer): void {
  const rows = layer.bias.length;
  layer.recoded = luaRecode(layer.weights);
  layer.sums = [];
  layer.multipliers = [];
  layer.shifts = [];
  for (let i = 0; i < rows; i++) layer.sums.push(layer.bias[i]);
  for (let i = 0; i < layer.multiplier.length; i++) {
    layer.multipliers.push(layer.multiplier[i]);
    layer.shifts.push(-layer.right[i]);
  }
  luaOwn(layer.head);
  luaOwn(layer.shape);
  layer.weights = new Int8Array(0);
  layer.bias = new Int32Array(0);
  layer.multiplier = layer.bias;
  layer.right = layer.weights;
}

/**
 * Dense layers and convolutions as Lua does them fastest: all filters of a place at once, sixteen
 * products a call. The same numbers as the core's `multiply`, which it stands for.
 */
export const products: Kernel = (given, input) => {
  const layer = given as ReadyLayer;
  if (layer.recoded === undefined) ready(layer);
  const head = layer.head;
  const shape = layer.shape;
  const type = head[0];
  const filters = shape[1];
  const zero = head[3];
  const low = head[1];
  const high = head[15];
  const each = head[16];
  const weights = layer.recoded as ArrayBuffer;
  const floor = Math.floor;
  let moving = input;
  let size = shape[0];
  let step = 0;
  let places = 1;
  let planes = 1;
  if (PLANE && type > 4) {
    moving = patches(layer, input);
    if (type === 6) planes = size;
    size = byte(head[24]) * byte(head[12]) * (type === 6 ? 1 : size);
    step = size;
    places = moving.length / size / planes;
  } else if (CONV1D && type > 1) {
    places = shape[3];
    step = byte(head[13]) * size;
    const before = head[14] * size;
    size *= byte(head[12]);
    const padded = (places - 1) * step + size;
    if (padded > input.length) {
      moving = new Int8Array(padded).fill(head[2]);
      moving.set(input, before);
    }
  }
  const rows = filters / planes;
  const sums: number[] = [];
  const pieces: ArrayBuffer[] = [];
  let mul = layer.multipliers[0];
  let shift = layer.shifts[0];
  let limit = shift < 1 ? 0 : 2097152;
  let scale = 2147483648 * POW2[shift < 1 ? 0 : shift];
  let plus = 1073741824 + scale / 2;
  let acc: number;
  for (let place = 0; place < places; place++) {
    for (let plane = 0; plane < planes; plane++) {
      const filter = plane * rows;
      for (let r = 0; r < rows; r++) sums[r] = layer.sums[filter + r];
      const at = (plane * places + place) * step;
      luaProducts(moving, at, weights, filter * size, size, rows, sums);
      for (let r = 0; r < rows; r++) {
        if (each === 1) {
          mul = layer.multipliers[filter + r];
          shift = layer.shifts[filter + r];
          limit = shift < 1 ? 0 : 2097152;
          scale = 2147483648 * POW2[shift < 1 ? 0 : shift];
          plus = 1073741824 + scale / 2;
        }
        acc = sums[r];
        acc =
          acc < limit && acc > -limit
            ? floor((acc * mul + plus - (acc < 0 ? 2147483648 : 0)) / scale) + zero
            : requantise(acc, mul, -shift, zero);
        acc = acc < low ? low : acc > high ? high : acc;
        sums[r] = acc < 0 ? acc + 256 : acc;
      }
      pieces.push(luaBytes(sums, rows));
    }
  }
  return new Int8Array(luaJoin(pieces, ''));
};

/** The kernel tier of NodeMCU. */
export const luaTier: Tier = tierOf(luaDot, products);
