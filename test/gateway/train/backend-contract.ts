import { expect, it } from 'vitest';
import { createRandom } from '../../../gateway/random.ts';
import type { LayerSpec } from '../../../gateway/task.ts';
import { createNet, type FloatNet } from '../../../gateway/train/net.ts';
import {
  type Backend,
  type FitOptions,
  type TrainData,
  train,
} from '../../../gateway/train/trainer.ts';

export const OPTIONS: FitOptions = {
  epochs: 12,
  batch: 16,
  learningRate: 0.01,
  l2: 0,
  labelSmoothing: 0,
  seed: 3,
  frozen: 0,
};

/** Layers of every type. */
export const SPECS: LayerSpec[] = [
  { type: 'conv1d', filters: 4, kernel: 3, stride: 1, padding: 'same', activation: 'relu' },
  { type: 'maxpool1d', pool: 2, stride: 2 },
  { type: 'conv1d', filters: 3, kernel: 2, stride: 1, padding: 'valid', activation: 'none' },
  { type: 'avgpool1d', pool: 2, stride: 1 },
  { type: 'dense', units: 7, activation: 'relu' },
  { type: 'dense', units: 3, activation: 'none' },
];

/** Three classes, told apart by which third of the window is raised. */
export function toyData(n: number, seed: number): TrainData {
  const random = createRandom(seed);
  const y = Int32Array.from({ length: n }, (_, i) => i % 3);
  const x = new Float32Array(n * 12 * 2);
  for (let i = 0; i < x.length; i++) {
    const sample = Math.floor(i / 24);
    const third = Math.floor((i % 24) / 8);
    x[i] = 0.5 * random.gaussian() + (third === y[sample] ? 1.5 : 0);
  }
  return { x, y, n };
}

export const toyNet = (): FloatNet => createNet({ length: 12, channels: 2 }, SPECS, 5);

function accuracyOf(backend: Backend, net: FloatNet, data: TrainData): number {
  const logits = backend.predict(net, data.x, data.n);
  const classes = logits.length / data.n;
  let right = 0;
  for (let s = 0; s < data.n; s++) {
    const row = [...logits.subarray(s * classes, (s + 1) * classes)];
    if (row.indexOf(Math.max(...row)) === data.y[s]) right++;
  }
  return right / data.n;
}

/** What every trainer backend must do, whatever it runs on. */
export function backendContract(load: () => Promise<Backend>): void {
  it('fit() learns a separable problem when given time, and tells of each epoch', async () => {
    const backend = await load();
    const losses: number[] = [];
    const epochs: number[] = [];
    const net = await train(backend, toyNet(), toyData(120, 1), OPTIONS, ({ epoch, loss }) => {
      epochs.push(epoch);
      losses.push(loss);
    });
    expect(epochs).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    expect(losses[11]).toBeLessThan(losses[0] / 3);
    expect(accuracyOf(backend, net, toyData(90, 2))).toBeGreaterThan(0.95);
  });

  it('fit() leaves the net that it was given as it was', async () => {
    const backend = await load();
    const net = toyNet();
    await train(backend, net, toyData(30, 1), { ...OPTIONS, epochs: 1, frozen: 2 });
    expect(net).toEqual(toyNet());
  });

  it('fit() moves only what is not frozen when layers are frozen', async () => {
    const backend = await load();
    const data = toyData(60, 1);
    const trained = await train(backend, toyNet(), data, { ...OPTIONS, epochs: 3, frozen: 5 });
    expect(trained.layers.slice(0, 5)).toEqual(toyNet().layers.slice(0, 5));
    expect(trained.layers[5]).not.toEqual(toyNet().layers[5]);
  });

  it('fit() repeats itself bit for bit when seeded alike', async () => {
    const backend = await load();
    const run = (seed: number): Promise<FloatNet> =>
      train(backend, toyNet(), toyData(50, 1), { ...OPTIONS, epochs: 2, seed });
    const first = await run(3);
    expect(await run(3)).toEqual(first);
    expect(await run(4)).not.toEqual(first);
  });

  it('fit() ends with code cancelled when the signal is raised', async () => {
    const backend = await load();
    const controller = new AbortController();
    let epochs = 0;
    const run = train(
      backend,
      toyNet(),
      toyData(60, 1),
      { ...OPTIONS, signal: controller.signal },
      () => {
        epochs++;
        if (epochs === 2) controller.abort(new Error('enough'));
      },
    );
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    expect(epochs).toBe(2);
  });

  it('fit() follows the weights of the samples when labels contradict', async () => {
    const backend = await load();
    const data = toyData(60, 1);
    // the second half is the first half again, with the classes moved on
    const y = Int32Array.from({ length: 60 }, (_, i) => (i < 30 ? data.y[i] : (data.y[i] + 1) % 3));
    const x = data.x.slice();
    x.copyWithin(30 * 24, 0, 30 * 24);
    const weighted = (first: number): TrainData => {
      const weight = Float32Array.from({ length: 60 }, (_, i) => (i < 30 ? first : 2 - first));
      return { x, y, weight, n: 60 };
    };
    const half = { x: x.slice(0, 30 * 24), y: y.slice(0, 30), n: 30 };
    const heeds = await train(backend, toyNet(), weighted(1.9), OPTIONS);
    const ignores = await train(backend, toyNet(), weighted(0.1), OPTIONS);
    expect(accuracyOf(backend, heeds, half)).toBeGreaterThan(0.9);
    expect(accuracyOf(backend, ignores, half)).toBeLessThan(0.1);
  });

  it('fit() keeps weights smaller when l2 is larger, layer by layer', async () => {
    const backend = await load();
    const norms = async (l2: number | number[]): Promise<number[]> => {
      const net = await train(backend, toyNet(), toyData(60, 1), { ...OPTIONS, l2 });
      return net.layers.map((layer) =>
        'weights' in layer ? Math.hypot(...layer.weights) : Number.NaN,
      );
    };
    const free = await norms(0);
    const all = await norms(0.3);
    const last = await norms([0, 0, 0, 0, 0, 0.3]);
    for (const l of [0, 2, 4, 5]) expect(all[l]).toBeLessThan(0.9 * free[l]);
    expect(last[5]).toBeLessThan(0.9 * free[5]);
    expect(last[0]).toBeGreaterThan(all[0]);
  });

  it('fit() is less sure of itself when labels are smoothed', async () => {
    const backend = await load();
    const widest = async (labelSmoothing: number): Promise<number> => {
      const data = toyData(60, 1);
      const net = await train(backend, toyNet(), data, { ...OPTIONS, labelSmoothing, epochs: 30 });
      return Math.max(...backend.predict(net, data.x, data.n));
    };
    expect(await widest(0.3)).toBeLessThan(0.7 * (await widest(0)));
  });

  it('fit() regresses when targets are floats', async () => {
    const backend = await load();
    const data = toyData(90, 1);
    const means = (n: number): Float32Array =>
      Float32Array.from({ length: n }, (_, s) => {
        const sample = data.x.subarray(s * 24, s * 24 + 8);
        return sample.reduce((a, b) => a + b) / 8;
      });
    const net = createNet(
      { length: 12, channels: 2 },
      [{ type: 'dense', units: 1, activation: 'none' }],
      2,
    );
    const options = { ...OPTIONS, epochs: 60 };
    const trained = await train(backend, net, { ...data, y: means(90) }, options);
    const outputs = backend.predict(trained, data.x, data.n);
    const error = means(90).reduce((sum, mean, i) => sum + (mean - outputs[i]) ** 2, 0) / 90;
    expect(error).toBeLessThan(0.01);
  });

  it('fit() and gradients() refuse data that do not fit the net', async () => {
    const backend = await load();
    const data = toyData(6, 1);
    const wrong: TrainData[] = [
      { ...data, n: 5 },
      { ...data, n: 0, x: new Float32Array(0), y: new Int32Array(0) },
      { ...data, y: Int32Array.of(0, 1, 2, 3, 0, 1) },
      { ...data, y: new Float32Array(6) },
      { ...data, weight: new Float32Array(5) },
    ];
    for (const bad of wrong) {
      expect(() => backend.gradients(toyNet(), bad)).toThrow(RangeError);
      await expect(train(backend, toyNet(), bad, OPTIONS)).rejects.toThrow(RangeError);
    }
    for (const bad of [{ epochs: 0 }, { batch: 0.5 }, { learningRate: 0 }, { l2: -1 }]) {
      await expect(train(backend, toyNet(), data, { ...OPTIONS, ...bad })).rejects.toThrow(
        RangeError,
      );
    }
    await expect(train(backend, toyNet(), data, { ...OPTIONS, frozen: 6 })).rejects.toThrow(
      RangeError,
    );
  });

  it('fit() says so when the learning rate lets the loss run away', async () => {
    const backend = await load();
    const data = toyData(30, 1);
    const options = { ...OPTIONS, learningRate: 1e200 };
    await expect(train(backend, toyNet(), data, options)).rejects.toThrow(
      /lower the learning rate/,
    );
  });
}
