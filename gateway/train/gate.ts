import { binomialLowerTail, mcnemarMidP, wilson } from '../statistics.ts';
import {
  enoughLabels,
  exchangedNames,
  isUnproven,
  labelsAgree,
  STILL_KNOWN,
  strictAlpha,
} from './gate-labels.ts';
import { newClassChecks, withRemembered } from './gate-new-class.ts';
import { proofChecks, ROUNDING } from './gate-proof.ts';
import type { GateCheck, GateInput, GateReport, Regime } from './gate-report.ts';
import type { LabelAudit } from './label-audit.ts';
import { confusionMatrix, recallByClass } from './metrics.ts';
import { count, discordant, hits, MIN_WINDOWS, percent } from './paired.ts';

/**
 * Decides whether a candidate may leave the trainer.
 *
 * With a champion, the candidate must win the paired comparison on the same windows (McNemar,
 * mid-p, two-sided). Where labels are too few to keep any from the candidate, it is released on
 * trial only, and only if the champion's failure on them is certain (binomial, against the
 * accuracy with which it was released). A class that the champion does not know has to be learnt
 * instead, and the report then counts what is remembered of the others too. Whatever decides, no
 * pinned window, class, earlier regime or board budget may be lost.
 *
 * @param input predictions as class indices, all by the device's own int8 kernel
 * @returns the report; `decision` is 'provisional' when it rests on cross-validation or on trial
 * @throws RangeError if predictions and truth differ in length, or a regime has no window
 * @source Fagerland, Lydersen and Laake 2013, 'The McNemar test for binary matched-pairs data' (mid-p)
 */
export function gate(input: GateInput): GateReport {
  const { policy, classes, newcomers = [] } = input;
  const { champion, candidate, device } = input.evidence;
  const given = input.evidence.truth.length;
  const first = champion.length === 0;
  if (
    candidate.length !== given ||
    device.length !== given ||
    !(first || champion.length === given)
  ) {
    throw new RangeError('every labelled window needs its device and one prediction of each model');
  }
  for (const { name, truth, champion, candidate } of input.regimes) {
    if (truth.length > 0 && champion.length === truth.length && candidate.length === truth.length)
      continue;
    throw new RangeError(`regime '${name}' needs windows, with one prediction of each model`);
  }
  const grows = !first && newcomers.length > 0;
  const whole = grows ? { ...input, evidence: withRemembered(input) } : input;
  const { evidence } = whole;
  const n = evidence.truth.length;
  const right = hits(evidence.truth, evidence.candidate);
  const before = first ? null : hits(evidence.truth, evidence.champion);
  const { gained, lost } = discordant(evidence.truth, evidence.champion, evidence.candidate);
  const accuracy = n === 0 ? 0 : right / n;
  const midP = first ? null : mcnemarMidP(gained, lost);
  const checks: GateCheck[] = [
    ...(grows
      ? newClassChecks({ ...input, newcomers })
      : [
          better(input, { n, accuracy, before, gained, lost, midP }),
          enoughLabels(input),
          ...labelsAgree(input, accuracy),
        ]),
    ...exchangedNames(input),
    ...lossByClass(whole),
    ...lossByDevice(input),
    ...input.regimes.map((regime) => keepsRegime(regime, input)),
    ...proofChecks(input),
  ];
  const failed = checks.filter((check) => !check.ok);
  const byClass = recalls(whole);
  const measured = byClass.filter((row) => row.candidate !== null);
  return {
    decision:
      failed.length > 0 ? 'refuse' : evidence.kind === 'held-out' ? 'release' : 'provisional',
    reason:
      failed.length > 0 ? failed.map((c) => `${c.name}: ${c.why}`).join('; ') : checks[0]!.why,
    reachesAim: accuracy >= policy.minAccuracy,
    unproven: isUnproven(input, accuracy),
    evidence: {
      kind: evidence.kind,
      windows: n,
      champion: before === null || n === 0 ? null : before / n,
      candidate: accuracy,
      interval: n === 0 ? [0, 1] : wilson(right, n),
      gained,
      lost,
      midP,
    },
    classes: byClass,
    worstClass:
      measured.sort((a, b) => (a.candidate as number) - (b.candidate as number))[0]?.name ?? null,
    confusion: {
      champion: first ? null : confusionMatrix(evidence.truth, evidence.champion, classes.length),
      candidate: confusionMatrix(evidence.truth, evidence.candidate, classes.length),
    },
    regimes: input.regimes.map((r) => ({
      name: r.name,
      windows: r.truth.length,
      champion: hits(r.truth, r.champion) / r.truth.length,
      candidate: hits(r.truth, r.candidate) / r.truth.length,
    })),
    mustPass: input.mustPass,
    quantisation: input.quantisation,
    budgets: input.budgets,
    labels: labelsOf(input.audit),
    checks,
  };
}

function labelsOf(audit: LabelAudit | null): GateReport['labels'] {
  if (audit === null) return null;
  const { groups, verdicts, trusted } = audit;
  const grounds = audit.grounds.map(({ device, windows, known, knownSince, inForce }) => ({
    ...{ device, windows, known, knownSince, inForce },
  }));
  return { given: verdicts.length, trusted: trusted.length, grounds, groups };
}

interface Comparison {
  n: number;
  accuracy: number;
  before: number | null;
  gained: number;
  lost: number;
  midP: number | null;
}

function better(input: GateInput, c: Comparison): GateCheck {
  const { evidence, policy, championReference } = input;
  const name = 'better';
  if (c.n === 0) return { name, ok: false, why: 'no labelled window to judge by' };
  if (c.before === null || c.midP === null) {
    const ok = c.accuracy >= policy.minAccuracy;
    return {
      name,
      ok,
      why: `first model: ${percent(c.accuracy)} of ${c.n} windows right, aim ${percent(policy.minAccuracy)}`,
    };
  }
  const counts = `champion ${c.before} of ${c.n} right`;
  if (evidence.kind !== 'resubstituted') {
    const ok = c.midP < strictAlpha(input) && c.gained > c.lost;
    const why = `${counts}, candidate ${Math.round(c.accuracy * c.n)} (${evidence.kind}; ${c.gained} gained, ${c.lost} lost, mid-p ${c.midP.toPrecision(2)})`;
    return { name, ok, why };
  }
  if (input.audit?.grounds.some(({ knownSince }) => knownSince > STILL_KNOWN)) {
    return {
      name,
      ok: false,
      why: 'too few labels where some windows look as they did: label more',
    };
  }
  if (c.before > c.n / 3) {
    return { name, ok: false, why: `too few labels, and ${counts}: label more` };
  }
  if (input.taught.some((n) => n === 0)) {
    return { name, ok: false, why: 'too few labels: label a window of every class, or more' };
  }
  const p = binomialLowerTail(c.before, c.n, championReference ?? policy.minAccuracy);
  return {
    name,
    ok: p < policy.alpha && c.gained > c.lost,
    why: `${counts} where its release promised ${percent(championReference ?? policy.minAccuracy)} (p ${p.toPrecision(2)}); too few labels to test the candidate, so it goes on trial`,
  };
}

/** What a shared model wins on one device must not be lost on another. */
function lossByDevice({ evidence, policy }: GateInput): GateCheck[] {
  const devices = [...new Set(evidence.device)];
  if (evidence.champion.length === 0 || devices.length < 2) return [];
  return devices.map((device) => {
    const here = evidence.truth.flatMap((_, i) => (evidence.device[i] === device ? [i] : []));
    const of = (all: readonly number[]): number[] => here.map((i) => all[i]!);
    const { gained, lost } = discordant(
      of(evidence.truth),
      of(evidence.champion),
      of(evidence.candidate),
    );
    const midP = mcnemarMidP(gained, lost);
    return {
      name: `keeps ${device}`,
      ok: lost <= gained || midP >= policy.alphaLoss,
      why: `${lost} of ${here.length} windows lost, ${gained} gained (mid-p ${midP.toPrecision(2)})`,
    };
  });
}

/**
 * A regime may lose accuracy by chance: only a loss that is large and certain decides. Its champion
 * was trained on some of these windows, so that it cannot claim more than its release promised.
 */
function keepsRegime(regime: Regime, { championReference, policy }: GateInput): GateCheck {
  const { truth, champion, candidate, isPresent } = regime;
  const most = isPresent ? policy.maxPresentLoss : policy.maxRegimeLoss;
  const alpha = isPresent ? policy.alphaLoss : policy.alpha;
  const n = truth.length;
  const before = Math.min(hits(truth, champion) / n, championReference ?? 1);
  const after = hits(truth, candidate) / n;
  const { gained, lost } = discordant(truth, champion, candidate);
  const midP = mcnemarMidP(gained, lost);
  return {
    name: `keeps ${regime.name}`,
    ok: before - after <= most + ROUNDING || midP >= alpha,
    why: `${percent(before)} before, ${percent(after)} after, on ${n} windows (mid-p ${midP.toPrecision(2)})`,
  };
}

/**
 * A class may lose recall by chance: only a loss that is large and certain decides. Nor does that of a
 * class that the champion called everything it did not know: it is told better than before (F1).
 */
function lossByClass({ evidence, classes, policy }: GateInput): GateCheck[] {
  if (evidence.champion.length === 0) return [];
  const checks: GateCheck[] = [];
  const { truth } = evidence;
  const f1 = (said: readonly number[], k: number): number =>
    (2 * count(said, (c, i) => c === k && truth[i] === k)) /
    Math.max(1, count(said, (c) => c === k) + count(truth, (t) => t === k));
  classes.forEach((name, k) => {
    if (f1(evidence.candidate, k) >= f1(evidence.champion, k)) return;
    const here = evidence.truth.flatMap((t, i) => (t === k ? [i] : []));
    if (here.length < MIN_WINDOWS) return;
    const of = (all: readonly number[]): number[] => here.map((i) => all[i]!);
    const { gained, lost } = discordant(
      of(evidence.truth),
      of(evidence.champion),
      of(evidence.candidate),
    );
    if ((lost - gained) / here.length <= policy.maxClassLoss) return;
    const midP = mcnemarMidP(gained, lost);
    if (midP >= policy.alpha) return;
    checks.push({
      name: `class ${name}`,
      ok: false,
      why: `${lost} of ${here.length} windows lost, ${gained} gained (mid-p ${midP.toPrecision(2)})`,
    });
  });
  return checks;
}

function recalls({ evidence, classes }: GateInput): GateReport['classes'] {
  const after = recallByClass(confusionMatrix(evidence.truth, evidence.candidate, classes.length));
  const before =
    evidence.champion.length === 0
      ? null
      : recallByClass(confusionMatrix(evidence.truth, evidence.champion, classes.length));
  return classes.map((name, k) => ({
    name,
    windows: evidence.truth.filter((t) => t === k).length,
    champion: before?.[k] ?? null,
    candidate: after[k] ?? null,
  }));
}
