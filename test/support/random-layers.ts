import fc from 'fast-check';
import type { Activation, QuantLayer, Sliding } from '../../gateway/train/quant-layer.ts';
import { layerSizes } from '../../gateway/train/quant-layer.ts';

const int = (min: number, max: number) => fc.integer({ min, max });
const int8 = int(-128, 127);
const list = <T>(value: fc.Arbitrary<T>, n: number) =>
  fc.array(value, { minLength: n, maxLength: n });
/** float32 from 2^low to 2^high, many of them powers of two. */
const scale = (low: number, high: number): fc.Arbitrary<number> =>
  fc.oneof(
    int(low, high).map((e) => 2 ** e),
    fc.double({ min: low, max: high, noNaN: true }).map((e) => Math.fround(2 ** e)),
  );
const quantisation = (low = -6, high = 1) => fc.record({ scale: scale(low, high), zero: int8 });
const activation = fc.constantFrom<Activation>('none', 'relu', 'relu6');

/** Numbers of a layer with weights: its real factors from 2^-22 to 2^3, all accumulators in int32. */
function weighted(rows: number, size: number, units: number) {
  return fc.record({
    weights: list(int(-127, 127), rows * size).map((v) => Int8Array.from(v)),
    bias: list(fc.oneof(int(-9000, 9000), int(-(2 ** 26), 2 ** 26)), rows).map((v) =>
      Int32Array.from(v),
    ),
    weightScale: list(scale(-12, -3), units).map((v) => Float32Array.from(v)),
    input: quantisation(),
    output: quantisation(-5, 4),
    activation,
  });
}

const sliding: fc.Arbitrary<Sliding> = fc
  .record({
    height: int(1, 6),
    width: int(1, 7),
    channels: int(1, 4),
    kernelHeight: int(1, 4),
    kernelWidth: int(1, 4),
    strideHeight: int(1, 3),
    strideWidth: int(1, 3),
    padding: fc.constantFrom<'same' | 'valid'>('same', 'valid'),
    oneRow: fc.boolean(),
  })
  .map(({ oneRow, ...s }) => (oneRow ? { ...s, height: 1, kernelHeight: 1, strideHeight: 1 } : s))
  .filter((s) => s.padding === 'same' || (s.kernelHeight <= s.height && s.kernelWidth <= s.width));

const dense = fc
  .tuple(int(1, 20), int(1, 6), fc.boolean())
  .chain(([inputs, outputs, each]) =>
    weighted(outputs, inputs, each ? outputs : 1).map(
      (w): QuantLayer => ({ type: 'dense', inputs, outputs, ...w }),
    ),
  );
const conv = fc
  .tuple(sliding, int(1, 4), fc.boolean())
  .chain(([s, filters, each]) =>
    weighted(filters, s.kernelHeight * s.kernelWidth * s.channels, each ? filters : 1).map(
      (w): QuantLayer => ({ type: 'conv2d', ...s, filters, ...w }),
    ),
  );
const depthwise = fc.tuple(sliding, int(1, 3), fc.boolean()).chain(([s, depthMultiplier, each]) => {
  const rows = s.channels * depthMultiplier;
  return weighted(rows, s.kernelHeight * s.kernelWidth, each ? rows : 1).map(
    (w): QuantLayer => ({ type: 'depthwise2d', ...s, depthMultiplier, ...w }),
  );
});
const pool = fc
  .record({
    type: fc.constantFrom<'maxpool2d' | 'avgpool2d'>('maxpool2d', 'avgpool2d'),
    sliding,
    input: quantisation(),
    activation,
  })
  .map(({ sliding: s, ...rest }): QuantLayer => ({ ...rest, ...s }));
const mean: fc.Arbitrary<QuantLayer> = fc.record({
  type: fc.constant('mean'),
  height: int(1, 9),
  width: int(1, 9),
  channels: int(1, 4),
  input: quantisation(),
  output: quantisation(-6, 4),
});

/** Layers that give as many values as they read, so that any of them may read any other. */
const level = (size: number): Record<string, fc.Arbitrary<QuantLayer>> => ({
  add: fc.record({
    ...{ type: fc.constant('add'), size: fc.constant(size), from2: fc.constant(-1) },
    ...{ input: quantisation(), input2: quantisation(), output: quantisation(-4, 4), activation },
  }),
  softmax: fc.record({
    type: fc.constant('softmax'),
    size: fc.constant(size),
    input: quantisation(-8, 5),
    beta: fc.constantFrom(1, 0.5, 3),
  }),
  table: fc.record({
    type: fc.constantFrom<'logistic' | 'quantise'>('logistic', 'quantise'),
    size: fc.constant(size),
    input: quantisation(),
    output: quantisation(-6, 4),
  }),
  square: weighted(size, size, 1).map((w) => ({
    type: 'dense',
    inputs: size,
    outputs: size,
    ...w,
  })),
});
const anySize = (name: string) => int(1, 12).chain((size) => level(size)[name]!);

/** A layer of each kind, by name. */
export const randomLayers: Record<string, fc.Arbitrary<QuantLayer>> = {
  ...{ dense, conv, depthwise, pool, mean },
  ...{ add: anySize('add'), softmax: anySize('softmax'), table: anySize('table') },
};

/** Layers with an input that fits the first, int8. */
export interface RandomNet {
  layers: QuantLayer[];
  input: number[];
}

/** One layer with an input; of extreme values as often as of any. */
export function withInput(layers: QuantLayer[]): fc.Arbitrary<RandomNet> {
  const value = fc.oneof(int8, fc.constantFrom(-128, 127));
  return list(value, layerSizes(layers[0]!).input).map((input) => ({ layers, input }));
}

/** Two to six layers of so many values, each reading any one before it, or the net's input. */
export function wiredNetsOf(size: number): fc.Arbitrary<RandomNet> {
  const layer = fc.oneof(...Object.values(level(size)));
  const row = fc.tuple(layer, fc.nat(), fc.nat(), fc.boolean());
  return fc
    .array(row, { minLength: 2, maxLength: 6 })
    .map((rows) =>
      rows.map(([layer, first, second, straight], i): QuantLayer => {
        const wired = straight ? layer : { ...layer, from: (first % (i + 1)) - 1 };
        return wired.type === 'add' ? { ...wired, from2: (second % (i + 1)) - 1 } : wired;
      }),
    )
    .chain(withInput);
}

/** Of one to eight values. */
export const wiredNets: fc.Arbitrary<RandomNet> = int(1, 8).chain(wiredNetsOf);
