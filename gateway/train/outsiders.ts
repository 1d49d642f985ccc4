import { binomialLowerTail, fisherWorse } from '../statistics.ts';
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
 * its own. Of two that contradict one another both are left out, unless the champion, for all that has
 * changed, agrees with one of them more than with the other beyond doubt.
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
  const settled = new Set(audit.grounds.filter((g) => g.inForce).map(({ device }) => device));
  const found = new Set<string>();
  // most labels from one origin, and too few from others to confirm any: that teaches nobody else
  const byOrigin = Map.groupBy(audit.trusted, (i) => originName(input.origins[i]!));
  for (const [name, own] of byOrigin) {
    const isSettled = settled.has(input.origins[own[0]!]!.device);
    const others = audit.trusted.filter(
      (i) =>
        originName(input.origins[i]!) !== name &&
        settled.has(input.origins[i]!.device) === isSettled,
    );
    if (byOrigin.size > 1 && others.length < LEAST && 2 * own.length > audit.trusted.length)
      found.add(name);
  }
  // whose world has changed is no outsider to those whose world has not: they are compared apart
  const open = new Set<string>();
  for (const isSettled of [true, false]) {
    const which = audit.trusted.filter((i) => settled.has(input.origins[i]!.device) === isSettled);
    const { names, isOpen } = await apart(input, champion, which);
    for (const name of names) {
      found.add(name);
      if (isOpen) open.add(name);
    }
  }
  if (found.size === 0) return audit;
  return {
    ...audit,
    groups: audit.groups.map((group) =>
      found.has(group.name)
        ? { ...group, distrusted: true, ...(open.has(group.name) && { isOpen: true }) }
        : group,
    ),
    trusted: audit.trusted.filter((i) => !found.has(originName(input.origins[i]!))),
  };
}

/** Origins of these labels whose labels are not what the others teach; open where more labels may tell who. */
async function apart(
  { task, data, origins, seed, signal }: Labelled,
  champion: QuantModel,
  which: readonly number[],
): Promise<{ names: string[]; isOpen: boolean }> {
  const found: string[] = [];
  const byOrigin = Map.groupBy(which, (i) => originName(origins[i]!));
  if (byOrigin.size < 2) return { names: [], isOpen: false };
  for (const [name, all] of byOrigin) {
    const others = which.filter((i) => originName(origins[i]!) !== name);
    // a class that nobody else has shown says nothing of who did
    const taught = new Set(others.map((i) => data.fresh[i]!.cls));
    const own = all.filter((i) => taught.has(data.fresh[i]!.cls));
    if (own.length < LEAST || others.length < LEAST) continue;
    const fresh = others.map((i) => data.fresh[i]!);
    const options = { seed, ...(signal && { signal }) };
    const { model } = await trainRung('head', task, champion, { ...data, fresh, old: [] }, options);
    const predict = createPredictor(encodeModel(model));
    const right = own.filter((i) => {
      const { window, length, cls } = data.fresh[i]!;
      return predict(window, length).cls === cls;
    }).length;
    if (binomialLowerTail(right, own.length, HALF) < task.gate.alpha) found.push(name);
  }
  // where most of many are outsiders to one another there is no common ground to be outside of
  const isCommon = byOrigin.size === 2 || 2 * found.length <= byOrigin.size;
  if (byOrigin.size > 2 || found.length < 2) return { names: isCommon ? found : [], isOpen: false };
  // of two that contradict one another, it is the one whom the champion contradicts more, beyond doubt
  const before = createPredictor(encodeModel(champion));
  const [a, b] = [...byOrigin.values()].map((own) => ({
    n: own.length,
    right: own.filter((i) => {
      const { window, length, cls } = data.fresh[i]!;
      return before(window, length).cls === cls;
    }).length,
  })) as [Agreement, Agreement];
  const isWorse = (one: Agreement, other: Agreement): boolean =>
    fisherWorse(one.right, one.n, other.right, other.n) < task.gate.alpha;
  const [first, second] = [...byOrigin.keys()] as [string, string];
  if (isWorse(a, b)) return { names: [first], isOpen: false };
  return isWorse(b, a) ? { names: [second], isOpen: false } : { names: found, isOpen: true };
}

/** How often the champion says what an origin's labels say. */
interface Agreement {
  n: number;
  right: number;
}
