import type { BoardProfile } from '../board.ts';
import { GatewayError } from '../errors.ts';
import { wilson } from '../statistics.ts';
import type { Task } from '../task.ts';
import { type Cost, costOf, untrained } from './cost.ts';
import { chooseSmallest, paretoOf, rankForHalving } from './frontier.ts';
import { createPredictor, encodeModel, type ModelParts, type QuantModel } from './model.ts';
import { trainRung } from './rungs.ts';
import { type Candidate, candidatesOf } from './search-candidates.ts';
import type { Fold } from './search-folds.ts';
import { heed } from './trainer.ts';

export interface SearchInput {
  /** its own net is among the candidates, and comes through to the last round */
  task: Task;
  board: BoardProfile;
  /** windows recorded before the deployment, see foldsOf() */
  folds: readonly Fold[];
  /** what a board lacks for a model, one phrase each; nothing where it fits */
  lacks: (model: QuantModel, parts: ModelParts, task: Task) => string[];
  /** trainings of each finalist on each fold */
  seeds: number;
  /** the task's own first; default: candidatesOf(task) */
  candidates?: readonly Candidate[];
  signal?: AbortSignal;
  /** 0 to 1, and the candidate that is tried now */
  onProgress?: (done: number, what: string) => void;
}

/** One candidate, as far as it came. */
export interface SearchRow extends Cost {
  name: string;
  features: Task['features'];
  /** bytes of each part */
  parts: { pre: number; backbone: number; head: number };
  fits: boolean;
  /** what the board lacks for it */
  lacks: string[];
  /** share of judged windows that were right, in int8; null where the board cannot hold it */
  accuracy: number | null;
  /** 95 %, over windows */
  interval: [number, number] | null;
  /** share of the training that it got; below 1 it was dropped on the way */
  share: number;
  /** of the finalists: no other is better in accuracy, bytes and multiplications */
  pareto: boolean;
  chosen: boolean;
}

export interface SearchReport {
  task: string;
  board: string;
  folds: string[];
  /** windows that judged each candidate */
  windows: number;
  seeds: number;
  /** the most accurate finalist, and how much below it is still good enough */
  best: string;
  margin: number;
  threshold: number;
  chosen: string;
  reason: string;
  rows: SearchRow[];
  /** what the figures of time and energy come from */
  estimate: string;
  /** the task with the chosen features and net */
  result: Task;
}

/**
 * Rounds of successive halving: which share of the varied windows a candidate is trained on, and
 * which share of the candidates goes on.
 *
 * @source Jamieson and Talwalkar 2016, 'Non-stochastic best arm identification', algorithm 1, η = 2
 */
const ROUNDS = [
  { share: 1 / 4, goOn: 1 / 2 },
  { share: 1 / 2, goOn: 1 / 2 },
  { share: 1, goOn: 1 },
];
/** Fewer finalists show no frontier. */
const LEAST_FINALISTS = 6;

/**
 * Searches for the smallest net that is good enough: features, width, pruning.
 *
 * What does not fit the board is not trained. The rest goes through rounds of successive halving,
 * each with more training; the frontier goes on, and the most accurate. Finalists are
 * trained in full with every seed; of those within one standard error of the best the smallest wins.
 * Everything is measured in int8 by the device's kernel, on windows that taught nothing.
 *
 * @returns the frontier, the winner and why; the same seeds give the same report, bit for bit
 * @throws GatewayError 'not-allowed' if no candidate fits the board, or the task has no classes; 'cancelled' when the signal is raised
 * @throws RangeError unless seeds is a positive integer and there is a fold
 */
export async function searchModels(input: SearchInput): Promise<SearchReport> {
  const { task, board, folds, seeds } = input;
  if (!Number.isInteger(seeds) || seeds < 1) throw new RangeError(`seeds is ${seeds}`);
  if (task.kind !== 'classification') {
    throw new GatewayError(
      'not-allowed',
      `a search needs classes; task '${task.name}' is ${task.kind}`,
      {
        hint: 'choose its net by hand',
      },
    );
  }
  const windows = folds.reduce((sum, { judge }) => sum + judge.length, 0);
  if (windows === 0) throw new RangeError('no window judges');
  const rows = (input.candidates ?? candidatesOf(task)).map((candidate, i) =>
    entered(candidate, i === 0, board, input.lacks),
  );
  const found = await halve(
    rows.filter(({ row }) => row.fits),
    input,
  );
  const points = found.map(({ row }) => ({ ...row, accuracy: row.accuracy! }));
  paretoOf(points).forEach((isPareto, i) => {
    found[i]!.row.pareto = isPareto;
  });
  const choice = chooseSmallest(points, windows, task.gate.minAccuracy);
  const winner = found[choice.index]!;
  const best = found[choice.best]!;
  winner.row.chosen = true;
  return {
    ...{ task: task.name, board: board.name, folds: folds.map(({ name }) => name), windows, seeds },
    ...{ best: best.row.name, margin: choice.margin, threshold: choice.threshold },
    ...{ chosen: winner.row.name, reason: reasonOf(winner.row, best.row, choice.margin, task) },
    rows: rows.map(({ row }) => row),
    estimate: estimateOf(board),
    result: growing(winner, found, task),
  };
}

interface Entry {
  candidate: Candidate;
  row: SearchRow;
  /** the task's own net */
  isOwn: boolean;
}

function entered(
  candidate: Candidate,
  isOwn: boolean,
  board: BoardProfile,
  lacks: SearchInput['lacks'],
): Entry {
  const { task, name } = candidate;
  const model = untrained(task);
  const missing = lacks(model.model, model.parts, task);
  const { pre, backbone, head } = model.parts;
  const row: SearchRow = {
    ...{ name, features: task.features, ...costOf(board, model) },
    parts: { pre: pre.length, backbone: backbone.length, head: head.length },
    ...{ fits: missing.length === 0, lacks: missing, accuracy: null, interval: null },
    ...{ share: 0, pareto: false, chosen: false },
  };
  return { candidate, row, isOwn };
}

/** The rounds; gives the finalists, and notes in each row how far it came. */
async function halve(entries: readonly Entry[], input: SearchInput): Promise<Entry[]> {
  const { folds, seeds, onProgress } = input;
  if (entries.length === 0) {
    throw new GatewayError('not-allowed', `no net fits ${input.board.name}`, {
      hint: 'choose another board, or fewer classes',
    });
  }
  const counts = ROUNDS.map(() => entries.length);
  for (let r = 1; r < counts.length; r++) {
    const left = Math.ceil(counts[r - 1]! * ROUNDS[r - 1]!.goOn);
    counts[r] = Math.min(entries.length, Math.max(left, LEAST_FINALISTS));
  }
  const costs = ROUNDS.map(
    ({ share }, r) => share * counts[r]! * (r === counts.length - 1 ? seeds : 1),
  );
  const all = costs.reduce((a, b) => a + b, 0);
  let done = 0;
  let going = [...entries];
  for (const [r, { share }] of ROUNDS.entries()) {
    const trainings = r === ROUNDS.length - 1 ? seeds : 1;
    for (const { candidate, row } of going) {
      onProgress?.(Math.min(1, done / all), candidate.name);
      const right = await judged(candidate, folds, share, trainings, input.signal);
      const n = folds.reduce((sum, { judge }) => sum + judge.length, 0);
      row.accuracy = right / n;
      row.interval = wilson(Math.round(right), n);
      row.share = share;
      done += share * trainings;
    }
    if (r === ROUNDS.length - 1) break;
    const ranked = rankForHalving(going.map(({ row }) => ({ ...row, accuracy: row.accuracy! })));
    const best = ranked.slice(0, counts[r + 1]).map((i) => going[i]!);
    // what the task has now is compared with what is found, whatever became of it
    going = going.filter((entry) => best.includes(entry) || entry.isOwn);
  }
  return going;
}

/** Windows that a candidate names right, the mean over the seeds. */
async function judged(
  { task }: Candidate,
  folds: readonly Fold[],
  share: number,
  seeds: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { training } = task;
  const perClass = Math.max(1, Math.round(training.augment.perClass * share));
  const lighter = {
    ...task,
    training: { ...training, augment: { ...training.augment, perClass } },
  };
  let right = 0;
  for (const fold of folds) {
    for (let seed = 1; seed <= seeds; seed++) {
      heed(signal, 'the search');
      const model = await learn(lighter, fold, { seed, ...(signal && { signal }) });
      const predict = createPredictor(encodeModel(model));
      for (const { window, length, cls } of fold.judge) {
        if (predict(window, length).cls === cls) right += 1 / seeds;
      }
    }
  }
  return right;
}

/** As in the field: a first model of what is there, then a head of the stranger's first windows. */
async function learn(
  task: Task,
  { learn: fresh, adapt }: Fold,
  options: { seed: number; signal?: AbortSignal },
): Promise<QuantModel> {
  const first = await trainRung('whole', task, null, { fresh, old: [], recent: [] }, options);
  if (adapt.length === 0) return first.model;
  const data = { fresh: adapt, old: [], recent: [] };
  return (await trainRung('head', task, first.model, data, options)).model;
}

/**
 * The winner's task. What it may grow to, when its whole net is retrained, is the most accurate
 * finalist that reads the same features, if that is a larger one.
 */
function growing(winner: Entry, finalists: readonly Entry[], task: Task): Task {
  const { candidate, row } = winner;
  const larger = finalists
    .filter((other) => other.row.features === row.features && other.row.bytes > row.bytes)
    .filter((other) => other.row.accuracy! > row.accuracy!)
    .sort((a, b) => b.row.accuracy! - a.row.accuracy! || a.row.bytes - b.row.bytes)[0];
  const { architecture } = candidate.task;
  const deeper = larger?.candidate.task.architecture.layers;
  return {
    ...task,
    features: row.features,
    architecture: { ...architecture, ...(deeper && { deeper }) },
  };
}

function reasonOf(chosen: SearchRow, best: SearchRow, margin: number, task: Task): string {
  const aim = task.gate.minAccuracy;
  const reached =
    best.accuracy! >= aim
      ? `and at least the task's ${percent(aim)}`
      : `(no net reaches the task's ${percent(aim)})`;
  if (chosen === best) {
    return `the most accurate, ${percent(best.accuracy!)}; nothing smaller is within ${points(margin)} of it ${reached}`;
  }
  return (
    `the smallest within one standard error, ${points(margin)}, of the best ` +
    `(${best.name}, ${percent(best.accuracy!)}, ${best.bytes} bytes) ${reached}`
  );
}

function estimateOf({ energy, sources, name }: BoardProfile): string {
  if (energy === undefined) return `${name} has no figures of time and energy in its profile`;
  return `estimate of the layers alone, from ${sources.energy ?? 'the profile of the board'}`;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const points = (share: number): string => `${(100 * share).toFixed(1)} points`;
