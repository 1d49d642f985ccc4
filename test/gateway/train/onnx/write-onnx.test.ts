import { describe, expect, it } from 'vitest';
import { integers } from '../../../../gateway/bench/faults/tiny-model.ts';
import { onnxRunner } from '../../../../gateway/bench/peers.ts';
import { writeOnnx } from '../../../../gateway/train/onnx/write-onnx.ts';
import {
  layerSizes,
  type QuantLayer,
  type Sliding,
} from '../../../../gateway/train/quant-layer.ts';
import { layerRunner } from '../../../../gateway/train/tflite/run-tflite.ts';
import { inSteps } from '../../../support/tflite-files.ts';

const random = integers(4);
const input = { scale: Math.fround(0.1), zero: 5 };
const output = { scale: Math.fround(0.2), zero: -10 };
const plane: Sliding = {
  ...{ height: 4, width: 5, channels: 3, kernelHeight: 3, kernelWidth: 2 },
  ...{ strideHeight: 2, strideWidth: 1, padding: 'same' },
};
const numbers = (rows: number, size: number, units: number) => ({
  weights: Int8Array.from({ length: rows * size }, () => random(255) - 127),
  bias: Int32Array.from({ length: rows }, () => random(999) - 500),
  weightScale: Float32Array.from({ length: units }, (_, i) => 0.004 + 0.001 * i),
  ...{ input, output },
});
const table = { size: 8, input, output };

const nets: Record<string, QuantLayer[]> = {
  conv: [{ type: 'conv2d', ...plane, filters: 4, ...numbers(4, 18, 4), activation: 'relu' }],
  'conv with relu6': [
    { type: 'conv2d', ...plane, filters: 4, ...numbers(4, 18, 1), activation: 'relu6' },
  ],
  depthwise: [
    { type: 'depthwise2d', ...plane, depthMultiplier: 2, ...numbers(6, 6, 6), activation: 'none' },
  ],
  'largest of each': [{ type: 'maxpool2d', ...plane, input, activation: 'none' }],
  'average, of even numbers': [{ type: 'avgpool2d', ...plane, input, activation: 'none' }],
  'average with relu': [{ type: 'avgpool2d', ...plane, input, activation: 'relu' }],
  mean: [{ type: 'mean', height: 4, width: 5, channels: 3, input, output }],
  softmax: [{ type: 'softmax', size: 8, input, beta: 1 }],
  'softmax, beta 2': [{ type: 'softmax', size: 8, input, beta: 2 }],
  logistic: [{ type: 'logistic', ...table }],
  rescaling: [{ type: 'quantise', ...table }],
  'a residual block': [
    { type: 'dense', inputs: 8, outputs: 8, ...numbers(8, 8, 1), activation: 'relu' },
    { type: 'quantise', ...table, from: -1 },
    { type: 'add', size: 8, from2: 0, input, input2: input, output, activation: 'relu' },
  ],
  'planes, then flat': [
    { type: 'conv2d', ...plane, filters: 4, ...numbers(4, 18, 4), activation: 'relu' },
    { type: 'dense', inputs: 40, outputs: 6, ...numbers(6, 40, 1), activation: 'none' },
  ],
  'flat, then planes': [
    // no ties: ONNX rounds them to even, and the convolution would add them up
    { type: 'quantise', size: 60, input, output: { scale: Math.fround(0.17), zero: 2 } },
    { type: 'conv2d', ...plane, filters: 4, ...numbers(4, 18, 4), activation: 'none' },
  ],
};

describe('writeOnnx()', () => {
  it.each(Object.entries(nets))(
    'gives ONNX Runtime the same net within a step: %s',
    async (_, net) => {
      const layers = inSteps(net);
      const peer = await onnxRunner(writeOnnx(layers));
      if ('skipped' in peer) throw new Error(peer.skipped);
      const run = layerRunner(layers);
      const { input: size } = layerSizes(layers[0]!);
      for (let i = 0; i < 100; i++) {
        const x = Int8Array.from({ length: size }, () => random(256) - 128);
        const theirs = await peer.run(x);
        const apart = [...run(x)].map((value, k) => Math.abs(value - theirs[k]!));
        expect(Math.max(...apart)).toBeLessThanOrEqual(1);
      }
      peer.close();
    },
  );

  it('rounds the ties of an average as devices do', async () => {
    const layers: QuantLayer[] = [
      {
        ...{ type: 'avgpool2d', ...plane, kernelHeight: 2, kernelWidth: 2, padding: 'valid' },
        ...{ input, activation: 'none' },
      },
    ];
    const peer = await onnxRunner(writeOnnx(layers));
    if ('skipped' in peer) throw new Error(peer.skipped);
    const run = layerRunner(layers);
    for (let i = 0; i < 100; i++) {
      const x = Int8Array.from({ length: 60 }, () => random(256) - 128);
      expect(await peer.run(x)).toEqual(run(x));
    }
    peer.close();
  });

  it('gives the same bytes each time', () => {
    for (const net of Object.values(nets)) {
      expect(Buffer.compare(writeOnnx(inSteps(net)), writeOnnx(inSteps(net)))).toBe(0);
    }
  });
});
