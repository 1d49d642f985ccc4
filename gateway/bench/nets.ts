import { createRandom } from '../random.ts';
import type { QuantDense, QuantLayer } from '../train/quant-layer.ts';

/** A net to time: random weights, since speed depends on the shape alone. */
export interface BenchNet {
  /** '33→20→6' */
  name: string;
  layers: QuantLayer[];
  inputs: number;
  macs: number;
}

/**
 * A net of dense layers, ReLU between them.
 *
 * @param sizes inputs, hidden layers, outputs
 * @example denseNet([33, 20, 6]).macs // 780
 */
export function denseNet(sizes: readonly number[]): BenchNet {
  const random = createRandom(sizes.length * 1000 + sizes[0]!);
  const layers = sizes.slice(1).map((outputs, i): QuantDense => {
    const inputs = sizes[i]!;
    const last = i === sizes.length - 2;
    return {
      type: 'dense',
      inputs,
      outputs,
      weights: Int8Array.from({ length: inputs * outputs }, () => random.integer(255) - 127),
      bias: Int32Array.from({ length: outputs }, () => random.integer(4000) - 2000),
      // about a standard deviation of the sums to a fifth of the int8 range
      weightScale: Float32Array.of(2 ** -7),
      input: i === 0 ? { scale: 1 / 32, zero: 0 } : { scale: 1 / 16, zero: -128 },
      output: last ? { scale: 1 / 4, zero: 3 } : { scale: 1 / 16, zero: -128 },
      activation: last ? 'none' : 'relu',
    };
  });
  return {
    name: sizes.join('→'),
    layers,
    inputs: sizes[0]!,
    macs: layers.reduce((sum, { weights }) => sum + weights.length, 0),
  };
}

/** The nets of `bench kernel`: two dense ones, and that of the task `gesture` on its 50 features. */
export const BENCH_NETS: readonly BenchNet[] = [
  denseNet([33, 20, 6]),
  denseNet([128, 64, 6]),
  denseNet([50, 6]),
];

/** Int8 inputs that differ, the same each time. */
export function inputsOf(size: number): Int8Array[] {
  return Array.from({ length: 64 }, (_, k) =>
    Int8Array.from({ length: size }, (_, i) => ((i * 53 + k * 91 + i * k) % 256) - 128),
  );
}
