import { ANOMALY, answersOf, NORMAL } from '../answers.ts';
import type { Task } from '../task.ts';
import { type Proven, type Sayer, sayer, tryRung } from './attempt.ts';
import { crossValidate } from './cross-validate.ts';
import { MIN_NORMAL } from './gate-anomaly.ts';
import { gateByKind } from './gate-by-kind.ts';
import { encodeModel } from './model.ts';
import { makeProbes } from './probes.ts';
import type { RetrainInput } from './retrain-input.ts';
import type { Example, Rung } from './rungs.ts';

/**
 * Trains and proves one rung of a regression or of an anomaly task.
 *
 * @returns the candidate with its report; in `evidence` an answer is 1 where it is right and 0 where
 *   not, so that rungs can be compared whatever the kind. null where nothing teaches: normal windows
 *   are missing
 * @throws GatewayError 'cancelled' when the signal is raised
 */
export async function attemptByKind(rung: Rung, input: RetrainInput): Promise<Proven | null> {
  const { task, data, seed } = input;
  const { fresh } = data;
  const answers = answersOf(task);
  const teaches = ({ cls }: Example): boolean => task.kind === 'regression' || cls === NORMAL;
  if (![...fresh, ...data.old].some(teaches)) return null;
  const group = (i: number): number => answers.group(fresh[i]!.cls);
  // anomalies teach nothing, so that every fold may judge them: one stratum
  const strata = fresh.map((_, i) => (task.kind === 'regression' ? group(i) : 0));
  const { attempt, evidence, judges, candidate, champion, proof } = await tryRung(rung, input, {
    groups: [...Map.groupBy(fresh.keys(), group).values()],
    leastOfGroup: 0,
    crossValidate: canCrossValidate(fresh, task)
      ? (fit) =>
          crossValidate(strata, task.training.folds, seed, async (indices) => {
            const fold = sayer(encodeModel((await fit(indices.map((i) => fresh[i]!))).model));
            return (i) => fold(fresh[i]!);
          })
      : null,
    spared: new Set(),
  });
  const regimes = input.isShared ? input.regimes : [];
  const report = gateByKind({
    ...{ task, evidence, taught: fresh.map(({ cls }) => cls) },
    regimes: regimes
      .filter(({ examples }) => examples.length > 0)
      .map(({ name, examples }) => ({
        isPresent: false,
        ...{ name, truth: examples.map(({ cls }) => cls), candidate: examples.map(candidate) },
        champion: examples.map((e) => champion?.(e) ?? -1),
      })),
    ...proof,
    probes: task.kind === 'anomaly' ? probe(input, candidate, champion) : null,
  });
  const asRight = (some: readonly number[]): number[] =>
    some.map((answer, i) => Number(answers.isRight(answer, evidence.truth[i]!)));
  return {
    ...{ ...attempt, report, judges },
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
  { task, data, seed }: RetrainInput,
  candidate: Sayer,
  champion: Sayer | null,
): { total: number; champion: number | null; candidate: number } {
  const normal = data.fresh.filter(({ cls }) => cls === NORMAL);
  const probes = makeProbes(normal, task.sensor.axes.length, seed);
  const seen = (say: Sayer): number => probes.filter((p) => say(p) === ANOMALY).length;
  return { total: probes.length, champion: champion && seen(champion), candidate: seen(candidate) };
}

/** What is normal is not learned from fewer windows than the gate asks for. */
function canCrossValidate(fresh: readonly Example[], { kind }: Task): boolean {
  if (kind === 'regression') return fresh.length >= 2;
  return fresh.filter(({ cls }) => cls === NORMAL).length >= MIN_NORMAL;
}
