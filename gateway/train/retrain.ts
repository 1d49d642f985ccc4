import { mcnemarMidP } from '../statistics.ts';
import type { Task } from '../task.ts';
import { attemptByKind } from './attempt-by-kind.ts';
import { crossValidate } from './cross-validate.ts';
import { canTrain } from './dequantise.ts';
import { gate } from './gate.ts';
import type { Evidence, GateReport, Regime } from './gate-report.ts';
import { auditLabels, type LabelAudit, type LabelOrigin, unchanged } from './label-audit.ts';
import { type Missing, missingLabels, worthAsking } from './missing.ts';
import {
  createEmbedder,
  createPredictor,
  encodeModel,
  inputOf,
  type ModelParts,
  type QuantModel,
} from './model.ts';
import { classesOf, taughtPart, waiting } from './new-class.ts';
import { outsiders } from './outsiders.ts';
import { pruneToFit } from './prune-to-fit.ts';
import { PRE_OUTPUT } from './quantise.ts';
import {
  type Example,
  lastLearned,
  MIN_RECENT,
  RUNGS,
  type Rung,
  type RungData,
  type Trained,
  trainRung,
  type Window,
} from './rungs.ts';

/** Everything that a training is given. */
export interface RetrainInput {
  task: Task;
  /** what runs now; null for the first model */
  champion: QuantModel | null;
  /** the champion's accuracy when it was released, 0 to 1 */
  championReference: number | null;
  /** the champion has replaced another version */
  isUpdated: boolean;
  data: RungData;
  /**
   * For each fresh window the class that the champion gave before anyone trained on it, and -1
   * where the champion was trained on it: such a window teaches, but does not judge.
   */
  championSaid: readonly number[];
  /** where the label of each fresh window came from: a device, and who said it */
  origins: readonly LabelOrigin[];
  /** labelled windows from before the present regime, of anybody: new labels are compared with them */
  memory: readonly Example[];
  /** the windows of `data.recent` by device */
  recentByDevice: ReadonlyMap<string, readonly Window[]>;
  /** the newest windows, of this regime or before, by device */
  lately: ReadonlyMap<string, readonly Window[]>;
  /** windows since the first new label, labelled or not, by device */
  labelled: ReadonlyMap<string, readonly Window[]>;
  /** earlier regimes that must be kept: windows that are not in `data` */
  regimes: readonly { name: string; examples: readonly Example[] }[];
  /** a personal model has to keep them only while windows look as they did */
  isShared: boolean;
  /** pinned windows that every release must get right */
  mustPass: readonly (Example & { name: string })[];
  /** what a board has for a model, and what this one takes */
  budgets: (parts: ModelParts) => GateReport['budgets'];
  seed: number;
  signal?: AbortSignal;
  /** told before each rung */
  onRung?: (rung: Rung) => void;
}

/** One rung tried: a candidate with its report. */
export interface Attempt {
  rung: Rung;
  model: QuantModel;
  parts: ModelParts;
  report: GateReport;
  trainMs: number;
}

/** Labels from which on the newest are held out of training, in all and of each class. */
const HELD_OUT = { windows: 200, ofClass: 10, share: 0.3 };
/** A dearer rung replaces a cheaper one only if it is better beyond this doubt. */
const CLIMB_ALPHA = 0.1;

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
  let chosen: (Attempt & { evidence: Evidence }) | null = null;
  for (const rung of rungsOf(input)) {
    input.onRung?.(rung);
    let attempt = isByClass
      ? await attemptRung(rung, input, audit)
      : await attemptByKind(rung, input);
    if (attempt === null) continue; // nothing teaches this kind of task yet
    attempts.push(attempt);
    const narrower = isByClass && rung === 'whole' && isTooLarge(attempt.report) && pruned(input);
    if (narrower) {
      attempt = await attemptRung(rung, narrower, audit);
      attempts.push(attempt);
    }
    if (attempt.report.decision === 'refuse') {
      if (isByClass && isHopeless(attempt.report, input.task.gate.minAgreement)) break;
      continue;
    }
    if (chosen === null || outdoes(attempt.evidence, chosen.evidence)) chosen = attempt;
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

/** Errors of a champion that a paired test needs before any candidate can win it. */
const LEAST_ERRORS = 5;

/**
 * Whether no dearer rung can do better: the labels are too few, they contradict one another beyond doubt,
 * or the champion has hardly an error.
 */
function isHopeless({ checks, evidence }: GateReport, minAgreement: number): boolean {
  const { champion, windows, interval } = evidence;
  if (champion === null) return false;
  if (evidence.kind === 'cross-validated' && interval[1] < minAgreement) return true;
  if (champion < 0.5) return false;
  const errors = Math.round((1 - champion) * windows);
  const isFew = checks.some(({ name, ok }) => name === 'labels' && !ok);
  return isFew || errors < LEAST_ERRORS;
}

/**
 * The same training without windows of classes that the champion does not know and nobody has shown
 * often enough. What it says of one that is learnt now is wrong, whenever it was labelled.
 */
function knownOnly(input: RetrainInput, champion: QuantModel): RetrainInput {
  const { data, championSaid, mustPass } = input;
  const labels = data.fresh.map(({ cls }) => cls);
  const task = taughtPart(input.task, champion, labels);
  const count = task.classes.length;
  const before = classesOf(champion);
  if (count === before && count === input.task.classes.length) return input;
  const predict = createPredictor(encodeModel(champion));
  const of = <T extends Example>(all: readonly T[], below: number): T[] =>
    all.filter(({ cls }) => cls < below);
  const said = data.fresh.map(({ cls, window, length }, i) =>
    cls < before ? championSaid[i]! : predict(window, length).cls,
  );
  const known = {
    ...{ ...input, task, championSaid: said },
    data: { ...data, old: of(data.old, count) },
    memory: of(input.memory, count),
    regimes: input.regimes.map(({ name, examples }) => ({ name, examples: of(examples, before) })),
    mustPass: of(mustPass, count),
  };
  return trustedOnly(
    known,
    [...labels.keys()].filter((i) => labels[i]! < count),
  );
}

/** The same training without the labels that are not trusted. */
function trustedOnly(input: RetrainInput, trusted: readonly number[]): RetrainInput {
  const pick = <T>(all: readonly T[]): T[] => trusted.map((i) => all[i]!);
  const { data, championSaid, origins } = input;
  return {
    ...input,
    data: { ...data, fresh: pick(data.fresh) },
    ...{ championSaid: pick(championSaid), origins: pick(origins) },
  };
}

/** Rungs that have something to change and something to learn from. */
function rungsOf({ champion, data, task }: RetrainInput): Rung[] {
  if (champion === null) return ['whole'];
  const labelled = data.fresh.length > 0;
  const normalised = data.recent.length >= MIN_RECENT;
  const grown = champion.layers.length > task.architecture.layers.length;
  const thawable = champion.layers.slice(lastLearned(champion)).every(canTrain);
  // an imported model reads its input in steps of its own: another normalisation is not for it
  const { scale, zero } = inputOf(champion, 0);
  const standard = scale === PRE_OUTPUT.scale && zero === PRE_OUTPUT.zero;
  const isNew = newcomersOf(task, champion).length > 0;
  const guesses = task.training.pseudo && task.kind === 'classification' && normalised;
  return RUNGS.filter((rung) => {
    if (rung === 'pre') return labelled && normalised && standard && !isNew;
    if (rung === 'pseudo') return labelled && guesses;
    return labelled && !(rung === 'layers' && (grown || !thawable));
  });
}

/** Classes that a training adds to those of its champion. */
function newcomersOf({ kind, classes }: Task, champion: QuantModel | null): number[] {
  if (champion === null || kind !== 'classification') return [];
  return [...classes.keys()].slice(classesOf(champion));
}

async function attemptRung(
  rung: Rung,
  input: RetrainInput,
  audit: LabelAudit | null,
): Promise<Attempt & { evidence: Evidence }> {
  const { task, champion, data, seed, signal } = input;
  const newcomers = newcomersOf(task, champion);
  const options = { seed, ...(signal && { signal }) };
  const begun = performance.now();
  const fit = (fresh: readonly Example[], old = data.old): Promise<Trained> =>
    trainRung(rung, task, champion, { ...data, fresh, old }, options);

  const { fresh } = data;
  const split =
    rung === 'pre' ? { learn: [...fresh.keys()], judge: [...fresh.keys()] } : holdOut(fresh, task);
  const final = await fit(split === null ? fresh : split.learn.map((i) => fresh[i]!));
  const trainMs = performance.now() - begun;

  const parts = encodeModel(final.model);
  const predict = createPredictor(parts);
  const said = (example: Example): number => predict(example.window, example.length).cls;
  const alone = champion === null;
  const judging = split?.judge ?? [...fresh.keys()];
  const spared = new Set(audit === null || !input.isShared ? [] : unchanged(audit));
  const judges = judging.filter(
    (i) => alone || (input.championSaid[i]! >= 0 && !spared.has(input.origins[i]?.device ?? '')),
  );
  let kind: Evidence['kind'];
  let unseen: (i: number) => number = (i) => said(fresh[i]!);
  let rehearsed: (Example & { said: number })[] = [];
  if (split !== null) {
    kind = 'held-out';
  } else if (canCrossValidate(fresh, task)) {
    kind = 'cross-validated';
    // with a new class what is rehearsed takes part: does the new one take windows from it?
    const known = [...fresh, ...(newcomers.length > 0 ? data.old : [])];
    const all = await crossValidate(
      known.map(({ cls }) => cls),
      foldsOf(task, fresh.length),
      seed,
      async (indices) => {
        const of = (from: number, to: number): Example[] =>
          indices.filter((i) => i >= from && i < to).map((i) => known[i]!);
        const old = newcomers.length > 0 ? of(fresh.length, known.length) : data.old;
        const { model } = await fit(of(0, fresh.length), old);
        const fold = createPredictor(encodeModel(model));
        return (i) => fold(known[i]!.window, known[i]!.length).cls;
      },
    );
    rehearsed = data.old.flatMap(({ cls, window, length }, j) =>
      newcomers.includes(cls) || newcomers.length === 0
        ? []
        : [{ window, length, cls, said: all[fresh.length + j]! }],
    );
    unseen = (i) => all[i]!;
  } else kind = 'resubstituted';
  const candidate = judges.map(unseen);
  const evidence: Evidence = {
    kind,
    truth: judges.map((i) => fresh[i]!.cls),
    champion: alone ? [] : judges.map((i) => input.championSaid[i]!),
    candidate,
    device: judges.map((i) => input.origins[i]?.device ?? ''),
  };
  const before = alone ? null : createPredictor(encodeModel(champion));
  const grows = newcomers.length > 0;
  // what taught the champion judges nothing, but shows what becomes of the other classes
  const own = grows ? judging.filter((i) => input.championSaid[i]! < 0) : [];
  const isKept = input.isShared || audit?.inForce === true || (grows && own.length === 0);
  const kept = isKept ? input.regimes.map((one) => ({ ...one, isPresent: false })) : [];
  for (const { device, inForce, sure } of audit?.grounds ?? []) {
    // a new gesture may look like an old one from afar: memory judges it, not what is seen now
    if (inForce && !grows && !spared.has(device))
      kept.push({ name: `what ${device} saw before`, examples: sure, isPresent: true });
  }
  const regimes: Regime[] = kept.map(({ name, examples, isPresent }) => ({
    ...{ name, isPresent },
    truth: examples.map(({ cls }) => cls),
    champion: examples.map((e) => (before === null ? -1 : before(e.window, e.length).cls)),
    candidate: examples.map(said),
  }));
  if (rehearsed.length > 0) {
    regimes.push({
      ...{ name: 'what is rehearsed', isPresent: false },
      truth: rehearsed.map(({ cls }) => cls),
      champion: rehearsed.map((e) => before!(e.window, e.length).cls),
      candidate: rehearsed.map(({ said }) => said),
    });
  }
  if (own.length > 0) {
    regimes.push({
      ...{ name: 'labels before', isPresent: false },
      truth: own.map((i) => fresh[i]!.cls),
      champion: own.map((i) => before!(fresh[i]!.window, fresh[i]!.length).cls),
      candidate: own.map(unseen),
    });
  }
  const broken = input.mustPass.filter((e) => said(e) !== e.cls).map(({ name }) => name);
  const report = gate({
    classes: task.classes,
    newcomers,
    taught: countOf(fresh, task),
    taughtNew: countOf(
      fresh.filter((_, i) => audit?.verdicts[audit.trusted[i]!] !== 'supported'),
      task,
    ),
    evidence,
    championReference: input.championReference,
    isUpdated: input.isUpdated,
    regimes: regimes.filter(({ truth }) => truth.length > 0),
    recent: {
      champion: input.data.recent.map((w) =>
        before === null ? -1 : before(w.window, w.length).cls,
      ),
      candidate: input.data.recent.map((w) => predict(w.window, w.length).cls),
    },
    mustPass: { total: input.mustPass.length, broken },
    pinned: input.mustPass.map(({ cls }) => cls),
    quantisation: {
      float: share(fresh, (e) => final.predictFloat(e.window, e.length)),
      int8: share(fresh, said),
    },
    budgets: input.budgets(parts),
    audit,
    policy: task.gate,
  });
  return { rung, model: final.model, parts, report, trainMs, evidence };
}

/** With many labels, the newest of each class judge and the older ones teach; else null. */
function holdOut(
  fresh: readonly Example[],
  task: Task,
): { learn: number[]; judge: number[] } | null {
  const byClass = task.classes.map((_, c) => fresh.flatMap((e, i) => (e.cls === c ? [i] : [])));
  if (fresh.length < HELD_OUT.windows) return null;
  if (byClass.some((of) => of.length > 0 && of.length < HELD_OUT.ofClass)) return null;
  const judge = byClass.flatMap((of) => of.slice(Math.ceil(of.length * (1 - HELD_OUT.share))));
  const judging = new Set(judge);
  return { learn: [...fresh.keys()].filter((i) => !judging.has(i)), judge };
}

/** Labels up to which a fold holds two of them, so that what judges was taught by nearly all. */
const FEW = 30;

function foldsOf({ training }: Task, labels: number): number {
  return labels > FEW ? training.folds : Math.max(training.folds, Math.ceil(labels / 2));
}

/** Of a class with one label, a fold loses all; its window then counts against the candidate. */
const MOST_ALONE = 1 / 3;

function countOf(examples: readonly Example[], task: Task): number[] {
  return task.classes.map((_, c) => examples.filter(({ cls }) => cls === c).length);
}

function canCrossValidate(fresh: readonly Example[], task: Task): boolean {
  const counts = countOf(fresh, task);
  const alone = counts.filter((count) => count === 1).length;
  return fresh.length >= 2 && alone <= fresh.length * MOST_ALONE;
}

/**
 * Whether a dearer rung is better than a cheaper one on the same windows, beyond doubt. What was
 * trained on these windows is no better for knowing them.
 */
function outdoes(dearer: Evidence, cheaper: Evidence): boolean {
  if (dearer.kind === 'resubstituted' && cheaper.kind !== 'resubstituted') return false;
  let gained = 0;
  let lost = 0;
  dearer.truth.forEach((t, i) => {
    const is = dearer.candidate[i] === t;
    const was = cheaper.candidate[i] === t;
    if (is && !was) gained++;
    if (was && !is) lost++;
  });
  return gained > lost && mcnemarMidP(gained, lost) < CLIMB_ALPHA;
}

function share(examples: readonly Example[], said: (example: Example) => number): number {
  if (examples.length === 0) return 1;
  return examples.filter((example) => said(example) === example.cls).length / examples.length;
}
