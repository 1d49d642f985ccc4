import { binomialLowerTail, mcnemarMidP } from '../statistics.ts';
import type { Evidence, GateCheck, GateInput } from './gate-report.ts';
import { count, discordant, hits, percent } from './paired.ts';

/** Of two or more classes, one with more of the labels than this leaves the others unproven. */
const MOST_OF_ONE = 0.7;
/** Share of the classes that labels of windows that look new have to cover, where the champion fails. */
const LEAST_NEW = 0.3;
/** Significance at which a handful of labels agree: were they surer, they would be many. */
const FEW_ALPHA = 0.1;
/** The same where there is little to lose: see {@link isGuessing}. */
const FEW_ALPHA_GUESSING = 0.25;
/** Share of two classes' labels that are told as each other's by what the others teach: mixed up. */
const MIXED = 0.35;
/** Fewer such labels are chance. */
const LEAST_MIXED = 4;
/** Labels that a class needs so that one can judge what the other teaches. */
export const LEAST_OF_CLASS = 2;
/** Labels a class from which on they are many: they have to teach one another well. */
const MANY_LABELS = 4;
/** Share of windows that look as they did above which a handful of labels proves no failure. */
export const STILL_KNOWN = 0.1;
/** A champion that is right this often works: no two classes of it change places by themselves. */
export const WORKS = 0.6;
/** How much surer the paired test has to be where the champion works. */
const CAUTION = 10;
/** The same where it is an update itself: it was proven here, and to beat it there is little to gain. */
const CAUTION_AGAIN = 50;
/** Significance at which two classes count as exchanged. */
const EXCHANGED_ALPHA = 0.01;
/** Significance at which the other classes outweigh two that may be exchanged by mistake. */
const OUTWEIGHED_ALPHA = 0.25;

/**
 * A first model needs labels of every class, two of each so that one can judge what the other
 * teaches; an update needs half of the classes, or what it costs the others cannot be seen.
 */
export function enoughLabels(input: GateInput): GateCheck {
  const { evidence, classes, taught, taughtNew } = input;
  const name = 'labels';
  if (evidence.champion.length === 0) {
    const few = classes.filter((_, k) => (taught[k] ?? 0) < LEAST_OF_CLASS);
    const why = few.length > 0 ? `fewer than two of ${few.join(', ')}` : 'of every class';
    return { name, ok: few.length === 0, why };
  }
  const covered = classes.filter((_, k) => (taught[k] ?? 0) > 0);
  const most = Math.max(...taught) / taught.reduce((sum, n) => sum + n, 0);
  const why = `of ${covered.join(', ') || 'no class'}`;
  if (covered.length < Math.max(2, classes.length / 2)) {
    return { name, ok: false, why: `only ${why}: label windows of other classes` };
  }
  if (most > MOST_OF_ONE) {
    const one = classes[taught.indexOf(Math.max(...taught))];
    return {
      name,
      ok: false,
      why: `${percent(most)} are of ${one}: label windows of other classes`,
    };
  }
  // what is right already covers no class of a world that is new
  const shown = taughtNew.filter((n) => n > 0).length;
  if (!doesWork(input) && shown < Math.max(2, classes.length * LEAST_NEW)) {
    const news = classes.filter((_, k) => (taughtNew[k] ?? 0) > 0).join(', ') || 'no class';
    return {
      name,
      ok: false,
      why: `windows that look new are labelled only of ${news}: label windows of other classes`,
    };
  }
  return { name, ok: true, why };
}

/** Whether there are so many labels that they have to teach one another well. */
function isMany({ taught, classes }: GateInput): boolean {
  return taught.reduce((sum, n) => sum + n, 0) >= MANY_LABELS * classes.length;
}

/**
 * Labels that contradict one another teach nothing, whatever the champion says of them: a candidate
 * that was trained on the others has to say most of them too.
 */
export function labelsAgree(input: GateInput, accuracy: number): GateCheck[] {
  const { evidence, policy } = input;
  if (evidence.champion.length === 0 || evidence.kind === 'resubstituted') return [];
  const n = evidence.truth.length;
  const right = Math.round(accuracy * n);
  const least = policy.minAgreement;
  const alpha = isMany(input) ? policy.alpha : isGuessing(input) ? FEW_ALPHA_GUESSING : FEW_ALPHA;
  const ok = binomialLowerTail(n - right, n, 1 - least) < alpha;
  return [
    {
      ...{ name: 'labels agree', ok },
      why: `${right} of ${n} labels are what the others teach: ${ok ? '' : 'not '}certainly more than ${percent(least)}`,
    },
    mixedUp(input),
  ];
}

/**
 * Whether a release rests on too few labels to be sure of them, so that those that follow have to show
 * that it is better.
 */
export function isUnproven({ evidence, policy }: GateInput, accuracy: number): boolean {
  if (evidence.champion.length === 0) return false;
  if (evidence.kind === 'resubstituted') return true;
  const n = evidence.truth.length;
  return binomialLowerTail(n - Math.round(accuracy * n), n, 0.5) >= policy.alpha;
}

/** Whether the champion is no better than guessing, on labels of every class. */
function isGuessing({ evidence: { truth, champion }, classes, taught }: GateInput): boolean {
  const isShown = classes.every((_, k) => (taught[k] ?? 0) >= LEAST_OF_CLASS);
  return isShown && hits(truth, champion) * classes.length <= truth.length;
}

/** Whether the champion is right often enough to have time. */
function doesWork({ evidence: { truth, champion } }: GateInput): boolean {
  return hits(truth, champion) >= WORKS * truth.length;
}

/**
 * Significance at which a candidate is better without doubt: few labels are looked at again and again as
 * more come in, and a champion that works has time for more.
 */
export function strictAlpha(input: GateInput): number {
  const { policy, isUpdated } = input;
  if (doesWork(input)) return policy.alpha / (isUpdated ? CAUTION_AGAIN : CAUTION);
  return policy.alpha / (isMany(input) ? 1 : 2);
}

/**
 * Two classes of which the labels of each teach the other: somebody mixes them up, now and then. One such
 * pair is no reason to keep a champion that fails on the other classes, where these outweigh it.
 */
function mixedUp(input: GateInput): GateCheck {
  const { evidence, classes } = input;
  const { truth, candidate } = evidence;
  const name = 'labels mixed up';
  const pairs: Pair[] = [];
  classes.forEach((_, a) => {
    classes.slice(a + 1).forEach((_, offset) => {
      const b = a + 1 + offset;
      const crossed = count(
        candidate,
        (c, i) => (c === a && truth[i] === b) || (c === b && truth[i] === a),
      );
      const both = count(truth, (t) => t === a || t === b);
      if (crossed >= LEAST_MIXED && crossed >= MIXED * both) pairs.push([a, b]);
    });
  });
  const [pair] = pairs;
  if (pair === undefined) return { name, ok: true, why: 'no two classes' };
  const why = `${named(pairs, classes)}: look at their labels`;
  if (pairs.length > 1 || doesWork(input)) return { name, ok: false, why };
  const { ok, sum } = outweighed(evidence, pair);
  return { name, ok, why: `${why}; ${sum}` };
}

type Pair = [number, number];

const named = (pairs: readonly Pair[], classes: readonly string[]): string =>
  pairs.map(([a, b]) => `${classes[a]} and ${classes[b]}`).join(', ');

/**
 * Whether the candidate is better all the same should nothing be true that the labels say of two classes:
 * where the champion calls a window of theirs by either name, it counts as right.
 */
function outweighed({ truth, champion, candidate }: Evidence, pair: Pair) {
  const isOf = (cls: number): boolean => pair.includes(cls);
  const worst = truth.map((cls, i) => (!isOf(cls) ? cls : isOf(champion[i]!) ? champion[i]! : -1));
  const { gained, lost } = discordant(worst, champion, candidate);
  const ok = gained > lost && mcnemarMidP(gained, lost) < OUTWEIGHED_ALPHA;
  return { ok, sum: `should they be wrong, ${lost} windows lost, ${gained} gained` };
}

/**
 * Whether the candidate says what the champion says under other names. A watch on the other hand may
 * mirror two classes, and then its champion fails; where more change places, or two of a champion that
 * works, somebody mixes up the labels.
 *
 * Whether two classes that change places are mirrored or mixed up, no label tells. So the others have to
 * outweigh it, should it be the labels, unless somebody has pinned a window of both.
 */
export function exchangedNames(input: GateInput): GateCheck[] {
  const { recent, classes, evidence, pinned = [] } = input;
  if (evidence.champion.length === 0) return [];
  const { champion, candidate } = recent;
  const n = (was: number, is: number): number =>
    count(candidate, (cls, i) => cls === is && champion[i] === was);
  const pairs: Pair[] = [];
  classes.forEach((_, a) => {
    classes.slice(a + 1).forEach((_, offset) => {
      const b = a + 1 + offset;
      const crossed = n(a, b) + n(b, a);
      const straight = n(a, a) + n(b, b);
      const p = binomialLowerTail(straight, straight + crossed, 0.5);
      if (Math.min(n(a, b), n(b, a)) > 1 && p < EXCHANGED_ALPHA) pairs.push([a, b]);
    });
  });
  const name = 'names';
  const [pair] = pairs;
  if (pair === undefined) return [{ name, ok: true, why: 'no two classes changed places' }];
  const why = `${named(pairs, classes)} changed places: do the labels mix them up?`;
  if (pairs.length > 1 || doesWork(input)) return [{ name, ok: false, why }];
  if (pair.every((cls) => pinned.includes(cls))) return [{ name, ok: true, why }];
  const { ok, sum } = outweighed(evidence, pair);
  return [{ name, ok, why: `${why} ${sum}; pin a window of each` }];
}
