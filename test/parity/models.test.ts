import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readTflite } from '../../gateway/train/tflite/read-tflite.ts';
import {
  dequantiseOutput,
  layerRunner,
  quantiseInput,
} from '../../gateway/train/tflite/run-tflite.ts';
import { modelCases, modelInputs } from '../support/model-cases.ts';

const folder = new URL('../../../shared/data/', import.meta.url);

for (const model of modelCases('models')) {
  const file = new URL(model.file, folder);
  const absent = !existsSync(file);
  test.skipIf(absent)(
    `readTflite() gives what equals TensorFlow Lite Micro on ${model.inputs} inputs when given ` +
      `${model.file}${absent ? ' (skipped: no recordings)' : ''}`,
    () => {
      const bytes = readFileSync(file);
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(model.sha256);
      const { layers, input, output } = readTflite(bytes);
      const run = layerRunner(layers);
      const size = input.shape.reduce((product, n) => product * n, 1);
      const hash = createHash('sha256');
      modelInputs(model, size).forEach((x, i) => {
        const int8 = x instanceof Float32Array ? quantiseInput(x, input.quantisation) : x;
        const q = run(int8);
        const y = output.float ? dequantiseOutput(q, output.quantisation) : q;
        if (i < model.output.length) expect(Array.from(y)).toEqual(model.output[i]);
        hash.update(y);
      });
      expect(hash.digest('hex')).toBe(model.outputSha256);
    },
  );
}
