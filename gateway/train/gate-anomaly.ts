import { ANOMALY, NORMAL } from '../answers.ts';
import { binomialLowerTail, fisherWorse, mcnemarMidP } from '../statistics.ts';
import type { Evidence, GateCheck } from './gate-report.ts';
import type { KindInput, OwnChecks, Verdicts } from './kind-report.ts';
import { discordantPairs, MIN_WINDOWS, percent } from './paired.ts';

/** Normal windows that a model of what is normal needs: its directions are as many as its features. */
export const MIN_NORMAL = 20;

/**
 * What a model of what is normal is judged by: right more often, few false alarms, and anomalies seen,
 * made-up ones and those that were labelled.
 *
 * @param gained windows that only the candidate has right
 * @param lost windows that only the champion has right
 */
export function anomalyChecks(
  { task, evidence, taught, probes }: KindInput,
  gained: number,
  lost: number,
): OwnChecks {
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
  const { gained, lost } = discordantPairs(
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
