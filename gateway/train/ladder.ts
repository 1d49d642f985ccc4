import { mcnemarMidP } from '../statistics.ts';
import { canTrain } from './dequantise.ts';
import type { Evidence, GateReport } from './gate-report.ts';
import { inputOf } from './model.ts';
import { newcomersOf } from './new-class.ts';
import { PRE_OUTPUT } from './quantise.ts';
import type { RetrainInput } from './retrain-input.ts';
import { lastLearned, MIN_RECENT, RUNGS, type Rung } from './rungs.ts';

/** A dearer rung replaces a cheaper one only if it is better beyond this doubt. */
const CLIMB_ALPHA = 0.1;
/** Errors of a champion that a paired test needs before any candidate can win it. */
const LEAST_ERRORS = 5;

/** Rungs that have something to change and something to learn from, cheapest first. */
export function rungsOf({
  champion,
  data,
  task,
}: Pick<RetrainInput, 'champion' | 'data' | 'task'>): Rung[] {
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

/**
 * Whether no dearer rung can do better: the labels are too few, they contradict one another beyond doubt,
 * or the champion has hardly an error.
 */
export function isHopeless({ checks, evidence }: GateReport, minAgreement: number): boolean {
  const { champion, windows, interval } = evidence;
  if (champion === null) return false;
  if (evidence.kind === 'cross-validated' && interval[1] < minAgreement) return true;
  if (champion < 0.5) return false;
  const errors = Math.round((1 - champion) * windows);
  const isFew = checks.some(({ name, ok }) => name === 'labels' && !ok);
  return isFew || errors < LEAST_ERRORS;
}

/**
 * Whether a dearer rung is better than a cheaper one on the same windows, beyond doubt. What was
 * trained on these windows is no better for knowing them.
 */
export function outdoes(dearer: Evidence, cheaper: Evidence): boolean {
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
