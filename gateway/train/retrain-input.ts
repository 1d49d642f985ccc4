import type { Task } from '../task.ts';
import type { GateReport } from './gate-report.ts';
import type { LabelOrigin } from './label-audit.ts';
import { createPredictor, encodeModel, type ModelParts, type QuantModel } from './model.ts';
import { classesOf, taughtPart } from './new-class.ts';
import type { Example, Rung, RungData, Window } from './rungs.ts';

/** Everything that a training is given. */
export interface RetrainInput {
  task: Task;
  /** what runs now; null for the first model */
  champion: QuantModel | null;
  /** the champion's accuracy when it was released, 0 to 1 */
  championReference: number | null;
  /** the champion has replaced another version */
  isUpdated: boolean;
  data: RungData;
  /**
   * For each fresh window the class that the champion gave before anyone trained on it, and -1
   * where the champion was trained on it: such a window teaches, but does not judge.
   */
  championSaid: readonly number[];
  /** where the label of each fresh window came from: a device, and who said it */
  origins: readonly LabelOrigin[];
  /** labelled windows from before the present regime, of anybody: new labels are compared with them */
  memory: readonly Example[];
  /** the windows of `data.recent` by device */
  recentByDevice: ReadonlyMap<string, readonly Window[]>;
  /** the newest windows, of this regime or before, by device */
  lately: ReadonlyMap<string, readonly Window[]>;
  /** windows since the first new label, labelled or not, by device */
  labelled: ReadonlyMap<string, readonly Window[]>;
  /** earlier regimes that must be kept: windows that are not in `data` */
  regimes: readonly { name: string; examples: readonly Example[] }[];
  /** a personal model has to keep them only while windows look as they did */
  isShared: boolean;
  /** pinned windows that every release must get right */
  mustPass: readonly (Example & { name: string })[];
  /** what a board has for a model, and what this one takes */
  budgets: (parts: ModelParts) => GateReport['budgets'];
  seed: number;
  signal?: AbortSignal;
  /** told before each rung */
  onRung?: (rung: Rung) => void;
}

/**
 * The same training without windows of classes that the champion does not know and nobody has shown
 * often enough. What it says of one that is learnt now is wrong, whenever it was labelled.
 */
export function knownOnly(input: RetrainInput, champion: QuantModel): RetrainInput {
  const { data, championSaid, mustPass } = input;
  const labels = data.fresh.map(({ cls }) => cls);
  const task = taughtPart(input.task, champion, labels);
  const count = task.classes.length;
  const before = classesOf(champion);
  if (count === before && count === input.task.classes.length) return input;
  const predict = createPredictor(encodeModel(champion));
  const of = <T extends Example>(all: readonly T[], below: number): T[] =>
    all.filter(({ cls }) => cls < below);
  const said = data.fresh.map(({ cls, window, length }, i) =>
    cls < before ? championSaid[i]! : predict(window, length).cls,
  );
  const known = {
    ...{ ...input, task, championSaid: said },
    data: { ...data, old: of(data.old, count) },
    memory: of(input.memory, count),
    regimes: input.regimes.map(({ name, examples }) => ({ name, examples: of(examples, before) })),
    mustPass: of(mustPass, count),
  };
  return trustedOnly(
    known,
    [...labels.keys()].filter((i) => labels[i]! < count),
  );
}

/**
 * The same training without the labels that are not trusted.
 *
 * @param trusted indices of fresh windows
 */
export function trustedOnly(input: RetrainInput, trusted: readonly number[]): RetrainInput {
  const pick = <T>(all: readonly T[]): T[] => trusted.map((i) => all[i]!);
  const { data, championSaid, origins } = input;
  return {
    ...input,
    data: { ...data, fresh: pick(data.fresh) },
    ...{ championSaid: pick(championSaid), origins: pick(origins) },
  };
}
