import type { Attempt, Proven } from './attempt.ts';
import { attemptByClass } from './attempt-by-class.ts';
import { attemptByKind } from './attempt-by-kind.ts';
import type { GateReport } from './gate-report.ts';
import { auditLabels, type LabelAudit, unchanged } from './label-audit.ts';
import { isHopeless, outdoes, rungsOf } from './ladder.ts';
import { type Missing, missingLabels, worthAsking } from './missing.ts';
import { createEmbedder, type QuantModel } from './model.ts';
import { waiting } from './new-class.ts';
import { outsiders } from './outsiders.ts';
import { pruneToFit } from './prune-to-fit.ts';
import { knownOnly, type RetrainInput, trustedOnly } from './retrain-input.ts';

/**
 * Climbs the update ladder: trains one rung after the other and proves each, until one passes the
 * gate and reaches the task's aim.
 *
 * Where none reaches it, the cheapest that passed stays, unless a dearer one is better in a paired
 * comparison: what travels is the smallest that helps.
 *
 * Before that the new labels are compared with earlier ones; what contradicts them neither teaches nor
 * judges.
 *
 * A whole net that a board has no room for is pruned until it fits, and tried again.
 *
 * A class that the champion has no output for is added as soon as it has labels enough.
 *
 * Where the world of some devices has changed and that of others has not, the others are spared: they have
 * nothing to gain, so they neither judge nor get the release.
 *
 * @returns every attempt in the order tried, the one to release, if any, what became of the labels, which
 *   of them wait for others, the devices that a shared model spares, and what labels may settle a refusal
 * @throws GatewayError 'cancelled' when the signal is raised
 * @throws RangeError if the champion's predictions are not one for each fresh window
 */
export async function retrain(given: RetrainInput): Promise<{
  attempts: Attempt[];
  chosen: Attempt | null;
  audit: LabelAudit | null;
  waits: string | null;
  spared: string[];
  missing: Missing | null;
}> {
  if (given.champion !== null && given.championSaid.length !== given.data.fresh.length) {
    throw new RangeError('every fresh window needs what the champion said of it');
  }
  const isByClass = given.task.kind === 'classification';
  const { champion } = given;
  const known = champion === null || !isByClass ? given : knownOnly(given, champion);
  const waits = waiting(
    given.task,
    known.task.classes.length,
    given.data.fresh.map(({ cls }) => cls),
  );
  const audit = champion === null || !isByClass ? null : await auditOf(known, champion);
  const input = audit === null ? known : trustedOnly(known, audit.trusted);
  const attempts: Attempt[] = [];
  let chosen: Proven | null = null;
  for (const rung of rungsOf(input)) {
    input.onRung?.(rung);
    let attempt = isByClass
      ? await attemptByClass(rung, input, audit)
      : await attemptByKind(rung, input);
    if (attempt === null) continue; // nothing teaches this kind of task yet
    attempts.push(attempt);
    const narrower = isByClass && rung === 'whole' && isTooLarge(attempt.report) && pruned(input);
    if (narrower) {
      attempt = await attemptByClass(rung, narrower, audit);
      attempts.push(attempt);
    }
    if (attempt.report.decision === 'refuse') {
      if (isByClass && isHopeless(attempt.report, input.task.gate.minAgreement)) break;
      continue;
    }
    if (chosen === null || outdoes(attempt, chosen)) chosen = attempt;
    if (attempt.report.reachesAim) break;
  }
  const spared = audit !== null && given.isShared ? unchanged(audit) : [];
  const lacks = attempts.map(({ report }) => missingLabels(report, input.task.gate));
  const asks = chosen === null ? lacks.findLast((some) => some !== null) : null;
  const missing = audit && asks ? { ...asks, devices: worthAsking(audit, known.origins) } : null;
  return { attempts, chosen, audit, waits, spared, missing };
}

/** Whether a board has no room for the candidate. */
function isTooLarge({ checks }: GateReport): boolean {
  return checks.some(({ name, ok }) => !ok && name.startsWith('budget '));
}

/** The same training with the whole net pruned until every board has room; null where none does. */
function pruned(input: RetrainInput): RetrainInput | null {
  const task = pruneToFit(input.task, input.champion !== null, input.budgets);
  return task && { ...input, task };
}

async function auditOf(input: RetrainInput, champion: QuantModel): Promise<LabelAudit> {
  const { data, origins, memory, task, recentByDevice, lately, labelled, isShared } = input;
  const audit = auditLabels({
    ...{
      fresh: data.fresh,
      origins,
      memory,
      recent: recentByDevice,
      lately,
      labelled,
      policy: task.gate,
    },
    embed: createEmbedder(champion, champion.cut),
  });
  return isShared ? outsiders(input, champion, audit) : audit;
}
