import { answersOf } from '../answers.ts';
import type { Evidence, GateInput, GateReport } from './gate-report.ts';
import { createPredictor, encodeModel, type ModelParts, type QuantModel } from './model.ts';
import type { RetrainInput } from './retrain-input.ts';
import { type Example, type Rung, type Trained, trainRung, type Window } from './rungs.ts';

/** One rung tried: a candidate with its report. */
export interface Attempt {
  rung: Rung;
  model: QuantModel;
  parts: ModelParts;
  report: GateReport;
  trainMs: number;
}

/** An attempt with what it was judged by, so that rungs can be compared. */
export interface Proven extends Attempt {
  evidence: Evidence;
  /** indices of the labels that `evidence` is about, in its order */
  judges: readonly number[];
}

/** The answer that a model gives to a window. */
export type Sayer = (window: Window) => number;

/** Trains the rung on these windows, by default with all that is rehearsed. */
export type Fit = (fresh: readonly Example[], old?: readonly Example[]) => Promise<Trained>;

/** How the labels of a kind of task judge a rung. */
export interface Judging {
  /** indices of the labels of each group: where some are held out, so is a share of each */
  groups: readonly (readonly number[])[];
  /** labels of a group, if it has any, below which none are held out */
  leastOfGroup: number;
  /**
   * Answers to each label, in their order, by models that it did not teach; others may follow them. null
   * where there are too few labels: then all are judged by what they taught.
   */
  crossValidate: ((fit: Fit) => Promise<readonly number[]>) | null;
  /** devices whose labels do not judge */
  spared: ReadonlySet<string>;
}

/** A candidate, and what its task's gate needs to know of it whatever the kind. */
export interface Judged {
  attempt: Omit<Attempt, 'report'>;
  evidence: Evidence;
  /** as {@link Proven} has them */
  judges: readonly number[];
  /** indices of labels that could judge, also where they taught the champion */
  judging: readonly number[];
  /** see {@link Judging.crossValidate}; otherwise the candidate's own answers to each label */
  answers: readonly number[];
  candidate: Sayer;
  champion: Sayer | null;
  proof: Pick<GateInput, 'mustPass' | 'quantisation' | 'budgets'>;
}

/** Labels from which on the newest are held out of training, and how many of them. */
const HELD_OUT = { windows: 200, share: 0.3 };

/**
 * Trains one rung, and asks it about the labels that can judge it.
 *
 * @throws GatewayError 'cancelled' when the signal is raised
 */
export async function tryRung(
  rung: Rung,
  input: RetrainInput,
  { groups, leastOfGroup, crossValidate, spared }: Judging,
): Promise<Judged> {
  const { task, champion, data, championSaid, origins, mustPass, seed, signal } = input;
  const { fresh } = data;
  const { isRight } = answersOf(task);
  const options = { seed, ...(signal && { signal }) };
  const fit: Fit = (some, old = data.old) =>
    trainRung(rung, task, champion, { ...data, fresh: some, old }, options);
  const begun = performance.now();
  const every = [...fresh.keys()];
  const split =
    rung === 'pre' ? { learn: every, judge: every } : holdOut(groups, fresh.length, leastOfGroup);
  const final = await fit(split === null ? fresh : split.learn.map((i) => fresh[i]!));
  const trainMs = performance.now() - begun;

  const parts = encodeModel(final.model);
  const candidate = sayer(parts);
  const crossed = split === null && crossValidate !== null ? await crossValidate(fit) : null;
  const answers = crossed ?? fresh.map(candidate);
  const judging = split?.judge ?? every;
  const device = (i: number): string => origins[i]?.device ?? '';
  const judges = judging.filter(
    (i) => champion === null || (championSaid[i]! >= 0 && !spared.has(device(i))),
  );
  const rightShare = (say: Sayer): number =>
    fresh.length === 0 ? 1 : fresh.filter((e) => isRight(say(e), e.cls)).length / fresh.length;
  const broken = mustPass.filter((e) => !isRight(candidate(e), e.cls));
  return {
    attempt: { rung, model: final.model, parts, trainMs },
    evidence: {
      kind: split !== null ? 'held-out' : crossed !== null ? 'cross-validated' : 'resubstituted',
      truth: judges.map((i) => fresh[i]!.cls),
      champion: champion === null ? [] : judges.map((i) => championSaid[i]!),
      candidate: judges.map((i) => answers[i]!),
      device: judges.map(device),
    },
    ...{ judges, judging, answers, candidate },
    champion: champion && sayer(encodeModel(champion)),
    proof: {
      mustPass: { total: mustPass.length, broken: broken.map(({ name }) => name) },
      quantisation: {
        float: rightShare((e) => final.predictFloat(e.window, e.length)),
        int8: rightShare(candidate),
      },
      budgets: input.budgets(parts),
    },
  };
}

/** @returns what the model of these parts says */
export function sayer(parts: ModelParts): Sayer {
  const predict = createPredictor(parts);
  return ({ window, length }) => predict(window, length).cls;
}

/** With many labels, the newest of each group judge and the older ones teach; else null. */
function holdOut(
  groups: readonly (readonly number[])[],
  labels: number,
  least: number,
): { learn: number[]; judge: number[] } | null {
  if (labels < HELD_OUT.windows) return null;
  if (groups.some((of) => of.length > 0 && of.length < least)) return null;
  const judge = groups.flatMap((of) => of.slice(Math.ceil(of.length * (1 - HELD_OUT.share))));
  const judging = new Set(judge);
  const learn = Array.from({ length: labels }, (_, i) => i).filter((i) => !judging.has(i));
  return { learn, judge };
}
