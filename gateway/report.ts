import type { Unusable } from './recordings.ts';

/** What a replay is asked to do. */
export interface ReplayOptions {
  /** name or path */
  task: string;
  /** folder of recordings */
  data: string;
  /** whose recordings train the first model; default: the person with most */
  from?: string;
  /** whose recordings come after the shift; default: the next person */
  to?: string;
  /** labels given for each class after the shift */
  labelsPerClass?: number;
  /** labels given in all, instead of labelsPerClass */
  labels?: number;
  /** how the windows to label are chosen, with `labels` */
  select: 'active' | 'random';
  /** how often everything is repeated, with seeds 1, 2, … */
  seeds: number;
  scope: 'fleet' | 'cohort' | 'device';
  /** one real Espruino process among the devices */
  espruino?: string;
  speed: 'max' | 'real';
  signal?: AbortSignal;
  /** @param done 0 to 1 */
  onProgress?: (done: number, what: string) => void;
}

/** Accuracy of what the devices predicted. */
export interface ReplayAccuracy {
  /** own data of the first person, not trained on */
  trained: number;
  /** the second person, before any label */
  shifted: number;
  /** the second person after the last update, without the labelled windows */
  updated: number;
}

/** One candidate of the update ladder. */
export interface ReplayUpdate {
  version: string;
  scope: string;
  rung: string;
  trainMs: number;
  wireBytes: number;
  modelBytes: number;
  /** of the same layers as a .tflite file, without what Whetstone adds */
  tfliteBytes: number;
  released: boolean;
}

/** What each seed gives; in the report means, and each seed again under `perSeed`. */
export interface ReplaySeed {
  seed: number;
  labelsUsed: number;
  accuracy: ReplayAccuracy;
  labelsTo90: number | null;
  drift: { alarmDelayWindows: number | null; falseAlarms: number };
  updates: ReplayUpdate[];
  rollouts: { updated: number; reverted: number };
  samples: { lost: number; duplicated: number };
  selfTests: { equal: number; different: number };
  /** with a real Espruino process: windows on which it and the virtual device were compared */
  espruino?: { windows: number; different: number };
}

/** `replay --json` prints this object: a contract, see DESIGN. */
export interface ReplayReport extends Omit<ReplaySeed, 'seed'> {
  task: string;
  from: string;
  to: string;
  windows: number;
  /** lines that could not be used, each with its place and reason */
  unusable: Unusable[];
  /** windows of labels that are no part of the task */
  ignored: number;
  perSeed: ReplaySeed[];
}
