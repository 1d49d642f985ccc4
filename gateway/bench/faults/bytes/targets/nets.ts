import { createRandom } from '../../../../random.ts';
import type { Quantisation, QuantLayer, Weighted } from '../../../../train/quant-layer.ts';

const IN: Quantisation = { scale: 1 / 32, zero: 0 };
const MID: Quantisation = { scale: 1 / 16, zero: -128 };
const OUT: Quantisation = { scale: 1 / 8, zero: 3 };
const SMALL = { kernelHeight: 1, strideHeight: 1, kernelWidth: 3, strideWidth: 2 } as const;

type Numbers = Pick<Weighted, 'weights' | 'bias' | 'weightScale' | 'activation'>;

function numbers(seed: number, rows: number, size: number, each: boolean): Numbers {
  const random = createRandom(seed);
  return {
    weights: Int8Array.from({ length: rows * size }, () => random.integer(255) - 127),
    bias: Int32Array.from({ length: rows }, () => random.integer(4000) - 2000),
    weightScale: new Float32Array(each ? rows : 1).fill(2 ** -7),
    activation: 'relu',
  };
}

/** Small nets that between them have every kind of layer that files bring: what is damaged is structure. */
export function fileNets(): QuantLayer[][] {
  const sliding = { height: 1, width: 9, channels: 2, padding: 'same' as const, ...SMALL };
  const plane = {
    ...sliding,
    height: 5,
    kernelHeight: 2,
    strideHeight: 2,
    padding: 'valid' as const,
  };
  return [
    [
      { type: 'conv2d', ...sliding, filters: 3, ...numbers(1, 3, 6, true), input: IN, output: MID },
      {
        ...{ type: 'maxpool2d', ...sliding, width: 5, channels: 3, padding: 'valid' },
        ...{ input: MID, activation: 'none' },
      },
      { type: 'dense', inputs: 6, outputs: 6, ...numbers(2, 6, 6, false), input: MID, output: OUT },
      { type: 'softmax', size: 6, input: OUT, beta: 1 },
    ],
    [
      {
        ...{ type: 'depthwise2d', ...plane, depthMultiplier: 2, ...numbers(3, 4, 6, true) },
        ...{ input: IN, output: MID },
      },
      { type: 'mean', height: 2, width: 4, channels: 4, input: MID, output: MID },
      { type: 'dense', inputs: 4, outputs: 4, ...numbers(4, 4, 4, false), input: MID, output: MID },
      {
        ...{ type: 'add', size: 4, from: 2, from2: 1, input: MID, input2: MID, output: MID },
        activation: 'relu',
      },
      { type: 'logistic', size: 4, input: MID, output: { scale: 1 / 256, zero: -128 } },
    ],
  ];
}
