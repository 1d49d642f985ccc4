import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { type Bundle, buildBundle } from '../../device/build.ts';
import { NEVER } from '../../device/core/messages.ts';
import {
  integers,
  type TinyModel,
  tinyModel,
  walk,
} from '../../gateway/bench/faults/tiny-model.ts';
import { loadBoard } from '../../gateway/board.ts';
import { virtualClock } from '../../gateway/link/virtual/clock.ts';
import { createVirtualDevice } from '../../gateway/link/virtual/device.ts';
import { loadTask, type Task } from '../../gateway/task.ts';
import { encodeLayers } from '../../gateway/train/layer-codec.ts';
import { createPredictor, goldenVectors } from '../../gateway/train/model.ts';
import { encodePre } from '../../gateway/train/pre.ts';
import type { QuantConv, QuantLayer } from '../../gateway/train/quant-layer.ts';
import { bundleOf } from '../support/device-bench.ts';
import { espruinoDevice } from '../support/espruino-device.ts';
import { miniGateway } from '../support/mini-gateway.ts';
import { hasSocat, skippedSocat } from '../support/pty.ts';
import { espruinoPath, skippedEspruino } from '../support/run-espruino.ts';

const random = integers(5);
const small = (n: number): Int8Array => Int8Array.from({ length: n }, () => random(255) - 127);
const unit = { scale: 1, zero: 0 };
const weighted = (rows: number, columns: number, units: number) => ({
  weights: small(rows * columns),
  bias: Int32Array.from({ length: rows }, () => random(4000) - 2000),
  weightScale: new Float32Array(units).fill(Math.SQRT1_2 / 128),
  input: unit,
  output: { scale: 1, zero: 3 },
  activation: 'none' as const,
});
const upright = { height: 1, kernelHeight: 1, strideHeight: 1 };
const dense = (inputs: number, outputs: number): QuantLayer => ({
  type: 'dense',
  inputs,
  outputs,
  ...weighted(outputs, inputs, 1),
});

/** A model of the given layers and a head on `inputs`, offered as release 2; the logits are the gateway's. */
function modelOf(set: 0 | 1 | 2, backbone: QuantLayer[], inputs: number): TinyModel {
  const n = [3, 27, 50][set];
  const parts = {
    pre: encodePre({
      ...{ set, zero: 0 },
      offset: new Int32Array(n),
      multiplier: new Uint16Array(n).fill(40_000),
      shift: new Uint8Array(n).fill(set === 0 ? 15 : 18),
    }),
    backbone: encodeLayers(backbone, 0),
    head: encodeLayers([dense(inputs, 6)], 0.1),
  };
  const bytes = [parts.pre, parts.backbone, parts.head];
  const golden = goldenVectors(parts, 150, 77, 3);
  const refs = bytes.map((b, i): [Uint8Array, number, number] => [
    new Uint8Array(8).fill(i + 50),
    b.length,
    crc32(b),
  ]);
  return {
    offer: [
      2,
      new Uint8Array(8).fill(9),
      refs,
      golden.seed,
      golden.count,
      golden.outputs,
      20,
      0,
      NEVER,
    ],
    parts: bytes,
    predict: createPredictor(parts),
  };
}

const conv: QuantConv = {
  ...{ type: 'conv2d', ...upright, width: 50, channels: 3, filters: 1 },
  ...{ kernelWidth: 3, strideWidth: 1, padding: 'valid' },
  ...weighted(1, 9, 1),
};
const pool = (type: 'maxpool2d' | 'avgpool2d', width = 48, kernelWidth = 2): QuantLayer => ({
  ...{ type, ...upright, width, channels: 1, kernelWidth, strideWidth: width === 48 ? 2 : 1 },
  ...{ padding: 'valid', input: unit, activation: 'none' },
});

/** Models that the task `gesture`, dense on features of motion, never needs. */
const foreign: [name: string, TinyModel][] = [
  ['a convolution on the raw window', modelOf(0, [conv], 48)],
  ['a maximum pool behind it', modelOf(0, [conv, pool('maxpool2d')], 24)],
  ['an average pool behind it', modelOf(0, [conv, pool('avgpool2d')], 24)],
];

const table = (type: 'logistic' | 'quantise'): QuantLayer => ({
  ...{ type, size: 27, input: { scale: 1 / 16, zero: 0 } },
  output: { scale: 1 / 256, zero: -128 },
});

/** The same of features, which are in the bundle: it is the layer that is missing. */
const layers: [name: string, TinyModel][] = [
  [
    'a convolution of features',
    modelOf(1, [{ ...conv, width: 27, channels: 1, kernelWidth: 4, ...weighted(1, 4, 1) }], 24),
  ],
  ['a pool of features', modelOf(1, [pool('maxpool2d', 27, 4)], 24)],
  [
    'a convolution over two dimensions',
    modelOf(
      1,
      [
        {
          ...{ ...conv, height: 3, width: 9, channels: 1, kernelHeight: 2, kernelWidth: 2 },
          ...weighted(1, 4, 1),
        },
      ],
      16,
    ),
  ],
  [
    'a mean',
    modelOf(1, [{ type: 'mean', height: 3, width: 1, channels: 9, input: unit, output: unit }], 9),
  ],
  [
    'an addition',
    modelOf(
      1,
      [
        {
          ...{ type: 'add', size: 27, from2: -1, input: unit, input2: unit },
          ...{ output: { scale: 2, zero: 0 }, activation: 'none' },
        },
      ],
      27,
    ),
  ],
  ['a softmax', modelOf(1, [{ type: 'softmax', size: 27, input: unit, beta: 1 }], 27)],
  ['a logistic function', modelOf(1, [table('logistic')], 27)],
  ['a requantisation', modelOf(1, [table('quantise')], 27)],
];

async function offered(bundle: Bundle, model: TinyModel) {
  const clock = virtualClock();
  const device = createVirtualDevice({
    bundle,
    id: 'options',
    board: loadBoard('espruino-linux'),
    clock,
  });
  const gateway = await miniGateway(device.port);
  await clock.advance(1500);
  const first = tinyModel(1);
  if (bundle === (await bundleOf())) {
    gateway.offer(first);
    await clock.advance(1500);
    gateway.confirm(1);
    await clock.advance(100);
  }
  gateway.offer(model);
  await clock.advance(5000);
  const codes = gateway.statuses.filter(([release]) => release === 2).map((status) => status[1]);
  return { device, codes, first };
}

const convolutional = (): Task => {
  const task = structuredClone(loadTask('gesture'));
  task.features = 'raw';
  task.architecture.layers = [
    { type: 'conv1d', filters: 1, kernel: 3, stride: 1, padding: 'valid', activation: 'none' },
    { type: 'maxpool1d', pool: 2, stride: 2 },
    { type: 'dense', units: 6, activation: 'none' },
  ];
  delete task.architecture.deeper;
  return task;
};

for (const [name, model] of [...foreign, ...layers]) {
  test(`bundle refuses a model with ${name} when its task never needs one, and runs on`, async () => {
    const { device, codes, first } = await offered(await bundleOf(), model);
    expect(codes).toEqual([1, 10]);
    for (const window of [3, 4].map(walk)) {
      const { cls, score } = first.predict(window, 50);
      expect(device.feedWindow(window, 50)).toEqual({ cls, score });
    }
  });
}

/** Every layer there is, as a part names them: what a bundle for imported models may hold. */
const everyType = [
  ...['conv1d', 'maxpool1d', 'avgpool1d', 'conv2d', 'depthwise2d', 'maxpool2d', 'avgpool2d'],
  ...['mean', 'add', 'softmax', 'logistic', 'quantise'],
];

for (const [name, model] of layers) {
  test(`bundle built for imported models runs one with ${name}`, async () => {
    const [board, task] = [loadBoard('espruino-linux'), loadTask('gesture')];
    const bundle = await buildBundle({ board, task, types: everyType });
    const { device, codes } = await offered(bundle, model);
    expect(codes).toEqual([1, 2, 3, 4]);
    for (const window of [3, 4].map(walk)) {
      const { cls, score } = model.predict(window, 50);
      expect(device.feedWindow(window, 50)).toEqual({ cls, score });
    }
  });
}

for (const [name, model] of foreign) {
  test(`bundle runs a model with ${name} when its task has such layers`, async () => {
    const board = loadBoard('espruino-linux');
    const bundle = await buildBundle({ board, task: convolutional() });
    const { device, codes } = await offered(bundle, model);
    expect(codes).toEqual([1, 2, 3, 4]);
    for (const window of [3, 4].map(walk)) {
      const { cls, score } = model.predict(window, 50);
      expect(device.feedWindow(window, 50)).toEqual({ cls, score });
    }
  });
}

test('bundle refuses features when its task reads the raw window', async () => {
  const bundle = await buildBundle({ board: loadBoard('espruino-linux'), task: convolutional() });
  for (const set of [1, 2] as const) {
    expect((await offered(bundle, modelOf(set, [], set === 1 ? 27 : 50))).codes).toEqual([1, 10]);
  }
});

test('bundle takes a deeper net when the task may grow to it', async () => {
  const task = structuredClone(loadTask('gesture'));
  task.architecture.deeper = convolutional().architecture.layers;
  const { code } = await buildBundle({ board: loadBoard('espruino-linux'), task });
  expect(code.length).toBeGreaterThan((await bundleOf()).code.length + 300);
});

test.skipIf(!espruinoPath() || !hasSocat)(
  `bundle on the real Espruino refuses a model that it was not built for, and runs on${skippedEspruino || skippedSocat}`,
  async () => {
    const d = await espruinoDevice();
    try {
      const said = (release: number, code: number) => () =>
        d.gateway.statuses.some((status) => status[0] === release && status[1] === code);
      const first = tinyModel(1);
      d.gateway.offer(first);
      await d.until(said(1, 4));
      d.gateway.confirm(1);
      await d.until(said(1, 5));
      for (const [, model] of [...foreign, ...layers]) {
        d.gateway.statuses.length = 0;
        d.gateway.offer(model);
        await d.until(said(2, 10));
        expect(await d.runs([first])).toBe(first);
      }
    } finally {
      await d.stop();
    }
  },
  60_000,
);
