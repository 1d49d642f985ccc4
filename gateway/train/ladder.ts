import { mcnemarMidP } from '../statistics.ts';
import type { Proven } from './attempt.ts';
import { canTrain } from './dequantise.ts';
import type { GateReport } from './gate-report.ts';
import { inputOf } from './model.ts';
import { newcomersOf } from './new-class.ts';
import { discordant } from './paired.ts';
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
  if (champion === null) return data.fresh.length + data.old.length > 0 ? ['whole'] : [];
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
 * Whether a dearer rung is better than a cheaper one on the windows that judged both, beyond doubt. What
 * was trained on these windows is no better for knowing them.
 *
 * Of many labels the newest judge, but all of them where only the normalisation was re-estimated.
 */
export function outdoes(
  dearer: Pick<Proven, 'evidence' | 'judges'>,
  cheaper: Pick<Proven, 'evidence' | 'judges'>,
): boolean {
  const { kind, truth, candidate } = dearer.evidence;
  if (kind === 'resubstituted' && cheaper.evidence.kind !== 'resubstituted') return false;
  const at = new Map(cheaper.judges.map((label, i) => [label, i]));
  const both = [...dearer.judges.keys()].filter((i) => at.has(dearer.judges[i]!));
  const { gained, lost } = discordant(
    both.map((i) => truth[i]!),
    both.map((i) => cheaper.evidence.candidate[at.get(dearer.judges[i]!)!]!),
    both.map((i) => candidate[i]!),
  );
  return gained > lost && mcnemarMidP(gained, lost) < CLIMB_ALPHA;
}
