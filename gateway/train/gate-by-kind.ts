import { type Answers, answersOf } from '../answers.ts';
import { mcnemarMidP, wilson } from '../statistics.ts';
import type { Task } from '../task.ts';
import { anomalyChecks } from './gate-anomaly.ts';
import { proofChecks, ROUNDING } from './gate-proof.ts';
import { regressionChecks } from './gate-regression.ts';
import type { GateCheck, Regime } from './gate-report.ts';
import type { KindInput, KindReport } from './kind-report.ts';
import { confusionMatrix } from './metrics.ts';
import { discordantPairs, MIN_WINDOWS } from './paired.ts';

/**
 * Decides whether a candidate of a regression or of an anomaly task may leave the trainer.
 *
 * A regression has to have smaller errors on the same windows than its champion (Wilcoxon's
 * signed-rank test on the absolute errors, exact mid-p). A model of what is normal has to be right
 * more often (McNemar), to keep false alarms below the task's limit, to see as many labelled
 * anomalies as a champion whose own false alarms are within the limit, and to see made-up ones:
 * the last so that one that never alarms cannot pass. Neither may lose a part of the range, a device,
 * an earlier regime, a pinned window or a board's budget.
 *
 * @param input answers, all by the device's own int8 kernel
 * @returns the report; 'provisional' where it rests on cross-validation
 * @throws RangeError if predictions and truth differ in length
 */
export function gateByKind(input: KindInput): KindReport {
  const { task, evidence } = input;
  const answers = answersOf(task);
  const n = evidence.truth.length;
  const first = evidence.champion.length === 0;
  if (evidence.candidate.length !== n || !(first || evidence.champion.length === n)) {
    throw new RangeError('every labelled window needs one prediction of each model');
  }
  const isRight = rightness(evidence.truth, evidence.candidate, answers);
  const wasRight = first ? null : rightness(evidence.truth, evidence.champion, answers);
  const share = n === 0 ? 0 : count(isRight) / n;
  const { gained, lost } = discordantPairs(wasRight ?? [], isRight);
  const own =
    task.kind === 'regression'
      ? regressionChecks(input, answers, share)
      : anomalyChecks(input, gained, lost);
  const checks: GateCheck[] = [
    ...own.checks,
    ...(wasRight === null ? [] : losses(input, answers, wasRight, isRight)),
    ...input.regimes.map((regime) => keeps(regime, answers, task)),
    ...proofChecks(input),
  ];
  const failed = checks.filter((check) => !check.ok);
  const groups = answers.groups.map((name, g) => {
    const here = evidence.truth.flatMap((t, i) => (answers.group(t) === g ? [i] : []));
    const of = (right: readonly boolean[]): number | null =>
      here.length === 0 ? null : here.filter((i) => right[i]).length / here.length;
    return {
      ...{ name, windows: here.length, candidate: of(isRight) },
      champion: wasRight && of(wasRight),
    };
  });
  const measured = groups.filter(({ candidate }) => candidate !== null);
  const matrix = (said: readonly number[]): number[][] =>
    confusionMatrix(evidence.truth.map(answers.group), said.map(groupOr(answers)), groups.length);
  return {
    decision:
      failed.length > 0 ? 'refuse' : evidence.kind === 'held-out' ? 'release' : 'provisional',
    reason:
      failed.length > 0
        ? failed.map(({ name, why }) => `${name}: ${why}`).join('; ')
        : own.checks[0]!.why,
    reachesAim: own.reachesAim,
    unproven: evidence.kind === 'resubstituted' && !first,
    evidence: {
      kind: evidence.kind,
      windows: n,
      champion: wasRight === null || n === 0 ? null : count(wasRight) / n,
      candidate: share,
      interval: n === 0 ? [0, 1] : wilson(count(isRight), n),
      ...{ gained, lost, midP: own.midP },
    },
    classes: groups,
    worstClass: measured.sort((a, b) => a.candidate! - b.candidate!)[0]?.name ?? null,
    confusion: {
      champion: first ? null : matrix(evidence.champion),
      candidate: matrix(evidence.candidate),
    },
    regimes: input.regimes.map(({ name, truth, champion, candidate }) => ({
      ...{ name, windows: truth.length },
      champion: count(rightness(truth, champion, answers)) / truth.length,
      candidate: count(rightness(truth, candidate, answers)) / truth.length,
    })),
    ...{ mustPass: input.mustPass, quantisation: input.quantisation, budgets: input.budgets },
    ...{ labels: null, checks },
    ...own.measured,
  };
}

/** Parts of the range (or verdicts that are not compared otherwise) and devices that lose. */
function losses(
  { task, evidence }: KindInput,
  answers: Answers,
  was: readonly boolean[],
  is: readonly boolean[],
): GateCheck[] {
  const { truth, device } = evidence;
  const parts =
    task.kind === 'regression'
      ? answers.groups.map((name, g): [string, number[]] => [
          name,
          truth.flatMap((t, i) => (answers.group(t) === g ? [i] : [])),
        ])
      : [];
  const devices = [...new Set(device)].map((id): [string, number[]] => [
    id,
    device.flatMap((of, i) => (of === id ? [i] : [])),
  ]);
  const several = devices.length > 1 ? devices : [];
  return [...parts, ...several].flatMap(([name, here]) => {
    if (here.length < MIN_WINDOWS) return [];
    const { gained, lost } = discordantPairs(
      here.map((i) => was[i]!),
      here.map((i) => is[i]!),
    );
    const midP = mcnemarMidP(gained, lost);
    const isLost = (lost - gained) / here.length > task.gate.maxClassLoss;
    if (!isLost || midP >= task.gate.alpha) return [];
    const why = `${lost} of ${here.length} windows lost, ${gained} gained (mid-p ${midP.toPrecision(2)})`;
    return [{ name: `keeps ${name}`, ok: false, why }];
  });
}

function keeps(regime: Regime, answers: Answers, { gate }: Task): GateCheck {
  const { name, truth, champion, candidate } = regime;
  const was = rightness(truth, champion, answers);
  const is = rightness(truth, candidate, answers);
  const { gained, lost } = discordantPairs(was, is);
  const midP = mcnemarMidP(gained, lost);
  const n = truth.length;
  return {
    name: `keeps ${name}`,
    ok: (lost - gained) / n <= gate.maxRegimeLoss + ROUNDING || midP >= gate.alpha,
    why: `${count(was)} of ${n} windows right before, ${count(is)} after (mid-p ${midP.toPrecision(2)})`,
  };
}

const groupOr =
  (answers: Answers) =>
  (said: number): number =>
    said < 0 ? -1 : answers.group(said);

function rightness(truth: readonly number[], said: readonly number[], answers: Answers): boolean[] {
  return truth.map((t, i) => answers.isRight(said[i]!, t));
}

function count(right: readonly boolean[]): number {
  return right.filter(Boolean).length;
}
