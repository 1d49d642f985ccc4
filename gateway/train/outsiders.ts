import { binomialLowerTail } from '../statistics.ts';
import type { Task } from '../task.ts';
import { type LabelAudit, type LabelOrigin, originName } from './label-audit.ts';
import { createPredictor, encodeModel, type QuantModel } from './model.ts';
import { type RungData, type RungOptions, trainRung } from './rungs.ts';

/** What a training is given, as far as its labels are concerned. */
export interface Labelled extends RungOptions {
  task: Task;
  data: RungData;
  origins: readonly LabelOrigin[];
}

/** Labels of an origin below which its disagreement is chance. */
const LEAST = 8;
/** An origin that agrees with the others less often than this is not one of them. */
const HALF = 0.5;

/**
 * Distrusts origins whose labels are mostly not what all others teach. It may be somebody who names
 * classes otherwise, or a wearer who is too different to share a model: that one is served by a head of
 * its own.
 *
 * @param input a shared scope's training, whose labels come from more than one origin
 * @param champion whose frozen layers the heads are trained behind
 * @param audit what earlier labels said
 * @returns the audit with fewer trusted labels; the same where nobody is an outsider
 * @throws GatewayError 'cancelled' when the signal is raised
 * @source leave-one-group-out validation, turned on the group
 */
export async function outsiders(
  input: Labelled,
  champion: QuantModel,
  audit: LabelAudit,
): Promise<LabelAudit> {
  const { task, data, origins, seed, signal } = input;
  const byOrigin = Map.groupBy(audit.trusted, (i) => originName(origins[i] as LabelOrigin));
  if (byOrigin.size < 2) return audit;
  const found = new Set<string>();
  for (const [name, all] of byOrigin) {
    const others = audit.trusted.filter((i) => originName(origins[i] as LabelOrigin) !== name);
    // a class that nobody else has shown says nothing of who did
    const taught = new Set(others.map((i) => data.fresh[i]!.cls));
    const own = all.filter((i) => taught.has(data.fresh[i]!.cls));
    // most labels from one origin, and too few from others to confirm any: that teaches nobody else
    if (others.length < LEAST && all.length > others.length) found.add(name);
    if (own.length < LEAST || others.length < LEAST) continue;
    const fresh = others.map((i) => data.fresh[i]!);
    const options = { seed, ...(signal && { signal }) };
    const { model } = await trainRung('head', task, champion, { ...data, fresh, old: [] }, options);
    const predict = createPredictor(encodeModel(model));
    const right = own.filter((i) => {
      const { window, length, cls } = data.fresh[i]!;
      return predict(window, length).cls === cls;
    }).length;
    if (binomialLowerTail(right, own.length, HALF) < task.gate.alpha) found.add(name);
  }
  // where most are outsiders to one another there is no common ground to be outside of
  if (found.size === 0 || 2 * found.size > byOrigin.size) return audit;
  return {
    ...audit,
    groups: audit.groups.map((group) =>
      found.has(group.name) ? { ...group, distrusted: true } : group,
    ),
    trusted: audit.trusted.filter((i) => !found.has(originName(origins[i] as LabelOrigin))),
  };
}
