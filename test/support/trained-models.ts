import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { syntheticRecordings } from '../../gateway/synthetic/recordings.ts';
import { type LayerSpec, loadTask, parseTask, type Task } from '../../gateway/task.ts';
import type { QuantModel } from '../../gateway/train/model.ts';
import { writeOnnx } from '../../gateway/train/onnx/write-onnx.ts';
import { trainRung } from '../../gateway/train/rungs.ts';
import { writeTflite } from '../../gateway/train/tflite/write-tflite.ts';
import { ann, bob } from './people.ts';

/** A model that Whetstone trained on synthetic motion. */
export interface TrainedModel {
  name: string;
  task: Task;
  model: QuantModel;
}

const dense = (units: number, relu = true): LayerSpec => ({
  ...{ type: 'dense', units, activation: relu ? 'relu' : 'none' },
});
const conv = (filters: number, kernel: number, stride: number, padding: 'same' | 'valid') =>
  ({ type: 'conv1d', filters, kernel, stride, padding, activation: 'relu' }) as const;
const pool = (type: 'maxpool1d' | 'avgpool1d', size: number, stride = size): LayerSpec => ({
  ...{ type, pool: size, stride },
});
const logits = dense(6, false);

const narrow = [conv(8, 5, 2, 'same'), pool('maxpool1d', 2), logits];
const RECIPES: [name: string, features: Task['features'], layers: LayerSpec[], seed: number][] = [
  ['motion-6', 'motion', [logits], 1],
  ['motion-16-6', 'motion', [dense(16), logits], 2],
  ['motion-32-16-6', 'motion', [dense(32), dense(16), logits], 3],
  ['statistics-12-6', 'statistics', [dense(12), logits], 4],
  ['conv-max-6', 'raw', narrow, 5],
  ['conv-avg-6', 'raw', [conv(6, 3, 1, 'valid'), pool('avgpool1d', 4), logits], 6],
  ['conv-conv-16-6', 'raw', [conv(8, 5, 2, 'same'), conv(12, 3, 2, 'same'), dense(16), logits], 7],
  [
    'conv-max-conv-avg-6',
    'raw',
    [
      ...[conv(4, 4, 1, 'same'), pool('maxpool1d', 3, 2)],
      ...[conv(8, 3, 1, 'valid'), pool('avgpool1d', 5, 3), logits],
    ],
    8,
  ],
  ['conv-max-6-again', 'raw', narrow, 9],
  ['motion-16-6-again', 'motion', [dense(16), logits], 10],
];
const PER_CLASS = 12;

/**
 * Trains ten small nets: dense and convolutional, on features and on raw windows, two of them again
 * with other seeds and another wearer.
 *
 * @returns always the same models, bit for bit
 */
export async function trainedModels(): Promise<TrainedModel[]> {
  const made: TrainedModel[] = [];
  for (const [name, features, layers, seed] of RECIPES) {
    const task = taskOf(features, layers);
    const wearer = name.endsWith('-again') ? bob : ann;
    const fresh = syntheticRecordings(task, wearer, PER_CLASS, seed);
    const data = { fresh, old: [], recent: fresh };
    const { model } = await trainRung('whole', task, null, data, { seed });
    made.push({ name, task, model });
  }
  return made;
}

function taskOf(features: Task['features'], layers: LayerSpec[]): Task {
  const { sensor, window, classes, recordings } = loadTask('gesture');
  return parseTask({
    ...{ name: 'trained', kind: 'classification', sensor, window, classes, recordings },
    features,
    architecture: { layers, cut: layers.length - 1 },
    training: {
      linear: { iterations: 40 },
      deep: { epochs: 4, batch: 32, learningRate: 0.005 },
      augment: { perClass: 40, rotationDegrees: 20 },
    },
  });
}

/** Writes each model as NAME.tflite and NAME.onnx: `node test/support/trained-models.ts FOLDER`. */
async function writeAll(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const { name, model } of await trainedModels()) {
    writeFileSync(join(folder, `${name}.tflite`), writeTflite(model.layers));
    writeFileSync(join(folder, `${name}.onnx`), writeOnnx(model.layers));
  }
}

if (import.meta.main && process.argv[2] !== undefined) await writeAll(process.argv[2]);
