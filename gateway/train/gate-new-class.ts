import { binomialLowerTail } from '../statistics.ts';
import { LEAST_OF_NEW } from './new-class.ts';

/** Predictions on the same windows, by class index. */
interface Predictions {
  truth: readonly number[];
  champion: readonly number[];
  candidate: readonly number[];
}

/** What the gate is given, as far as new classes are concerned. */
interface NewClassInput<Kind extends string> {
  classes: readonly string[];
  /** classes that the champion does not know */
  newcomers: readonly number[];
  evidence: Predictions & { kind: Kind; device: readonly string[] };
  /** windows of the classes before */
  regimes: readonly (Predictions & { name: string })[];
  /** significance */
  policy: { alpha: number };
}

/** A new class that is said of no more than this share of its labels is not learnt. */
const HALF = 0.5;
/** Share of an old class from which on the new one is the old one under another name. */
const MOST_TAKEN = 0.1;

/**
 * What a candidate with a new class is judged by, in place of winning against a champion that cannot
 * have been right.
 *
 * The new class by itself: most of its labels are said by what the others teach, and more than guessing
 * gives. All others by what is remembered of them, whether or not the wearer labelled any: labels that
 * give an old gesture a new name take its windows away from it, and that shows there.
 *
 * @param input of the gate, with the classes that the champion does not know
 */
export function newClassChecks(
  input: NewClassInput<string>,
): { name: string; ok: boolean; why: string }[] {
  const { classes, newcomers, evidence, policy } = input;
  const learns = newcomers.map((cls) => {
    const own = evidence.truth.flatMap((t, i) => (t === cls ? [evidence.candidate[i]] : []));
    const right = own.filter((said) => said === cls).length;
    const name = `learns ${classes[cls]}`;
    if (own.length < LEAST_OF_NEW || evidence.kind === 'resubstituted') {
      return {
        name,
        ok: false,
        why: `${own.length} labels of ${classes[cls]} to judge it by: label more`,
      };
    }
    const guessed = binomialLowerTail(own.length - right, own.length, 1 - 1 / classes.length);
    const ok = right > HALF * own.length && guessed < policy.alpha;
    return {
      name,
      ok,
      why: `${right} of ${own.length} labels of ${classes[cls]} are what the others teach`,
    };
  });
  const { truth, champion, candidate } = withRemembered(input);
  const unseen = classes.filter((_, k) => !newcomers.includes(k) && !truth.includes(k));
  const why =
    unseen.length === 0
      ? `judged on ${truth.filter((t) => !newcomers.includes(t)).length} windows of the classes before`
      : `no window shows what becomes of ${unseen.join(', ')}: label some, or import recordings`;
  const takes = classes.flatMap((name, k) => {
    const own = [...truth.keys()].filter((i) => truth[i] === k && champion[i] === k);
    const taken = own.filter((i) => newcomers.includes(candidate[i]!)).length;
    if (taken <= 1 || taken <= MOST_TAKEN * own.length) return [];
    return [
      { name: `class ${name}`, ok: false, why: `a new class takes ${taken} of ${own.length}` },
    ];
  });
  return [...learns, { name: 'old classes', ok: unseen.length === 0, why }, ...takes];
}

/** The evidence together with the windows that are remembered: all classes, the new and the old ones. */
export function withRemembered<Kind extends string>({
  evidence,
  regimes,
}: Pick<NewClassInput<Kind>, 'evidence' | 'regimes'>): NewClassInput<Kind>['evidence'] {
  const all = [evidence, ...regimes];
  return {
    kind: evidence.kind,
    truth: all.flatMap(({ truth }) => truth),
    champion: all.flatMap(({ champion }) => champion),
    candidate: all.flatMap(({ candidate }) => candidate),
    device: [...evidence.device, ...regimes.flatMap(({ name, truth }) => truth.map(() => name))],
  };
}
