import { STEPS } from '../answers.ts';
import type { NewSample } from './types.ts';

/** What the check needs to know of a task; a whole task fits. */
export interface CheckTask {
  sensor: { axes: readonly string[]; rateHz: number; min: number; max: number };
  window: { samples: number; minSamples: number; stride?: number };
  classes: readonly string[];
  /** 'regression': a label is a step of the target; default: a class */
  kind?: string;
}

/** How strict the check is. */
export interface CheckLimits {
  /** values of an embedding; undefined if any length will do */
  embedding?: number;
  /** an axis that does not move through this many samples is stuck (0.6 s at 12.5 Hz) */
  stuckSamples: number;
  /** share of values at the end of the sensor's range that is too much */
  saturatedShare: number;
}

/** Defaults of {@link CheckLimits}. */
export const checkLimits: CheckLimits = { stuckSamples: 8, saturatedShare: 0.25 };

/** Why a sample was set aside. */
export type CheckReason =
  | 'class outside the task'
  | 'label outside the task'
  | 'score outside 0 to 255'
  | 'length outside the window'
  | 'embedding of the wrong size'
  | 'window of the wrong size'
  | 'value outside the range of the sensor'
  | 'dead sensor'
  | 'stuck sensor'
  | 'saturated sensor'
  | 'clock went back'
  | 'windows faster than possible';

type Checked = Pick<NewSample, 'seq' | 't' | 'cls' | 'score' | 'length' | 'label'> &
  Pick<NewSample, 'embedding' | 'window'>;

/**
 * Says whether a sample can be believed. Pure: the caller keeps what was last seen of the session.
 *
 * The sample before must be the one with the next lower `seq` that is known, whatever the order of
 * arrival; a repeat of the same `seq` is compared with nothing.
 *
 * @param sample as it came
 * @param task whose window and sensor it should fit
 * @param before the last sample of the same session, if there was one
 * @param limits how strict
 * @returns null if all is well, else the first reason found
 * @example checkSample({ seq: 1, t: 0, cls: 6, score: 9, length: 2, label: null, embedding: null, window: null }, { sensor: { axes: ['x'], rateHz: 10, min: -128, max: 127 }, window: { samples: 4, minSamples: 1 }, classes: ['a', 'b'] }) // 'class outside the task'
 */
export function checkSample(
  sample: Checked,
  task: CheckTask,
  before?: { seq: number; t: number },
  limits: CheckLimits = checkLimits,
): CheckReason | null {
  const { cls, label, score, length, embedding, window } = sample;
  const { sensor } = task;
  const answers = task.kind === 'regression' ? STEPS : task.classes.length;
  const within = (value: number, low: number, high: number) => value >= low && value <= high;
  if (!within(cls, 0, answers - 1)) return 'class outside the task';
  if (label !== null && !within(label, 0, answers - 1)) return 'label outside the task';
  if (!within(score, 0, 255)) return 'score outside 0 to 255';
  if (!within(length, 1, task.window.samples)) return 'length outside the window';
  if (embedding !== null && limits.embedding !== undefined) {
    if (embedding.length !== limits.embedding) return 'embedding of the wrong size';
  }
  if (window !== null) {
    if (window.length !== length * sensor.axes.length) return 'window of the wrong size';
    const reason = checkWindow(window, sensor, limits);
    if (reason !== null) return reason;
  }
  return before === undefined ? null : checkClock(sample, before, task);
}

/** A byte that is given unsigned stands for the int8 value with the same bits. */
const signed = (byte: number) => (byte > 127 ? byte - 256 : byte);

function checkWindow(
  window: Int8Array | Uint8Array,
  sensor: CheckTask['sensor'],
  limits: CheckLimits,
): CheckReason | null {
  const axes = sensor.axes.length;
  let zeros = 0;
  let atEnd = 0;
  const still = sensor.axes.map(() => true);
  for (let i = 0; i < window.length; i++) {
    const value = signed(window[i]);
    if (value < sensor.min || value > sensor.max) return 'value outside the range of the sensor';
    if (value === 0) zeros++;
    if (value === sensor.min || value === sensor.max) atEnd++;
    if (i >= axes && window[i] !== window[i - axes]) still[i % axes] = false;
  }
  const many = window.length / axes >= limits.stuckSamples;
  if (many && zeros === window.length) return 'dead sensor';
  if (many && still.includes(true)) return 'stuck sensor';
  if (atEnd > limits.saturatedShare * window.length) return 'saturated sensor';
  return null;
}

/** A gesture fills at least its own samples, a sliding window its stride; clocks may be 5 % off. */
const clockTolerance = 0.95;

function checkClock(
  { seq, t }: { seq: number; t: number },
  before: { seq: number; t: number },
  { sensor, window }: CheckTask,
): CheckReason | null {
  if (seq <= before.seq) return null;
  if (t < before.t) return 'clock went back';
  const samples = Math.min(window.stride ?? window.minSamples, window.samples);
  const leastMs = (samples / sensor.rateHz) * 1000 * clockTolerance;
  return t - before.t < leastMs ? 'windows faster than possible' : null;
}
