import { answersOf } from './answers.ts';
import type { Sample } from './link/messages.ts';
import type { NewSample } from './store/types.ts';
import type { Task } from './task.ts';
import { trustOf } from './trust.ts';

/** Where a sample came from, and when. */
export interface Origin {
  device: string;
  /** version behind its release; null when this gateway never released it */
  version: string | null;
  /** ms since 1970 */
  at: number;
  /** why the check set it aside */
  quarantine: string | null;
}

/**
 * A message as it was measured: the wire may pad a window, the store and the check see its samples.
 *
 * @param axes values in a sample
 */
export function measured(sample: Sample, axes: number): Sample {
  const { window, length } = sample;
  return { ...sample, window: window === null ? null : window.subarray(0, length * axes) };
}

/** A message as the store takes it: `cls` is its answer; a label that is none of the task's is none. */
export function toRow(sample: Sample, task: Task, origin: Origin): NewSample {
  const { session, seq, t, release, score, length, label, embedding, window } = sample;
  const answers = answersOf(task);
  const cls = answers.of(sample);
  return {
    ...{ task: task.name, session, seq, t, release, cls, score, length, embedding, window },
    ...origin,
    label: label === null || (label >= 0 && label < answers.count) ? label : null,
    labelTrust: trustOf(task, 'device'),
  };
}
