import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../gateway/random.ts';
import type { LayerSpec } from '../../../gateway/task.ts';
import { chooseBackend } from '../../../gateway/train/backends.ts';
import { builtin } from '../../../gateway/train/builtin.ts';
import { createNet, outputSize } from '../../../gateway/train/net.ts';
import { type TrainData, train } from '../../../gateway/train/trainer.ts';
import { backendContract, OPTIONS, SPECS, toyData, toyNet } from './backend-contract.ts';

const load = () => chooseBackend('@tensorflow/tfjs');

const dense: LayerSpec = { type: 'dense', units: 3, activation: 'none' };
const nets: [string, LayerSpec[]][] = [
  ['dense', [dense]],
  ['dense and relu', [{ ...dense, units: 6, activation: 'relu' }, dense]],
  ...[1, 2, 3].flatMap((stride) =>
    (['same', 'valid'] as const).map((padding): [string, LayerSpec[]] => [
      `conv1d of stride ${stride}, ${padding}`,
      [
        // two of them, so that the gradient of an input is needed too
        { type: 'conv1d', filters: 5, kernel: 4, stride: 1, padding, activation: 'relu' },
        { type: 'conv1d', filters: 2, kernel: 3, stride, padding, activation: 'none' },
        dense,
      ],
    ]),
  ),
  ...(['maxpool1d', 'avgpool1d'] as const).flatMap((type) =>
    [2, 3].map((stride): [string, LayerSpec[]] => [
      `${type} of stride ${stride}`,
      [
        { type: 'conv1d', filters: 4, kernel: 3, stride: 1, padding: 'same', activation: 'none' },
        { type, pool: 3, stride },
        dense,
      ],
    ]),
  ),
  ['every layer', SPECS],
];

function randomData(n: number, outputs: number, kind: 'classes' | 'targets'): TrainData {
  const random = createRandom(8);
  const draw = (count: number): Float32Array =>
    Float32Array.from({ length: count }, () => random.gaussian());
  const weight = Float32Array.from({ length: n }, () => random.uniform(0, 3));
  const y =
    kind === 'targets'
      ? draw(n * outputs)
      : Int32Array.from({ length: n }, () => random.integer(outputs));
  return { x: draw(n * 24), y, weight, n };
}

describe('tfjs', () => {
  backendContract(load);

  describe.each(nets)('gradients() with %s', (_name, specs) => {
    it.each(['classes', 'targets'] as const)('equal the built-in ones for %s', async (kind) => {
      const tensorFlow = await load();
      const net = createNet({ length: 12, channels: 2 }, specs, 5);
      const data = randomData(11, outputSize(net), kind);
      const options = { l2: 0.07, labelSmoothing: kind === 'classes' ? 0.15 : 0 };
      const ours = builtin.gradients(net, data, options);
      const theirs = tensorFlow.gradients(net, data, options);
      expect(ours.map(({ length }) => length)).toEqual(theirs.map(({ length }) => length));
      let largest = 0;
      ours.forEach((gradient, t) => {
        gradient.forEach((value, i) => {
          expect(Math.abs(value - theirs[t][i])).toBeLessThan(1e-4);
          largest = Math.max(largest, Math.abs(value));
        });
      });
      // equal, and not because both are nothing
      expect(largest).toBeGreaterThan(0.05);
    });
  });

  it('fit() goes the same way as the built-in one when seeded alike', async () => {
    const tensorFlow = await load();
    const options = { ...OPTIONS, epochs: 3, l2: 0.01, labelSmoothing: 0.1 };
    const run = async (backend: typeof builtin): Promise<number[]> => {
      const losses: number[] = [];
      await train(backend, toyNet(), toyData(50, 1), options, ({ loss }) => losses.push(loss));
      return losses;
    };
    const ours = await run(builtin);
    const theirs = await run(tensorFlow);
    ours.forEach((loss, i) => {
      expect(Math.abs(loss - theirs[i])).toBeLessThan(1e-3);
    });
  });

  it('fit() and gradients() leave no tensor behind', async () => {
    const tensorFlow = await load();
    const tf = await import('@tensorflow/tfjs');
    const before = tf.memory().numTensors;
    await train(tensorFlow, toyNet(), toyData(20, 1), { ...OPTIONS, epochs: 2 });
    tensorFlow.gradients(toyNet(), toyData(20, 1));
    tensorFlow.predict(toyNet(), toyData(20, 1).x, 20);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('predict() prints no banner when first used', () => {
    // in a process of its own, since the banner comes once
    const url = (path: string): string => new URL(path, import.meta.url).href;
    const code = `
      const { chooseBackend } = await import('${url('../../../gateway/train/backends.ts')}');
      const { createNet } = await import('${url('../../../gateway/train/net.ts')}');
      const backend = await chooseBackend('@tensorflow/tfjs');
      const layer = { type: 'dense', units: 1, activation: 'none' };
      const net = createNet({ length: 1, channels: 2 }, [layer], 1);
      console.log(backend.predict(net, Float32Array.of(0, 0), 1).length);`;
    const run = spawnSync(process.execPath, ['--input-type=module', '--eval', code]);
    expect(run.stdout.toString()).toBe('1\n');
    expect(run.stderr.toString()).toBe('');
  });
});
