import { featureCount } from '../../../device/core/features.ts';
import { GatewayError } from '../../errors.ts';
import type { Task } from '../../task.ts';
import type { QuantModel } from '../model.ts';
import { FEATURE_SETS, type Pre } from '../pre.ts';
import type { Quantisation } from '../quant-layer.ts';
import { fitNormalisation } from './exact-pre.ts';
import { refused } from './graph.ts';
import type { TfliteModel } from './read-tflite.ts';

/** Widest range of features that is looked at: wider ones saturate. */
const FEATURE_RANGE = 2 ** 16;

/**
 * Makes a model of a task from what a .tflite file computes: its last dense layer is the head, which
 * Whetstone retrains, and everything before it the frozen backbone.
 *
 * The file's input must be the task's window, [samples][axes], its real numbers the sensor's counts;
 * or the task's features, as integers. Its outputs are the task's classes, in the task's order.
 *
 * @param file as readTflite gives it
 * @param task what the model is for
 * @param carried the normalisation that came with the file: its input is what that gives
 * @returns the model, and lines for people about what was made of the file
 * @throws GatewayError 'bad-model' that says what differs from the task, and what to do
 */
export function fitTask(
  file: TfliteModel,
  task: Task,
  carried?: Pre,
): { model: QuantModel; notes: string[] } {
  const notes = [...file.notes];
  const layers = [...file.layers];
  checkInput(file, task);
  const answers = file.output.shape.reduce((product, n) => product * n, 1);
  if (answers !== task.classes.length) {
    throw refused(
      `the model gives ${answers} values, task '${task.name}' has ${task.classes.length} classes`,
      'its outputs must be the classes of the task, in their order; or write a task of its classes',
    );
  }
  const end = layers.at(-1)!;
  if ((end.type === 'softmax' || end.type === 'logistic') && end.from === undefined) {
    layers.pop();
    const name = end.type.toUpperCase();
    notes.push(
      `${name} at the end is left out: the class is the largest logit, the score its margin`,
    );
  }
  const head = layers.at(-1);
  if (head?.type !== 'dense' || head.from !== undefined || head.activation !== 'none') {
    throw refused(
      'its last layer is no plain FULLY_CONNECTED',
      'the head that devices get retrained is a dense layer without activation (SOFTMAX may follow)',
    );
  }
  const pre = carried ?? preOf(file.input.quantisation, task, notes);
  if (file.input.float)
    notes.push('the float input is quantised by the normalisation, on the device');
  return { model: { pre, layers, cut: layers.length - 1 }, notes };
}

function checkInput({ input }: TfliteModel, task: Task): void {
  const axes = task.sensor.axes.length;
  const { samples } = task.window;
  const shape = input.shape.filter((n) => n !== 1);
  const size = shape.reduce((product, n) => product * n, 1);
  const isRaw = task.features === 'raw';
  const wanted = isRaw ? samples * axes : featureCount(FEATURE_SETS[task.features], axes);
  const what = isRaw
    ? `a window of ${samples} samples of ${axes} axes`
    : `${wanted} features ('${task.features}')`;
  if (size !== wanted) {
    throw refused(
      `the model reads [${input.shape}], task '${task.name}' gives ${what}`,
      size === samples * axes
        ? "it reads the window itself: use a task whose features are 'raw'"
        : 'import it for a task of this window and these features, or write one',
    );
  }
  const order = [samples, axes].filter((n) => n !== 1);
  if (isRaw && shape.length > 1 && String(shape) !== String(order)) {
    throw refused(
      `the model reads [${input.shape}], task '${task.name}' gives [${samples}, ${axes}]`,
      'samples come first, the axes of a sample side by side: convert the model so',
    );
  }
}

/** Whether a normalisation is for a task's windows or features. */
export function suits(pre: Pre, task: Task): boolean {
  return pre.set === FEATURE_SETS[task.features] && pre.offset.length === preLength(task);
}

function preLength({ features, sensor }: Task): number {
  const axes = sensor.axes.length;
  return features === 'raw' ? axes : featureCount(FEATURE_SETS[features], axes);
}

function preOf(quantisation: Quantisation, task: Task, notes: string[]): Pre {
  const isRaw = task.features === 'raw';
  const n = preLength(task);
  const { scale, zero } = quantisation;
  const limit = (at: number): number =>
    Math.max(-FEATURE_RANGE, Math.min(FEATURE_RANGE, Math.round(at * scale)));
  const [least, most] = isRaw ? [-128, 127] : [limit(-129 - zero), limit(128 - zero)];
  try {
    const { normalisation, off } = fitNormalisation(quantisation, least, most);
    if (off > 0) {
      const kind = isRaw ? 'counts' : 'values of a feature';
      notes.push(
        `${off} of ${most - least + 1} ${kind} enter the model one int8 step beside what QUANTIZE gives`,
      );
    }
    return {
      set: FEATURE_SETS[task.features],
      zero: normalisation.zero,
      offset: new Int32Array(n).fill(normalisation.offset),
      multiplier: new Uint16Array(n).fill(normalisation.multiplier),
      shift: new Uint8Array(n).fill(normalisation.shift),
    };
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new GatewayError('bad-model', `the model's input has ${cause.message}`, {
      cause,
      hint: 'its real numbers must be the counts of the sensor',
    });
  }
}
