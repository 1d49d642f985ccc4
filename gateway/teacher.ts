import { GatewayError } from './errors.ts';
import { openModel } from './runtimes/open-model.ts';
import type { Sample } from './store/types.ts';
import type { Task } from './task.ts';

/** How a model file is used as a teacher: an entry of a task's `labels.teachers`. */
export type TeacherSettings = Omit<Task['labels']['teachers'][number], 'file'>;

/** What a teacher makes of one window. */
export interface Lesson {
  /** name of the output that is most likely; perhaps no class of the task */
  said: string;
  /** index of that class in the task; null where it is none, or the teacher is not sure enough */
  cls: number | null;
  /** probability of it, as far as the teacher is calibrated, 0 to 1 */
  confidence: number;
}

/** A model on the gateway that says what raw windows are. */
export interface Teacher {
  name: string;
  /** of its labels */
  source: string;
  /** what runs it */
  runtime: string;
  /** whether the file gives probabilities itself; else they are the softmax of what it gives */
  givesProbabilities: boolean;
  /** @param sample with its raw window */
  look(sample: Pick<Sample, 'window'>): Promise<Lesson>;
  close(): void;
}

/** Sums of probabilities of int8 files are off by a step for each class. */
const TOLERANCE = 0.03;

/**
 * Opens a model file as a teacher of a task.
 *
 * Its input is the raw window in the sensor's counts times `scale`, filled up with zeros. Whether it
 * gives probabilities or logits is seen from what it gives for a few windows.
 *
 * @param bytes a .tflite or .onnx file
 * @param settings see the task schema
 * @throws GatewayError 'bad-model' if it does not fit the task; 'missing-tool' if its runtime is not
 *   installed; 'not-allowed' if the task has no classes
 */
export async function openTeacher(
  bytes: Uint8Array,
  settings: TeacherSettings,
  task: Task,
): Promise<Teacher> {
  const { name, minConfidence, scale, layout } = settings;
  if (task.kind === 'regression') {
    throw new GatewayError('not-allowed', `task '${task.name}' has no classes to be taught`);
  }
  const names = settings.classes ?? task.classes;
  const axes = task.sensor.axes.length;
  const size = task.window.samples * axes;
  const model = await openModel(bytes);
  const refuse = (problem: string, hint: string): GatewayError => {
    model.close();
    return new GatewayError('bad-model', `teacher '${name}': ${problem}`, { hint });
  };
  const takes = model.shape.reduce((product, n) => product * n, 1);
  if (takes !== size) {
    throw refuse(
      `it takes ${takes} values, [${model.shape}]`,
      `a window of task '${task.name}' has ${task.window.samples} samples of ${axes} axes`,
    );
  }
  if (model.outputs !== names.length) {
    throw refuse(
      `it has ${model.outputs} outputs for ${names.length} classes`,
      `say what they stand for, in order: classes, else ${task.classes.join(', ')}`,
    );
  }

  function toInput(window: Int8Array): Float32Array {
    const input = new Float32Array(size);
    window.forEach((value, i) => {
      const at = layout === 'axes' ? (i % axes) * task.window.samples + Math.floor(i / axes) : i;
      input[at] = value * scale;
    });
    return input;
  }

  let givesProbabilities = true;
  for (const level of [0, 31, -77]) {
    const probe = Int8Array.from({ length: size }, (_, i) => level + ((i * 37) % 23));
    givesProbabilities &&= areProbabilities(await model.run(toInput(probe)));
  }
  return {
    ...{ name, source: `teacher:${name}`, runtime: model.runtime, givesProbabilities },
    async look({ window }) {
      if (window === null) throw new TypeError('a teacher needs the raw window');
      const given = await model.run(toInput(window));
      const shares = givesProbabilities ? given : softmax(given);
      const best = shares.indexOf(Math.max(...shares));
      const confidence = Math.min(1, shares[best] ?? 0);
      const said = names[best] ?? '';
      const index = task.classes.indexOf(said);
      const isSure = index >= 0 && confidence >= minConfidence;
      return { said, cls: isSure ? index : null, confidence };
    },
    close: model.close,
  };
}

/**
 * Probabilities of logits.
 *
 * @example [...softmax(Float32Array.of(3, 3))] // [0.5, 0.5]
 */
export function softmax(logits: Float32Array): Float32Array {
  const top = Math.max(...logits);
  const powers = logits.map((value) => Math.exp(value - top));
  const sum = powers.reduce((total, value) => total + value, 0);
  return powers.map((value) => value / sum);
}

function areProbabilities(values: Float32Array): boolean {
  const sum = values.reduce((total, value) => total + value, 0);
  return values.every((value) => value >= 0 && value <= 1) && Math.abs(sum - 1) <= TOLERANCE;
}
