import type { Task } from '../task.ts';
import { arrayDrift } from '../train/array-drift.ts';
import { arrayMembers } from '../train/array-members.ts';
import { elect, fitCommittee, joined, shareRight } from '../train/committee.ts';
import { distil, prepareLesson } from '../train/distil.ts';
import { createPredictor, encodeModel } from '../train/model.ts';
import { type GasBatch, int8Rows } from './gas-data.ts';

/** What one batch tests, with every setting chosen on the batches before it. */
export interface ForwardResult {
  /** number of the batch, from 1 */
  batch: number;
  /** accuracy of the int8 net by the device's kernel, one a seed */
  accuracy: number[];
  /** accuracy of the committee on the gateway, in float */
  teacher: number;
  /** names of the members that were elected */
  members: string[];
  /** bytes of the model's three parts */
  bytes: number;
}

/** Hidden units of the net that a device gets. */
const UNITS = 64;
/** Windows that are invented beside the real ones, and passes over all of them. */
const LESSON = { variations: 5000, epochs: 20 };

/**
 * Trains on all batches before T and tests on T, for T = 3 to the last: a committee is elected on the
 * batches before T, taught by them, and distilled into a net.
 *
 * No window of T has any part in it before it is tested.
 *
 * @param batches in the order of time
 * @param task the gas task
 * @param classes of its first classes, how many
 * @param seeds of the net's first weights and of the order of learning
 */
export async function trainForward(
  batches: readonly GasBatch[],
  task: Task,
  classes: number,
  seeds: number,
  onProgress: (what: string) => void = () => {},
): Promise<ForwardResult[]> {
  const rows = batches.map(int8Rows);
  const members = arrayMembers(task);
  const tried = new Map<string, number>();
  const results: ForwardResult[] = [];
  for (let t = 2; t < batches.length; t++) {
    const batch = t + 1;
    onProgress(`gas, before batch ${batch}: election`);
    const before = rows.slice(0, t);
    const elected = elect(before, members, classes, tried);
    onProgress(`gas, before batch ${batch}: ${elected.members.map(({ name }) => name).join('; ')}`);
    const teacher = fitCommittee(elected.members, joined(before), classes);
    const known = batches.slice(0, t).flatMap(({ windows }) => windows.map((w) => w.window));
    const lesson = prepareLesson(teacher, known, LESSON.variations, 1, arrayDrift(task));
    const accuracy: number[] = [];
    let bytes = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      onProgress(`gas, before batch ${batch}: net ${seed} of ${seeds}`);
      const specs = [
        { type: 'dense', units: UNITS, activation: 'relu' },
        { type: 'dense', units: classes, activation: 'none' },
      ] as const;
      const parts = encodeModel(await distil(lesson, specs, { seed, epochs: LESSON.epochs }));
      const predict = createPredictor(parts);
      const { windows } = batches[t]!;
      const right = windows.filter(({ window, cls }) => predict(window, 1).cls === cls).length;
      accuracy.push(right / windows.length);
      bytes = parts.pre.length + parts.backbone.length + parts.head.length;
    }
    results.push({
      ...{ batch, accuracy, bytes },
      teacher: shareRight(teacher(rows[t]!), rows[t]!.labels, classes),
      members: elected.members.map(({ name }) => name),
    });
  }
  return results;
}
