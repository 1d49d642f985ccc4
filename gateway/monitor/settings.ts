import type { SensorRange } from './sensor.ts';

/** When the monitor speaks; a task's `monitor` settings fit. */
export interface MonitorSettings {
  /** windows after a change of model that say what is normal */
  referenceWindows: number;
  /** newest windows: those that may not join the reference yet, and labelled ones that are tested */
  recentWindows: number;
  /** false alarms for each window of a device, of all its watchers together, in the long run */
  falseAlarm: number;
  /** labelled windows before accuracy may raise an alarm */
  minLabels: number;
}

/** Defaults of {@link MonitorSettings}. */
export const monitorDefaults: MonitorSettings = {
  ...{ referenceWindows: 30, recentWindows: 20, falseAlarm: 1e-4, minLabels: 5 },
};

/** What a device's answers mean; the answers of a task fit. */
export interface Reads {
  /** the answer in what travels */
  of(said: { cls: number; score: number }): number;
  /** whether an answer is as good as right */
  isRight(said: number, truth: number): boolean;
  /** class, or part of a range, that an answer belongs to, and their names */
  group(answer: number): number;
  readonly groups: readonly string[];
  /** what falls where a model gets worse, 0 to 255 */
  watched(said: { cls: number; score: number }): number;
}

/** A classifier whose classes have no names. */
export const plainReads: Reads = {
  of: ({ cls }) => cls,
  isRight: (said, truth) => said === truth,
  group: (answer) => answer,
  groups: [],
  watched: ({ score }) => score,
};

/** What the monitor knows of a task. */
export interface Watched {
  reads: Reads;
  sensor: SensorRange;
  /** whether a score is the margin of a class, from which accuracy can be estimated */
  isMargin: boolean;
}

/** A classifier on a sensor that gives any int8 value. */
export const watchedDefaults: Watched = {
  ...{ reads: plainReads, sensor: { axes: ['x', 'y', 'z'], min: -128, max: 127 }, isMargin: true },
};

/** One window, as the check let it through. */
export interface SeenWindow {
  release: number;
  /** class that the device said */
  cls: number;
  /** margin of the class, 0 to 255 */
  score: number;
  /** of the window, ms since 1970 */
  at: number;
  /** what the head saw, where it was sent */
  embedding: Int8Array | Uint8Array | null;
  /** samples × axes raw values, where they were sent */
  window: Int8Array | Uint8Array | null;
  /** somebody chose it, to label it: it stands for no other window */
  isChosen?: boolean;
}

/** The truth of one prediction. */
export interface SeenLabel {
  release: number;
  /** answer of the device: a class */
  said: number;
  /** what it was */
  truth: number;
  /** margin of what was said, 0 to 255 */
  score: number;
  /** of the window, ms since 1970: a label says when things went wrong, however late it comes */
  at: number;
}

/** What a version promised when it was registered. */
export interface Promised {
  accuracy: number;
  /** windows on which that was measured */
  windows: number;
}

/**
 * What the watchers that need no label say since the last confirmed release: one has alarmed, none
 * has on windows enough to tell, or too few came.
 */
export type Evidence = 'drifted' | 'steady' | 'unknown';
