import type { QuantAdd, QuantLayer } from '../../gateway/train/quant-layer.ts';
import { kernelCases, type Operator } from './kernel-cases.ts';

/** Layers with an input and what TensorFlow Lite Micro gave for it. */
export interface GoldenNet {
  name: string;
  layers: QuantLayer[];
  input: Int8Array;
  output: Int8Array;
}

/** A layer that gives the same values whatever it reads. */
function constant(values: Int8Array): QuantLayer {
  const size = values.length;
  return {
    type: 'dense',
    inputs: size,
    outputs: size,
    weights: new Int8Array(size * size),
    bias: Int32Array.from(values),
    weightScale: Float32Array.of(1),
    input: { scale: 1, zero: 0 },
    output: { scale: 1, zero: 0 },
    activation: 'none',
  };
}

/**
 * An addition whose terms are the net's input and the output of an earlier layer: the second term by
 * from2 past another layer, or from the layer just before; the first one likewise.
 */
function additions(
  layer: QuantAdd,
  first: Int8Array,
  second: Int8Array,
): [QuantLayer[], Int8Array][] {
  const between = constant(first.map((value) => ~value));
  return [
    [[constant(second), between, { ...layer, from: -1, from2: 0 }], first],
    [[constant(second), { ...layer, from: -1, from2: 0 }], first],
    [[constant(first), between, { ...layer, from: 0, from2: -1 }], second],
    [[constant(first), { ...layer, from2: -1 }], second],
  ];
}

/** The golden vectors of an operator, each as a net of one input. */
export function goldenNets(operator: Operator): GoldenNet[] {
  return kernelCases(operator).flatMap(({ name, layer, inputs, inputs2, outputs }) =>
    outputs.flatMap((output, i) => {
      const input = inputs[i]!;
      if (layer.type !== 'add') return [{ name, layers: [layer], input, output }];
      return additions(layer, input, inputs2[i]!).map(([layers, read]) => ({
        ...{ name, layers, input: read, output },
      }));
    }),
  );
}
