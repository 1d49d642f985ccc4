import fc from 'fast-check';
import { multiplyBy } from '../../support/bigint-arithmetic.ts';

/*
 * Layers by their integers, beyond what scales can give: any shift with any multiplier, biases at
 * the ends of int32, any two bounds.
 */
export interface RawLayer {
  type: number;
  low: number;
  high: number;
  zpIn: number;
  zpOut: number;
  channelsIn: number;
  channelsOut: number;
  /** across and down, the latter 1 but in type 5: size, kernel, stride, padding before, outputs */
  across: Side;
  down: Side;
  perChannel: boolean;
  /** int8 [channelsOut][kernel down][kernel across][channelsIn] */
  weights: number[];
  bias: number[];
  /** 2^30 to 2^31 - 1 */
  multiplier: number[];
  shift: number[];
  input: number[];
}

interface Side {
  size: number;
  kernel: number;
  stride: number;
  before: number;
  out: number;
}

const ONE: Side = { size: 1, kernel: 1, stride: 1, before: 0, out: 1 };
const int = (min: number, max: number) => fc.integer({ min, max });
const int8 = fc.oneof(int(-128, 127), fc.constantFrom(-128, 127));
const list = <T>(value: fc.Arbitrary<T>, n: number) =>
  fc.array(value, { minLength: n, maxLength: n });
const side = fc
  .record({ size: int(1, 9), kernel: int(1, 4), stride: int(1, 3), more: int(0, 3) })
  .chain(({ size, kernel, stride, more }) => {
    const padded = Math.max(kernel, Math.min(size + more, size + 2 * kernel - 2));
    const most = Math.min(padded - size, kernel - 1);
    return int(0, Math.max(0, most)).map((before) => {
      const out = Math.floor((padded - kernel) / stride) + 1;
      return { size, kernel, stride, before, out };
    });
  });
/** Ends of int32, less what the products can add, so that no sum leaves it. */
const END = 2 ** 31 - 2 ** 24;
const bias = fc.oneof(int(-300, 300), int(-(2 ** 21), 2 ** 21), int(-END, END));
const multiplier = fc.oneof(int(2 ** 30, 2 ** 31 - 1), fc.constantFrom(2 ** 30, 2 ** 31 - 1));
const bounds = fc.oneof(
  fc.constant<[number, number]>([-128, 127]),
  fc.tuple(int8, int8).map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]),
);

/** Layers of types 1, 2 and 5, as many with one multiplier as with one a channel. */
export const rawLayers: fc.Arbitrary<RawLayer> = fc
  .record({ type: fc.constantFrom(1, 1, 2, 5), across: side, down: side, perChannel: fc.boolean() })
  .chain(({ type, across, down, perChannel }) =>
    fc
      .record({ channelsIn: int(1, type === 1 ? 50 : 5), channelsOut: int(1, 11) })
      .chain(({ channelsIn, channelsOut }) => {
        const [x, y] = [type === 1 ? ONE : across, type === 5 ? down : ONE];
        const units = perChannel ? channelsOut : 1;
        const row = channelsIn * x.kernel * y.kernel;
        const shift = fc.oneof(int(-31, 30), int(-12, -1));
        return fc
          .record({
            bounds,
            zpIn: int8,
            zpOut: int8,
            weights: list(int8, row * channelsOut),
            bias: list(bias, channelsOut),
            multiplier: list(multiplier, units),
            shift: list(shift, units),
            input: list(int8, channelsIn * x.size * y.size),
          })
          .map(({ bounds: [low, high], ...rest }) => ({
            ...{ type, low, high, channelsIn, channelsOut, across: x, down: y, perChannel },
            ...rest,
          }));
      }),
  );

/** A layer as it lies in a part; see gateway/train/layer-form.ts. */
export function rawBytes(layer: RawLayer): Uint8Array {
  const { across, down } = layer;
  const header = layer.type < 5 ? 20 : 28;
  const biasAt = Math.ceil((header + layer.weights.length) / 4) * 4;
  const shiftAt = biasAt + 4 * (layer.bias.length + layer.multiplier.length);
  const bytes = new Uint8Array(Math.ceil((shiftAt + layer.shift.length) / 4) * 4 + 12);
  const view = new DataView(bytes.buffer);
  bytes.set([layer.type, layer.low, layer.zpIn, layer.zpOut]);
  [layer.channelsIn, layer.channelsOut, across.size, across.out].forEach((value, i) => {
    view.setUint16(4 + 2 * i, value, true);
  });
  bytes.set([across.kernel, across.stride, across.before, layer.high, +layer.perChannel], 12);
  if (header === 28) {
    view.setUint16(20, down.size, true);
    view.setUint16(22, down.out, true);
    bytes.set([down.kernel, down.stride, down.before, 1], 24);
  }
  bytes.set(layer.weights, header);
  [...layer.bias, ...layer.multiplier].forEach((value, i) => {
    view.setInt32(biasAt + 4 * i, value, true);
  });
  bytes.set(layer.shift, shiftAt);
  return bytes;
}

/** What a layer gives, with integers that have no end. A left shift drops what leaves int32. */
export function rawOutput(layer: RawLayer): number[] {
  const { across, down, channelsIn: n, channelsOut } = layer;
  const row = n * across.kernel * down.kernel;
  const output: number[] = [];
  for (let place = 0; place < across.out * down.out; place++) {
    const x = (place % across.out) * across.stride - across.before;
    const y = Math.floor(place / across.out) * down.stride - down.before;
    const seen = Array.from({ length: row }, (_, i) => {
      const at = x + (Math.floor(i / n) % across.kernel);
      const line = y + Math.floor(i / (n * across.kernel));
      const inside = at >= 0 && at < across.size && line >= 0 && line < down.size;
      return inside ? layer.input[(line * across.size + at) * n + (i % n)]! : layer.zpIn;
    });
    for (let c = 0; c < channelsOut; c++) {
      const acc = seen.reduce((sum, v, i) => sum + v * layer.weights[c * row + i]!, layer.bias[c]!);
      const unit = layer.perChannel ? c : 0;
      const factor = { m: BigInt(layer.multiplier[unit]!), s: BigInt(layer.shift[unit]!) };
      const value = Number(multiplyBy(BigInt(acc), factor)) + layer.zpOut;
      output.push(Math.max(layer.low, Math.min(layer.high, value)));
    }
  }
  return output;
}
