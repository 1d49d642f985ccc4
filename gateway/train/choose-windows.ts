import type { Task } from '../task.ts';
import { createHeadPredictor, encodeModel, type QuantModel } from './model.ts';
import { type RungData, trainRung } from './rungs.ts';
import { createSelector, type Unlabelled } from './select.ts';

/** What is known when windows are chosen for their labels. */
export interface ChooseInput {
  task: Task;
  /** what the devices run: their embeddings are of its layers before the head */
  champion: QuantModel;
  /** what a head would be trained on now; nothing where nothing is labelled yet */
  data: RungData;
  seed: number;
  signal?: AbortSignal;
}

/** Goes on asking, label by label. */
export interface Asking {
  /**
   * @param data what a head would be trained on now
   * @param count how many windows
   * @param taken indices of the windows that got a label since asking began
   * @returns indices, in the order of their use
   * @throws GatewayError 'cancelled' when the signal is raised
   */
  next(data: RungData, count: number, taken: readonly number[]): Promise<number[]>;
}

/**
 * A head that only tells sure windows from others is trained on fewer windows, in fewer steps, than one
 * that is to be released: it is there after a tenth of the time.
 */
const QUICK = { perClass: 60, iterations: 50 };

/**
 * Chooses the windows whose labels teach most, with scores of a head that is trained on all labels so
 * far: the devices' own scores are of a model that knows nothing of the newest labels, and after a
 * drift little of anything. See `select.ts` for the choice itself.
 *
 * The head is trained once a call; it goes nowhere. To ask for `count` labels at once costs some of
 * their use: the fewer at a time, the better each is chosen.
 *
 * @param input see ChooseInput
 * @param windows unlabelled, in the order of the indices
 * @param count how many; never more than there are
 * @param labelled embeddings of the windows that are labelled already
 * @returns indices, in the order of their use: a smaller budget is a beginning of it
 * @throws GatewayError 'cancelled' when the signal is raised
 * @throws RangeError if embeddings differ in length
 */
export async function chooseWindows(
  input: ChooseInput,
  windows: readonly Unlabelled[],
  count: number,
  labelled: readonly Int8Array[] = [],
): Promise<number[]> {
  if (windows.length === 0) return [];
  return startAsking(input, windows, labelled).next(input.data, count, []);
}

/**
 * {@link chooseWindows} for somebody who labels one window after the other: what does not change is
 * computed once.
 *
 * @throws RangeError if embeddings differ in length, or there is no window
 */
export function startAsking(
  { task, champion, seed, signal }: Omit<ChooseInput, 'data'>,
  windows: readonly Unlabelled[],
  labelled: readonly Int8Array[] = [],
): Asking {
  const embeddings = windows.map(({ embedding }) => embedding);
  const selector = createSelector(embeddings, { seed, labelled });
  const own = windows.map(({ score }) => score);
  return {
    async next(data, count, taken) {
      const input = { task, champion, data, seed, ...(signal && { signal }) };
      const score = await learnScores(input);
      return selector(score === null ? own : embeddings.map(score), count, taken);
    },
  };
}

/**
 * What a head that is trained on all labels so far says of windows: how sure it is.
 *
 * @param input see ChooseInput
 * @returns the score of an embedding, 0 to 255; null where no label teaches a class
 * @throws GatewayError 'cancelled' when the signal is raised
 */
export async function learnScores({
  task,
  champion,
  data,
  seed,
  signal,
}: ChooseInput): Promise<((embedding: Int8Array) => number) | null> {
  // a number's and an anomaly's head have no margin between classes
  if (data.fresh.length + data.old.length === 0 || task.kind !== 'classification') return null;
  const options = { seed, ...(signal && { signal }) };
  const { model } = await trainRung('head', quicker(task), champion, data, options);
  const says = createHeadPredictor(encodeModel(model));
  return (embedding) => says(embedding).score;
}

function quicker(task: Task): Task {
  const { augment, linear } = task.training;
  const training = {
    ...task.training,
    augment: { ...augment, perClass: Math.min(augment.perClass, QUICK.perClass) },
    linear: { ...linear, iterations: Math.min(linear.iterations, QUICK.iterations) },
  };
  return { ...task, training };
}
