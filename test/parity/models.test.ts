import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../gateway/store/catalogue.ts';
import { readTflite } from '../../gateway/train/tflite/read-tflite.ts';
import {
  dequantiseOutput,
  layerRunner,
  quantiseInput,
} from '../../gateway/train/tflite/run-tflite.ts';
import { writeTflite } from '../../gateway/train/tflite/write-tflite.ts';
import { type ModelCase, modelCases, modelInputs } from '../support/model-cases.ts';

const recordings = new URL('../../../shared/data/', import.meta.url);
const trained = new URL('../vectors/trained/', import.meta.url);

/** Runs a file's layers on the seeded inputs and compares every output. */
function compare(model: ModelCase, bytes: Uint8Array): void {
  expect(sha256(bytes)).toBe(model.sha256);
  const { layers, input, output } = readTflite(bytes);
  const run = layerRunner(layers);
  const size = input.shape.reduce((product, n) => product * n, 1);
  const all = createHash('sha256');
  modelInputs(model, size).forEach((x, i) => {
    const int8 = x instanceof Float32Array ? quantiseInput(x, input.quantisation) : x;
    const q = run(int8);
    const y = output.float ? dequantiseOutput(q, output.quantisation) : q;
    if (i < model.output.length) expect(Array.from(y)).toEqual(model.output[i]);
    all.update(y);
  });
  expect(all.digest('hex')).toBe(model.outputSha256);
}

describe('readTflite()', () => {
  for (const model of modelCases('models')) {
    const file = new URL(model.file, recordings);
    const absent = !existsSync(file);
    it.skipIf(absent)(
      `readTflite() gives what equals TensorFlow Lite Micro on ${model.inputs} inputs when given ` +
        `${model.file}${absent ? ' (skipped: no recordings)' : ''}`,
      () => compare(model, readFileSync(file)),
    );
  }

  for (const model of modelCases('trained')) {
    it(`readTflite() gives what equals TensorFlow Lite Micro on ${model.inputs} inputs when given ${model.file}, trained and exported here`, () => {
      const bytes = readFileSync(new URL(model.file, trained));
      compare(model, bytes);
      expect(sha256(writeTflite(readTflite(bytes).layers))).toBe(model.sha256);
    });
  }
});
