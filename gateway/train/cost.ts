import type { BoardProfile } from '../board.ts';
import type { LayerSpec, Task } from '../task.ts';
import { encodeModel, type ModelParts, type QuantModel } from './model.ts';
import { summarise } from './model-summary.ts';
import { createNet } from './net.ts';
import { FEATURE_SETS, type Pre } from './pre.ts';
import { quantise } from './quantise.ts';
import { inputShape } from './rungs.ts';

/** What a model costs a board. */
export interface Cost {
  /** of the parts, as they travel and lie in flash */
  bytes: number;
  /** bytes of activations that live at the same time */
  ramBytes: number;
  /** multiplications of one inference */
  macs: number;
  /** estimate for the layers of one inference; null where the board's profile has no figures */
  micros: number | null;
  /** energy of that time, µJ */
  microjoules: number | null;
}

/**
 * A model of a task's shape that has learnt nothing: its bytes, RAM and multiplications are those of
 * any that is trained, since they depend on the shape alone.
 *
 * @param task features, classes and window
 * @param layers its net; default the task's
 * @param cut layers before the head; default the task's
 * @throws RangeError if the layers do not fit the input
 */
export function untrained(
  task: Task,
  layers: readonly LayerSpec[] = task.architecture.layers,
  cut = task.architecture.cut,
): { model: QuantModel; parts: ModelParts } {
  const input = inputShape(task);
  const net = createNet(input, layers, 1);
  const n = input.channels;
  const pre: Pre = {
    set: FEATURE_SETS[task.features],
    zero: 0,
    offset: new Int32Array(n),
    multiplier: new Uint16Array(n),
    shift: new Uint8Array(n),
  };
  const calibration = new Int8Array(input.length * input.channels).fill(1);
  const model = { pre, layers: quantise(net, calibration), cut };
  return { model, parts: encodeModel(model) };
}

/**
 * What a model costs on a board.
 *
 * Time and energy are estimates of the layers alone, multiplications × the profile's cycles: the
 * features before them and the interpreter around them come on top, alike for every width.
 *
 * @param board its `energy` says what a cycle takes
 * @example costOf({ energy: { clockMHz: 64, cyclesPerMac: 2.4, milliamps: 3.7, volts: 3 } }, untrained(loadTask('gesture'))).micros // 11.25
 */
export function costOf(
  { energy }: Pick<BoardProfile, 'energy'>,
  { model, parts }: { model: QuantModel; parts: ModelParts },
): Cost {
  const { macs, ram } = summarise(model.layers);
  const bytes = parts.pre.length + parts.backbone.length + parts.head.length;
  if (energy === undefined) return { bytes, ramBytes: ram, macs, micros: null, microjoules: null };
  const micros = (macs * energy.cyclesPerMac) / energy.clockMHz;
  // µs · mA · V is nJ
  const microjoules = (micros * energy.milliamps * energy.volts) / 1000;
  return { bytes, ramBytes: ram, macs, micros, microjoules };
}
