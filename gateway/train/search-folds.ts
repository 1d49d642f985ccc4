import { GatewayError } from '../errors.ts';
import type { Example } from './rungs.ts';

/** One question to a candidate: learn from these, adapt to those, be judged on the rest. */
export interface Fold {
  name: string;
  learn: readonly Example[];
  /** first windows of the person who is judged: they teach the head, as in the field; none by time */
  adapt: readonly Example[];
  judge: readonly Example[];
}

/** What the folds are made of. */
export interface FoldOptions {
  /** people: each one in turn is a stranger. time: each stretch of everybody's time in turn */
  by: 'people' | 'time';
  /** labels of each class that a stranger gives first, from 0 on */
  labelsPerClass: number;
}

/** Stretches of time; as many as the gate's cross-validation has folds by default. */
const BLOCKS = 5;

/**
 * Makes folds in which nothing that judges has taught, and nothing near it in time.
 *
 * By people, everyone who has every class is a stranger in turn: the others teach the model, the
 * stranger's first windows the head, the later ones judge. By time, the recordings of each person and
 * class are cut into stretches, in the order in which they were recorded; each in turn judges.
 *
 * @param people recordings in the order of their time
 * @param classes how many there are
 * @throws GatewayError 'bad-recordings' if there are too few people, or windows of a class
 * @source Bergmeir and Benítez 2012, 'On the use of cross-validation for time series predictor
 *   evaluation': blocks instead of random folds
 */
export function foldsOf(
  people: Readonly<Record<string, readonly Example[]>>,
  classes: number,
  { by, labelsPerClass }: FoldOptions,
): Fold[] {
  const folds = by === 'people' ? byPeople(people, classes, labelsPerClass) : byTime(people);
  for (const { name, learn, judge } of folds) {
    const taught = new Set(learn.map(({ cls }) => cls));
    if (taught.size < classes || judge.length === 0) {
      throw new GatewayError('bad-recordings', `too few recordings to search: ${name}`, {
        hint: 'every class needs windows on both sides of every fold; record more, or --validate time',
      });
    }
  }
  return folds;
}

/** Names of those who have recordings of every class, sorted. */
export function completePeople(
  people: Readonly<Record<string, readonly Example[]>>,
  classes: number,
): string[] {
  return Object.keys(people)
    .filter((name) => new Set(people[name]!.map(({ cls }) => cls)).size === classes)
    .sort();
}

function byPeople(
  people: Readonly<Record<string, readonly Example[]>>,
  classes: number,
  labelsPerClass: number,
): Fold[] {
  const names = completePeople(people, classes);
  if (names.length < 2) {
    throw new GatewayError('bad-recordings', 'two people with every class are needed', {
      hint: `there are: ${names.join(', ') || 'none'}; or use --validate time`,
    });
  }
  return names.map((name) => {
    const rank = new Map<number, number>();
    const adapt: Example[] = [];
    const judge: Example[] = [];
    for (const example of people[name]!) {
      const nth = rank.get(example.cls) ?? 0;
      rank.set(example.cls, nth + 1);
      (nth < labelsPerClass ? adapt : judge).push(example);
    }
    const learn = Object.keys(people).filter((other) => other !== name);
    return {
      name: `without ${name}`,
      learn: learn.flatMap((other) => people[other]!),
      adapt,
      judge,
    };
  });
}

function byTime(people: Readonly<Record<string, readonly Example[]>>): Fold[] {
  const stretches = Array.from({ length: BLOCKS }, (): Example[] => []);
  for (const name of Object.keys(people).sort()) {
    const byClass = Map.groupBy(people[name]!, ({ cls }) => cls);
    for (const cls of [...byClass.keys()].sort((a, b) => a - b)) {
      const windows = byClass.get(cls)!;
      windows.forEach((window, i) => {
        stretches[Math.floor((i * BLOCKS) / windows.length)]!.push(window);
      });
    }
  }
  return stretches.map((judge, block) => ({
    name: `stretch ${block + 1} of ${BLOCKS}`,
    learn: stretches.flatMap((other, i) => (i === block ? [] : other)),
    adapt: [],
    judge,
  }));
}
