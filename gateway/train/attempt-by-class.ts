import type { Task } from '../task.ts';
import { type Fit, type Proven, sayer, tryRung } from './attempt.ts';
import { crossValidate } from './cross-validate.ts';
import { gate } from './gate.ts';
import { keptRegimes } from './kept-regimes.ts';
import { type LabelAudit, unchanged } from './label-audit.ts';
import { encodeModel } from './model.ts';
import { newcomersOf } from './new-class.ts';
import type { RetrainInput } from './retrain-input.ts';
import type { Example, Rung } from './rungs.ts';

/** Labels of a class below which none are held out. */
const LEAST_HELD_OUT = 10;
/** Labels up to which a fold holds two of them, so that what judges was taught by nearly all. */
const FEW = 30;
/** Of a class with one label, a fold loses all; its window then counts against the candidate. */
const MOST_ALONE = 1 / 3;

/**
 * Trains and proves one rung of a classification.
 *
 * @param audit of the labels; null for a first model
 * @throws GatewayError 'cancelled' when the signal is raised
 */
export async function attemptByClass(
  rung: Rung,
  input: RetrainInput,
  audit: LabelAudit | null,
): Promise<Proven> {
  const { task, data, isShared } = input;
  const { fresh, recent } = data;
  const newcomers = newcomersOf(task, input.champion);
  const spared = new Set(audit === null || !isShared ? [] : unchanged(audit));
  const judged = await tryRung(rung, input, {
    groups: task.classes.map((_, c) => fresh.flatMap((e, i) => (e.cls === c ? [i] : []))),
    leastOfGroup: LEAST_HELD_OUT,
    // with a new class what is rehearsed takes part: does the new one take windows from it?
    crossValidate: canCrossValidate(fresh, task)
      ? (fit) => unseen(input, newcomers.length > 0, fit)
      : null,
    spared,
  });
  const { attempt, evidence, judges, candidate, champion, proof } = judged;
  const report = gate({
    classes: task.classes,
    newcomers,
    taught: countOf(fresh, task),
    taughtNew: countOf(
      fresh.filter((_, i) => audit?.verdicts[audit.trusted[i]!] !== 'supported'),
      task,
    ),
    evidence,
    championReference: input.championReference,
    isUpdated: input.isUpdated,
    regimes: keptRegimes(input, audit, newcomers, judged, spared),
    recent: {
      champion: recent.map((w) => champion?.(w) ?? -1),
      candidate: recent.map(candidate),
    },
    ...proof,
    pinned: input.mustPass.map(({ cls }) => cls),
    audit,
    policy: task.gate,
  });
  return { ...attempt, report, evidence, judges };
}

/**
 * Answers to each label by a model that was trained without it.
 *
 * @param withOld what is rehearsed is dealt into the folds as well, and answers to it follow
 */
function unseen(
  { task, data, seed }: RetrainInput,
  withOld: boolean,
  fit: Fit,
): Promise<readonly number[]> {
  const { fresh, old } = data;
  const known = withOld ? [...fresh, ...old] : fresh;
  return crossValidate(
    known.map(({ cls }) => cls),
    foldsOf(task, fresh.length),
    seed,
    async (indices) => {
      const of = (from: number, to: number): Example[] =>
        indices.filter((i) => i >= from && i < to).map((i) => known[i]!);
      const { model } = await fit(
        of(0, fresh.length),
        withOld ? of(fresh.length, known.length) : old,
      );
      const fold = sayer(encodeModel(model));
      return (i) => fold(known[i]!);
    },
  );
}

function foldsOf({ training }: Task, labels: number): number {
  return labels > FEW ? training.folds : Math.max(training.folds, Math.ceil(labels / 2));
}

function canCrossValidate(fresh: readonly Example[], task: Task): boolean {
  const counts = countOf(fresh, task);
  const alone = counts.filter((count) => count === 1).length;
  return fresh.length >= 2 && alone <= fresh.length * MOST_ALONE;
}

function countOf(examples: readonly Example[], task: Task): number[] {
  return task.classes.map((_, c) => examples.filter(({ cls }) => cls === c).length);
}
