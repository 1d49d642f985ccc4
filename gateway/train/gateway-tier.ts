import {
  byte,
  type Dot,
  type Kernel,
  type Layer,
  requantise,
} from '../../device/core/arithmetic.ts';
import { multiply, runLayers, type Tier } from '../../device/core/kernel.ts';
import { patches } from '../../device/core/planes.ts';

/** Exact dot product of integer rows. */
const dot: Dot = (a, b) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** Two weights in one double, w0 + 2^26·w1: a product and a sum serve two outputs, exactly. */
const APART = 2 ** 26;
/** Products of int8 that each of the two sums may have: of at most 2^14 each, together below 2^25. */
const MOST = 2047;
/** Pairs that are summed at once, so that none waits for the last one's addition. */
const ABREAST = 4;

/** A layer's numbers as they are used, kept with it. */
interface Ready {
  /** rows of weights in pairs, [pairs][size], to a multiple of four with zeros */
  pairs: Float64Array;
  /** of each row: multiplier, what is added to the product, and 2^-(31 + shift) */
  factor: Float64Array;
  plus: Float64Array;
  scale: Float64Array;
  /** below it one floor does for both roundings, see the core's multiply */
  limit: Float64Array;
}

const ready = new WeakMap<Layer, Ready>();

function prepare(layer: Layer, size: number): Ready {
  const known = ready.get(layer);
  if (known !== undefined) return known;
  const { weights, multiplier, right, head } = layer;
  const rows = weights.length / size;
  const pairs = new Float64Array(Math.ceil(rows / 2 / ABREAST) * ABREAST * size);
  for (let row = 0; row < rows; row++) {
    const scale = row % 2 === 0 ? 1 : APART;
    const at = Math.floor(row / 2) * size;
    for (let i = 0; i < size; i++) pairs[at + i]! += weights[row * size + i]! * scale;
  }
  const each = (of: (unit: number) => number): Float64Array =>
    Float64Array.from({ length: rows }, (_, row) => of(head[16]! * row));
  const made = {
    pairs,
    factor: each((unit) => multiplier[unit]!),
    plus: each((unit) => 2 ** 30 + 2 ** (30 - right[unit]!)),
    scale: each((unit) => 2 ** (right[unit]! - 31)),
    limit: each((unit) => (right[unit]! < 0 ? 2 ** 21 : 0)),
  };
  ready.set(layer, made);
  return made;
}

const values = new Float64Array(MOST);
const sums = new Float64Array(2 * ABREAST);

/** Sums of four pairs of rows, beginning at `at`, into `sums`. */
function sumEight(pairs: Float64Array, at: number, size: number): void {
  let [s, t, u, v] = [0, 0, 0, 0];
  for (let i = 0; i < size; i++) {
    const x = values[i]!;
    s += x * pairs[at]!;
    t += x * pairs[at + size]!;
    u += x * pairs[at + 2 * size]!;
    v += x * pairs[at + 3 * size]!;
    at++;
  }
  split(s, 0);
  split(t, 2);
  split(u, 4);
  split(v, 6);
}

function split(sum: number, at: number): void {
  const second = Math.floor(sum / APART + 0.5);
  sums[at] = sum - second * APART;
  sums[at + 1] = second;
}

/**
 * Dense layers and convolutions, as the core's `multiply` and with its numbers: a place's inputs are
 * read once for eight outputs.
 */
const paired: Kernel = (layer, input, _, other) => {
  const { head, shape, bias, multiplier, right } = layer;
  const filters = shape[1]!;
  const size = layer.weights.length / filters;
  if (head[0] === 6 || size > MOST) return multiply(layer, input, dot, other);
  const { pairs, factor, plus, scale, limit } = prepare(layer, size);
  const { places, step, moving } = seen(layer, input, size);
  const zero = head[3]!;
  const low = head[1]!;
  const high = head[15]!;
  const perChannel = head[16]!;
  const output = new Int8Array(filters * places);
  for (let place = 0; place < places; place++) {
    for (let i = 0; i < size; i++) values[i] = moving[place * step + i]!;
    for (let row = 0; row < filters; row += 2 * ABREAST) {
      sumEight(pairs, (row / 2) * size, size);
      const end = Math.min(row + 2 * ABREAST, filters);
      for (let r = row; r < end; r++) {
        const acc = sums[r - row]! + bias[r]!;
        let q: number;
        if (acc < limit[r]! && acc > -limit[r]!) {
          const sum = acc * factor[r]! + plus[r]! - (acc < 0 ? 2147483648 : 0);
          q = Math.floor(sum * scale[r]!) + zero;
        } else {
          const unit = perChannel * r;
          q = requantise(acc, multiplier[unit]!, right[unit]!, zero);
        }
        output[place * filters + r] = q < low ? low : q > high ? high : q;
      }
    }
  }
  return output;
};

/** What the places of a layer see, and how far one is from the next. */
function seen(layer: Layer, input: Int8Array, size: number) {
  const { head, shape } = layer;
  if (head[0] === 1) return { places: 1, step: 0, moving: input };
  if (head[0] === 5) {
    const moving = patches(layer, input);
    return { places: moving.length / size, step: size, moving };
  }
  const channels = shape[0]!;
  const step = byte(head[13]!) * channels;
  const places = shape[3]!;
  const padded = (places - 1) * step + size;
  if (padded <= input.length) return { places, step, moving: input };
  const moving = new Int8Array(padded).fill(head[2]!);
  moving.set(input, head[14]! * channels);
  return { places, step, moving };
}

/** The gateway's tier of the device's kernel: the same numbers, quick in V8. */
export const tier: Tier = { dot, run: (layers, input) => runLayers(layers, input, dot, paired) };
