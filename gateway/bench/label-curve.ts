import { createRandom } from '../random.ts';
import type { Task } from '../task.ts';
import { startAsking } from '../train/choose-windows.ts';
import {
  createEmbedder,
  createPredictor,
  encodeModel,
  type Predictor,
  type QuantModel,
} from '../train/model.ts';
import { type Example, type RungData, trainRung } from '../train/rungs.ts';
import { shareOfRight } from './share-of-right.ts';

/** How labels are chosen: as the gateway asks for them, or by chance. */
export type Select = 'active' | 'random';

/** One learner that gets label after label. */
export interface CurveRun {
  task: Task;
  /** what the first model was trained on */
  from: readonly Example[];
  /** the windows after the shift: labels are chosen of them, all the others test */
  to: readonly Example[];
  /** old windows that are rehearsed where the classes in `known` have labels */
  old: (known: ReadonlySet<number>) => readonly Example[];
  select: Select;
  seed: number;
  /** labels at which the accuracy is measured, rising */
  at: readonly number[];
  /** goes on label by label until this accuracy is reached; 0 for no such aim */
  until: number;
  /** labels at which windows without a label teach as well */
  guessAt: readonly number[];
  /** labels after which it is given up */
  most: number;
}

/** Accuracy of the int8 head, by the device's kernel, on every window that got no label. */
export interface Curve {
  at: ReadonlyMap<number, number>;
  /** the same of the rung 'pseudo', where it was tried */
  guessing: ReadonlyMap<number, number>;
  /** labels with which `until` was first reached; Infinity where it was not */
  reached: number;
}

/** From so many labels on one more or less hardly matters: several are asked for at once. */
const SLOWER = { from: 20, atOnce: 5 };

/** Labels below which `until` is not looked for: a head of fewer classes cannot reach it. */
const LEAST = 4;

/**
 * Trains a first model, then heads for more and more labels of the windows after a shift.
 *
 * @param run see CurveRun
 * @param first the model before the shift
 */
export async function labelCurve(run: CurveRun, first: QuantModel): Promise<Curve> {
  const { task, to, select, seed, at, guessAt, until, most } = run;
  const embed = createEmbedder(first, first.cut);
  const champion = createPredictor(encodeModel(first));
  const windows = to.map(({ window, length }) => ({
    embedding: embed(window, length).slice(),
    score: champion(window, length).score,
  }));
  const asking = select === 'active' ? startAsking({ task, champion: first, seed }, windows) : null;
  const byChance = createRandom(seed).shuffle([...to.keys()]);
  const labelled: number[] = [];
  const measured = new Map<number, number>();
  const guessing = new Map<number, number>();
  const accuracyOf = async (rung: 'head' | 'pseudo', data: RungData): Promise<number> => {
    const { model } = await trainRung(rung, task, first, data, { seed });
    return accuracyWithout(createPredictor(encodeModel(model)), to, labelled);
  };
  let reached = until === 0 ? 0 : Number.POSITIVE_INFINITY;
  const last = at.at(-1) ?? 0;
  for (;;) {
    const n = labelled.length;
    const data = dataOf(run, labelled);
    const looks = reached === Number.POSITIVE_INFINITY && n >= LEAST;
    if (at.includes(n) || looks) {
      const accuracy = await accuracyOf('head', data);
      if (at.includes(n)) measured.set(n, accuracy);
      if (looks && accuracy >= until) reached = n;
    }
    if (guessAt.includes(n)) guessing.set(n, await accuracyOf('pseudo', data));
    if (n >= last && (reached < Number.POSITIVE_INFINITY || n >= most)) break;
    const next = at.find((count) => count > n) ?? most;
    const more = n < SLOWER.from || looks ? 1 : Math.min(SLOWER.atOnce, next - n);
    const chosen =
      asking === null ? byChance.slice(n, n + more) : await asking.next(data, more, labelled);
    labelled.push(...chosen);
  }
  return { at: measured, guessing, reached };
}

function dataOf({ to, old }: CurveRun, labelled: readonly number[]): RungData {
  const fresh = labelled.map((i) => to[i]!);
  return { fresh, old: old(new Set(fresh.map(({ cls }) => cls))), recent: to };
}

function accuracyWithout(
  predict: Predictor,
  windows: readonly Example[],
  labelled: readonly number[],
): number {
  const known = new Set(labelled);
  const rest = windows.filter((_, i) => !known.has(i));
  return shareOfRight(predict, rest);
}
