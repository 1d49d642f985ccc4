import type { Answers } from '../answers.ts';
import type { Sample } from '../link/messages.ts';
import type { NewSample } from '../store/types.ts';

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

/** What rows of a task have in common. */
export interface AsRow {
  /** name of the task */
  task: string;
  answers: Answers;
  /** how far a label of the wearer's own is trusted, 0 to 1 */
  trust: number;
}

/**
 * A message as it was measured: the wire may pad a window, the store and the check see its samples.
 *
 * @param axes values in a sample
 */
export function measured(sample: Sample, axes: number): Sample {
  const { window, length } = sample;
  if (window === null) return sample;
  return { ...sample, window: window.subarray(0, length * axes) };
}

/** A message as the store takes it: `cls` is its answer; a label that is none of the task's is none. */
export function toRow(sample: Sample, { task, answers, trust }: AsRow, origin: Origin): NewSample {
  const { session, seq, t, release, score, length, label, embedding, window } = sample;
  const { device, version, at, quarantine } = origin;
  const cls = answers.of(sample);
  const known = label === null || (label >= 0 && label < answers.count) ? label : null;
  // every window comes by here: spread, this literal would cost several times as much
  // biome-ignore format: a column of fifteen names says nothing more
  return {
    device, session, seq, task, at, t, release, version, cls, score, length,
    embedding, window, quarantine, labelTrust: trust, label: known,
  };
}
