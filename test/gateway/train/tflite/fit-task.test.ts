import { describe, expect, it } from 'vitest';
import { integers } from '../../../../gateway/bench/faults/tiny-model.ts';
import { GatewayError } from '../../../../gateway/errors.ts';
import { loadTask, type Task } from '../../../../gateway/task.ts';
import { createPredictor, encodeModel } from '../../../../gateway/train/model.ts';
import type { QuantLayer } from '../../../../gateway/train/quant-layer.ts';
import { fitTask } from '../../../../gateway/train/tflite/fit-task.ts';
import { readTflite, type TfliteModel } from '../../../../gateway/train/tflite/read-tflite.ts';
import { layerRunner, quantiseInput } from '../../../../gateway/train/tflite/run-tflite.ts';
import { writeTflite } from '../../../../gateway/train/tflite/write-tflite.ts';
import { rawTask } from '../../../support/tasks.ts';
import { inSteps } from '../../../support/tflite-files.ts';

const raw = rawTask();
const gesture = loadTask('gesture');
const step = { scale: 0.75, zero: -7 };

/** A dense layer with weights of any kind. */
function dense(inputs: number, outputs: number): QuantLayer {
  const random = integers(inputs);
  return {
    ...{ type: 'dense', inputs, outputs, activation: 'none' },
    weights: Int8Array.from({ length: inputs * outputs }, () => random(255) - 127),
    bias: Int32Array.from({ length: outputs }, () => random(999) - 500),
    weightScale: Float32Array.of(0.01),
    ...{ input: step, output: { scale: 2, zero: 3 } },
  };
}
const pool: QuantLayer = {
  ...{ type: 'maxpool2d', height: 1, width: 50, channels: 3, kernelHeight: 1, kernelWidth: 5 },
  ...{ strideHeight: 1, strideWidth: 5, padding: 'valid', input: step, activation: 'none' },
};
const softmax: QuantLayer = { type: 'softmax', size: 6, input: step, beta: 1 };
const rescale: QuantLayer = {
  ...{ type: 'quantise', size: 6, input: step, output: { scale: 1, zero: 0 } },
};
const read = (layers: QuantLayer[]): TfliteModel => readTflite(writeTflite(inSteps(layers)));
const sound = read([pool, dense(30, 6), softmax]);

function refusal(file: TfliteModel, task: Task): string {
  try {
    fitTask(file, task);
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    return (error as GatewayError).line();
  }
  return 'accepted';
}

describe('fitTask()', () => {
  it('makes the last dense layer the head and leaves SOFTMAX out, saying so', () => {
    const { model, notes } = fitTask(sound, raw);
    expect(model.cut).toBe(1);
    expect(model.layers.map(({ type }) => type)).toEqual(['maxpool2d', 'dense']);
    expect(notes).toEqual([
      'SOFTMAX at the end is left out: the class is the largest logit, the score its margin',
    ]);
  });

  it('predicts from counts what the file does with its input quantised', () => {
    const { model } = fitTask(sound, raw);
    const predict = createPredictor(encodeModel(model));
    const run = layerRunner(model.layers);
    const random = integers(5);
    for (let i = 0; i < 50; i++) {
      const window = Int8Array.from({ length: 150 }, () => random(256) - 128);
      const input = quantiseInput(Float32Array.from(window), sound.input.quantisation);
      expect(predict(window, 50).logits).toEqual(run(input));
    }
  });

  it('takes a window with its dimensions of 1 anywhere, and flat', () => {
    for (const shape of [
      [1, 50, 3],
      [1, 1, 50, 3],
      [1, 50, 1, 3],
      [1, 150],
    ]) {
      const file = { ...sound, input: { ...sound.input, shape } };
      expect(refusal(file, raw), String(shape)).toBe('accepted');
    }
  });

  it('takes features where the task has them', () => {
    const { model, notes } = fitTask(read([dense(50, 6)]), gesture);
    expect([model.cut, model.pre.set, model.pre.offset.length]).toEqual([0, 2, 50]);
    expect(notes).toEqual([]);
  });

  const other = (shape: number[]) => ({ ...sound, input: { ...sound.input, shape } });
  it.each<[string, TfliteModel, Task, RegExp]>([
    ['windows of another length', other([1, 40, 3]), raw, /reads \[1,40,3\].*50 samples of 3 axes/],
    ['axes before samples', other([1, 3, 50]), raw, /samples come first/],
    ['raw windows for features', sound, gesture, /50 features \('motion'\).*features are 'raw'/],
    ['another number of classes', read([dense(150, 5)]), raw, /gives 5 values.*6 classes/],
    ['no dense layer at the end', read([dense(150, 6), rescale]), raw, /no plain FULLY_CONNECTED/],
    [
      'an activation on the logits',
      read([{ ...dense(150, 6), activation: 'relu' } as QuantLayer]),
      raw,
      /no plain FULLY_CONNECTED/,
    ],
    [
      'an input whose scale is none of counts',
      { ...sound, input: { ...sound.input, quantisation: { scale: 1e-7, zero: 0 } } },
      raw,
      /scale of 1e-7.*counts of the sensor/,
    ],
  ])('refuses %s', (_what, file, task, message) => {
    expect(refusal(file, task)).toMatch(message);
  });
});
