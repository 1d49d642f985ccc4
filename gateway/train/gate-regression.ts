import { type Answers, stepSize } from '../answers.ts';
import type { GateCheck } from './gate-report.ts';
import type { Errors, KindInput, OwnChecks } from './kind-report.ts';
import { percent } from './paired.ts';
import { signedRank } from './signed-rank.ts';

/** Parts of a target's range that labels have to reach for a first model, and for an update. */
const PARTS_REACHED = { first: 3, update: 2 };

/**
 * What a regression is judged by: smaller errors than its champion's on the same windows, and labels from
 * several parts of the range.
 *
 * @param share of the windows within the task's tolerance
 */
export function regressionChecks(
  { task, evidence, taught }: KindInput,
  answers: Answers,
  share: number,
): OwnChecks {
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

function summary(errors: readonly number[]): Errors {
  const n = Math.max(1, errors.length);
  return {
    meanAbsolute: errors.reduce((sum, e) => sum + e, 0) / n,
    rootMeanSquare: Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / n),
  };
}
