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
  /**
   * so many virtual devices, all of which change their wearer, and are retrained as soon as the
   * labels are there; default: one that keeps its wearer and one that changes it, and all windows
   * of the second person are shown before the training, to count what the old model says of them
   */
  devices?: number;
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
  /** the second person, before the update */
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
  /** the gate's, for or against it */
  reason: string;
}

/**
 * From the change of wearer to the confirmed update. alarm: until it is raised. labels: from then to
 * the last label. turn: until the training of the device's scope begins. train, prove, register.
 * offer: until the device accepts it. transfer. selftest: golden windows. soak: on trial. confirm.
 */
export type StageName =
  | 'alarm'
  | 'labels'
  | 'turn'
  | 'train'
  | 'prove'
  | 'register'
  | 'offer'
  | 'transfer'
  | 'selftest'
  | 'soak'
  | 'confirm';

/** How long a stage took: in the world of the devices, and on this computer. */
export interface StageTime {
  stage: StageName;
  virtualMs: number;
  wallMs: number;
}

/** A stage of one device, and what it consisted of. */
export interface DeviceStage extends StageTime {
  what: string;
}

/** The way of one device to its update. */
export interface DeviceStages {
  device: string;
  seed: number;
  /** whom its update serves */
  scope: string | null;
  /** whether it was confirmed; else the stages are those that it came through */
  isConfirmed: boolean;
  stages: DeviceStage[];
}

/** The longest of all stages, and one sentence why. */
export interface LongestStage extends StageTime {
  device: string;
  why: string;
}

/** Where the time goes between alarm and confirmed update. */
export interface ReplayStages {
  devices: DeviceStages[];
  /** over the devices, of stages that any of them came through */
  mean: StageTime[];
  /** in the world's time, and in this computer's; null where there was no update */
  longest: { virtual: LongestStage; wall: LongestStage } | null;
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
  stages: ReplayStages;
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
