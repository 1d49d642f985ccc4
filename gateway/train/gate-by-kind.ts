import { ANOMALY, type Answers, answersOf, NORMAL, stepSize } from '../answers.ts';
import { binomialLowerTail, fisherWorse, mcnemarMidP, wilson } from '../statistics.ts';
import type { Task } from '../task.ts';
import type { Evidence, GateCheck, GateReport, Regime } from './gate-report.ts';
import { confusionMatrix } from './metrics.ts';
import { percent } from './paired.ts';
import { signedRank } from './signed-rank.ts';

/** What the gate is given of a task that is no classification; answers as {@link Answers} has them. */
export interface KindInput {
  task: Task;
  evidence: Evidence;
  /** answers of all labels that teach */
  taught: readonly number[];
  regimes: readonly Regime[];
  mustPass: { total: number; broken: readonly string[] };
  quantisation: { float: number; int8: number };
  budgets: GateReport['budgets'];
  /** kind 'anomaly': made-up anomalies that each model sees, of how many */
  probes: { total: number; champion: number | null; candidate: number } | null;
}

/** A report with what a kind measures beside shares of right answers. */
export interface KindReport extends GateReport {
  /** kind 'regression': errors in units; null without a champion */
  errors?: { unit: string; champion: Errors | null; candidate: Errors };
  /** kind 'anomaly': shares; null where no window can tell */
  verdicts?: { champion: Verdicts | null; candidate: Verdicts };
}

export interface Errors {
  meanAbsolute: number;
  rootMeanSquare: number;
}

export interface Verdicts {
  falseAlarms: number | null;
  detected: number | null;
  probes: number;
}

/** As in the gate of classes: of int8, of rounding, and of groups too small to decide. */
const MAX_INT8_GAP = 0.03;
const ROUNDING = 1e-9;
const MIN_WINDOWS = 5;
/** Normal windows that a model of what is normal needs: its directions are as many as its features. */
export const MIN_NORMAL = 20;
/** Parts of a target's range that labels have to reach for a first model, and for an update. */
const PARTS_REACHED = { first: 3, update: 2 };

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
  const { gained, lost } = discordant(wasRight ?? [], isRight);
  const own =
    task.kind === 'regression'
      ? regressionChecks(input, answers, share)
      : anomalyChecks(input, gained, lost);
  const checks: GateCheck[] = [
    ...own.checks,
    ...(wasRight === null ? [] : losses(input, answers, wasRight, isRight)),
    ...input.regimes.map((regime) => keeps(regime, answers, task)),
    {
      name: 'must-pass',
      ok: input.mustPass.broken.length === 0,
      why: `${input.mustPass.total - input.mustPass.broken.length} of ${input.mustPass.total} pinned windows right`,
    },
    {
      name: 'int8',
      ok: input.quantisation.float - input.quantisation.int8 <= MAX_INT8_GAP + ROUNDING,
      why: `float ${percent(input.quantisation.float)}, int8 ${percent(input.quantisation.int8)}`,
    },
    ...input.budgets.map(({ board, bytes, limit }) => ({
      name: `budget ${board}`,
      ok: bytes <= limit,
      why: `${bytes} of ${limit} bytes`,
    })),
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

/** What a kind checks by itself; the first check's words say why a candidate was released. */
interface Own {
  checks: GateCheck[];
  midP: number | null;
  reachesAim: boolean;
  measured: Pick<KindReport, 'errors' | 'verdicts'>;
}

function regressionChecks(
  { task, evidence, taught }: KindInput,
  answers: Answers,
  share: number,
): Own {
  const { minAccuracy, alpha } = task.gate;
  const { unit } = task.target!;
  const first = evidence.champion.length === 0;
  const errorsOf = (said: readonly number[]): number[] =>
    said.map((s, i) => Math.abs(s - evidence.truth[i]!) * stepSize(task.target!));
  const after = errorsOf(evidence.candidate);
  const before = errorsOf(evidence.champion);
  const midP = first ? null : signedRank(before.map((e, i) => e - after[i]!)).midP;
  const reachesAim = share >= minAccuracy;
  const errors = {
    ...{ unit, champion: first ? null : summary(before), candidate: summary(after) },
  };
  const mean = (all: readonly number[]): string => `${summary(all).meanAbsolute.toPrecision(3)}`;
  const better = (): GateCheck => {
    const name = 'better';
    if (after.length === 0) return { name, ok: false, why: 'no labelled window to judge by' };
    const within = `${percent(share)} of ${after.length} within ${task.target!.tolerance} ${unit}`;
    if (midP === null) {
      return {
        ...{ name, ok: reachesAim },
        why: `first model: ${within}, aim ${percent(minAccuracy)}`,
      };
    }
    const improves = errors.candidate.meanAbsolute < errors.champion!.meanAbsolute;
    const why = `mean error ${mean(before)} → ${mean(after)} ${unit}, ${within} (${evidence.kind}; mid-p ${midP.toPrecision(2)})`;
    return { name, ok: improves && midP < alpha, why };
  };
  const reached = new Set(taught.map(answers.group)).size;
  const wanted = first ? PARTS_REACHED.first : PARTS_REACHED.update;
  const labels: GateCheck = {
    name: 'labels',
    ok: reached >= wanted,
    why: `in ${reached} of ${answers.groups.length} parts of the range, ${wanted} are needed`,
  };
  return { checks: [better(), labels], midP, reachesAim, measured: { errors } };
}

function anomalyChecks(
  { task, evidence, taught, probes }: KindInput,
  gained: number,
  lost: number,
): Own {
  const { alpha, minAccuracy } = task.gate;
  const { maxFalseAlarm, minProbes } = task.anomaly!;
  const { truth, champion, candidate } = evidence;
  const first = champion.length === 0;
  const after = tally(truth, candidate);
  const before = tally(truth, champion);
  const midP = first ? null : mcnemarMidP(gained, lost);
  const seen = probes === null || probes.total === 0 ? 0 : probes.candidate / probes.total;
  const refuted = ({ falseAlarms, normal }: Tally): boolean =>
    upperTail(falseAlarms, normal, maxFalseAlarm) < alpha;
  const alarms = `${after.falseAlarms} of ${after.normal} normal windows called an anomaly`;
  const enough = taught.filter((answer) => answer === NORMAL).length;
  const checks: GateCheck[] = [
    midP === null
      ? { name: 'better', ok: after.normal > 0, why: `first model: ${alarms}` }
      : {
          name: 'better',
          ok: midP < alpha && gained > lost,
          why: `${alarms}, ${after.detected} of ${after.anomalies} anomalies seen (${evidence.kind}; ${gained} gained, ${lost} lost, mid-p ${midP.toPrecision(2)})`,
        },
    {
      name: 'false alarms',
      ok: !refuted(after),
      why: `${alarms}, at most ${percent(maxFalseAlarm)} are allowed`,
    },
    {
      name: 'probes',
      ok: seen >= minProbes,
      why: `${percent(seen)} of the made-up anomalies seen, ${percent(minProbes)} are needed`,
    },
    {
      name: 'labels',
      ok: enough >= MIN_NORMAL,
      why: `${enough} normal windows, ${MIN_NORMAL} are needed`,
    },
    ...(after.anomalies < MIN_WINDOWS ? [] : [detects(evidence, after, before, alpha, refuted)]),
  ];
  const rate = after.anomalies === 0 ? seen : after.detected / after.anomalies;
  const calm = after.normal === 0 ? 0 : 1 - after.falseAlarms / after.normal;
  const verdict = (of: Tally, found: number): Verdicts => ({
    falseAlarms: of.normal === 0 ? null : of.falseAlarms / of.normal,
    detected: of.anomalies === 0 ? null : of.detected / of.anomalies,
    probes: found,
  });
  const total = probes?.total ?? 0;
  return {
    ...{ checks, midP, reachesAim: (rate + calm) / 2 >= minAccuracy },
    measured: {
      verdicts: {
        champion: first ? null : verdict(before, total === 0 ? 0 : (probes!.champion ?? 0) / total),
        candidate: verdict(after, seen),
      },
    },
  };
}

/**
 * Labelled anomalies: no fewer than the champion saw, beyond chance. A champion that alarms too often
 * sees them as a stopped clock tells the time; against such a one the candidate has to alarm at
 * anomalies more often than at normal windows.
 */
function detects(
  { truth, champion, candidate }: Evidence,
  after: Tally,
  before: Tally,
  alpha: number,
  refuted: (of: Tally) => boolean,
): GateCheck {
  const name = 'detects';
  const why = `${after.detected} of ${after.anomalies} labelled anomalies`;
  if (champion.length === 0 || refuted(before)) {
    const p = fisherWorse(after.falseAlarms, after.normal, after.detected, after.anomalies);
    return { name, ok: p < alpha, why: `${why}, beyond its false alarms by p ${p.toPrecision(2)}` };
  }
  const here = truth.flatMap((t, i) => (t === ANOMALY ? [i] : []));
  const { gained, lost } = discordant(
    here.map((i) => champion[i] === ANOMALY),
    here.map((i) => candidate[i] === ANOMALY),
  );
  const p = mcnemarMidP(gained, lost);
  return {
    ...{ name, ok: lost <= gained || p >= alpha },
    why: `${why}, the champion ${before.detected} (mid-p ${p.toPrecision(2)})`,
  };
}

interface Tally {
  normal: number;
  falseAlarms: number;
  anomalies: number;
  detected: number;
}

function tally(truth: readonly number[], said: readonly number[]): Tally {
  const of = (t: number): number[] => truth.flatMap((is, i) => (is === t ? [i] : []));
  const called = (some: readonly number[]): number =>
    some.filter((i) => said[i] === ANOMALY).length;
  const [normal, anomalies] = [of(NORMAL), of(ANOMALY)];
  return {
    ...{ normal: normal.length, falseAlarms: called(normal) },
    ...{ anomalies: anomalies.length, detected: called(anomalies) },
  };
}

/** P(X ≥ k). */
function upperTail(k: number, n: number, p: number): number {
  return k === 0 ? 1 : 1 - binomialLowerTail(k - 1, n, p);
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
    const { gained, lost } = discordant(
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
  const { gained, lost } = discordant(was, is);
  const midP = mcnemarMidP(gained, lost);
  const n = truth.length;
  return {
    name: `keeps ${name}`,
    ok: (lost - gained) / n <= gate.maxRegimeLoss + ROUNDING || midP >= gate.alpha,
    why: `${count(was)} of ${n} windows right before, ${count(is)} after (mid-p ${midP.toPrecision(2)})`,
  };
}

function summary(errors: readonly number[]): Errors {
  const n = Math.max(1, errors.length);
  return {
    meanAbsolute: errors.reduce((sum, e) => sum + e, 0) / n,
    rootMeanSquare: Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / n),
  };
}

const groupOr =
  (answers: Answers) =>
  (said: number): number =>
    said < 0 ? -1 : answers.group(said);

function rightness(truth: readonly number[], said: readonly number[], answers: Answers): boolean[] {
  return truth.map((t, i) => answers.isRight(said[i]!, t));
}

function discordant(
  was: readonly boolean[],
  is: readonly boolean[],
): { gained: number; lost: number } {
  return {
    gained: was.filter((before, i) => !before && is[i]).length,
    lost: was.filter((before, i) => before && !is[i]).length,
  };
}

function count(right: readonly boolean[]): number {
  return right.filter(Boolean).length;
}
