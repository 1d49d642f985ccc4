import { ANOMALY, answersOf, NORMAL } from '../answers.ts';
import type { Task } from '../task.ts';
import { crossValidate } from './cross-validate.ts';
import { gateByKind, type KindReport, MIN_NORMAL } from './gate-by-kind.ts';
import type { Evidence, GateReport } from './gate-report.ts';
import { createPredictor, encodeModel, type ModelParts, type QuantModel } from './model.ts';
import { makeProbes } from './probes.ts';
import { type Example, type Rung, type RungData, type Trained, trainRung } from './rungs.ts';

/** What a rung of another kind than classification is tried with; `retrain`'s input fits. */
export interface KindAttempt {
  task: Task;
  champion: QuantModel | null;
  data: RungData;
  championSaid: readonly number[];
  origins: readonly { device: string }[];
  regimes: readonly { name: string; examples: readonly Example[] }[];
  isShared: boolean;
  mustPass: readonly (Example & { name: string })[];
  budgets: (parts: ModelParts) => GateReport['budgets'];
  seed: number;
  signal?: AbortSignal;
}

/** Labels from which on the newest are held out, and how many of them. */
const HELD_OUT = { windows: 200, share: 0.3 };

/**
 * Trains and proves one rung of a regression or of an anomaly task.
 *
 * @returns the candidate with its report; in `evidence` an answer is 1 where it is right and 0 where
 *   not, so that rungs can be compared whatever the kind. null where nothing teaches: normal windows
 *   are missing
 * @throws GatewayError 'cancelled' when the signal is raised
 */
export async function attemptByKind(
  rung: Rung,
  input: KindAttempt,
): Promise<{
  rung: Rung;
  model: QuantModel;
  parts: ModelParts;
  report: KindReport;
  trainMs: number;
  evidence: Evidence;
} | null> {
  const { task, champion, data, seed, signal } = input;
  const { fresh } = data;
  const answers = answersOf(task);
  const teaches = ({ cls }: Example): boolean => task.kind === 'regression' || cls === NORMAL;
  if (![...fresh, ...data.old].some(teaches)) return null;
  const begun = performance.now();
  const fit = (some: readonly Example[]): Promise<Trained> =>
    trainRung(rung, task, champion, { ...data, fresh: some }, { seed, ...(signal && { signal }) });
  const every = [...fresh.keys()];
  const split =
    rung === 'pre'
      ? { learn: every, judge: every }
      : holdOut(fresh.map(({ cls }) => answers.group(cls)));
  const final = await fit(split === null ? fresh : split.learn.map((i) => fresh[i]!));
  const trainMs = performance.now() - begun;

  const parts = encodeModel(final.model);
  const sayer = (of: ModelParts): ((e: Pick<Example, 'window' | 'length'>) => number) => {
    const predict = createPredictor(of);
    return ({ window, length }) => predict(window, length).cls;
  };
  const said = sayer(parts);
  const before = champion === null ? null : sayer(encodeModel(champion));
  const judges = (split?.judge ?? every).filter(
    (i) => champion === null || input.championSaid[i]! >= 0,
  );
  let kind: Evidence['kind'] = 'held-out';
  let all: readonly number[] = fresh.map(said);
  if (split === null && canCrossValidate(fresh, task)) {
    kind = 'cross-validated';
    // anomalies teach nothing, so that every fold may judge them: one stratum
    const strata = fresh.map(({ cls }) => (task.kind === 'regression' ? answers.group(cls) : 0));
    all = await crossValidate(strata, task.training.folds, seed, async (indices) => {
      const fold = sayer(encodeModel((await fit(indices.map((i) => fresh[i]!))).model));
      return (i) => fold(fresh[i]!);
    });
  } else if (split === null) kind = 'resubstituted';
  const evidence: Evidence = {
    kind,
    truth: judges.map((i) => fresh[i]!.cls),
    champion: champion === null ? [] : judges.map((i) => input.championSaid[i]!),
    candidate: judges.map((i) => all[i]!),
    device: judges.map((i) => input.origins[i]?.device ?? ''),
  };
  const right = (examples: readonly Example[], say: (e: Example) => number): number =>
    examples.length === 0
      ? 1
      : examples.filter((e) => answers.isRight(say(e), e.cls)).length / examples.length;
  const regimes = input.isShared ? input.regimes : [];
  const report = gateByKind({
    ...{ task, evidence, taught: fresh.map(({ cls }) => cls) },
    regimes: regimes
      .filter(({ examples }) => examples.length > 0)
      .map(({ name, examples }) => ({
        isPresent: false,
        ...{ name, truth: examples.map(({ cls }) => cls), candidate: examples.map(said) },
        champion: examples.map((e) => before?.(e) ?? -1),
      })),
    mustPass: {
      total: input.mustPass.length,
      broken: input.mustPass
        .filter((e) => !answers.isRight(said(e), e.cls))
        .map(({ name }) => name),
    },
    quantisation: {
      float: right(fresh, (e) => final.predictFloat(e.window, e.length)),
      int8: right(fresh, said),
    },
    budgets: input.budgets(parts),
    probes: task.kind === 'anomaly' ? probe(input, said, before) : null,
  });
  const asRight = (some: readonly number[]): number[] =>
    some.map((answer, i) => Number(answers.isRight(answer, evidence.truth[i]!)));
  return {
    ...{ rung, model: final.model, parts, report, trainMs },
    evidence: {
      ...evidence,
      truth: evidence.truth.map(() => 1),
      champion: asRight(evidence.champion),
      candidate: asRight(evidence.candidate),
    },
  };
}

/** Anomalies made of the normal windows: how many each model sees. */
function probe(
  { task, data, seed }: KindAttempt,
  said: (e: Pick<Example, 'window' | 'length'>) => number,
  before: ((e: Pick<Example, 'window' | 'length'>) => number) | null,
): { total: number; champion: number | null; candidate: number } {
  const normal = data.fresh.filter(({ cls }) => cls === NORMAL);
  const probes = makeProbes(normal, task.sensor.axes.length, seed);
  const seen = (say: typeof said): number => probes.filter((p) => say(p) === ANOMALY).length;
  return { total: probes.length, champion: before && seen(before), candidate: seen(said) };
}

/** With many labels, the newest of each group judge and the older ones teach; else null. */
function holdOut(groups: readonly number[]): { learn: number[]; judge: number[] } | null {
  if (groups.length < HELD_OUT.windows) return null;
  const judge = [...Map.groupBy(groups.keys(), (i) => groups[i]).values()].flatMap((of) =>
    of.slice(Math.ceil(of.length * (1 - HELD_OUT.share))),
  );
  const judging = new Set(judge);
  return { learn: [...groups.keys()].filter((i) => !judging.has(i)), judge };
}

/** What is normal is not learned from fewer windows than the gate asks for. */
function canCrossValidate(fresh: readonly Example[], { kind }: Task): boolean {
  if (kind === 'regression') return fresh.length >= 2;
  return fresh.filter(({ cls }) => cls === NORMAL).length >= MIN_NORMAL;
}
