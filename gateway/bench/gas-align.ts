import type { Task } from '../task.ts';
import { arrayGroups } from '../train/array-members.ts';
import { createPredictor, encodeModel, type QuantModel } from '../train/model.ts';
import { trainRung } from '../train/rungs.ts';
import { fitSteadyHead } from '../train/steady-head.ts';
import type { GasBatch } from './gas-data.ts';

/** What a model of the first batch makes of a later one. */
export interface AlignResult {
  /** number of the batch, from 1 */
  batch: number;
  windows: number;
  /** windows that are right as the model was delivered, and with its normalisation re-estimated */
  right: { before: number; aligned: number };
}

/**
 * Trains on the first batch and goes through the later ones without a label: for each the ladder's
 * cheapest rung re-estimates the normalisation from its windows alone.
 *
 * @param batches in the order of time
 * @param task the gas task
 */
export async function alignLater(
  [first, ...later]: readonly GasBatch[],
  task: Task,
): Promise<AlignResult[]> {
  const model = await fitSteadyHead(first!.windows, task.classes.length, arrayGroups(task));
  const results: AlignResult[] = [];
  for (const [k, batch] of later.entries()) {
    const recent = batch.windows.map(({ window, length }) => ({ window, length }));
    const aligned = await trainRung(
      'pre',
      task,
      model,
      { fresh: [], old: [], recent },
      { seed: 1 },
    );
    results.push({
      batch: k + 2,
      windows: recent.length,
      right: { before: rightOf(model, batch), aligned: rightOf(aligned.model, batch) },
    });
  }
  return results;
}

function rightOf(model: QuantModel, { windows }: GasBatch): number {
  const predict = createPredictor(encodeModel(model));
  return windows.filter(({ window, length, cls }) => predict(window, length).cls === cls).length;
}
