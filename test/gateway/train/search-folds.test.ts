import { describe, expect, it } from 'vitest';
import type { Example } from '../../../gateway/train/rungs.ts';
import { completePeople, foldsOf } from '../../../gateway/train/search-folds.ts';

/** Windows that are told apart by their length, in the order in which they were recorded. */
const recorded = (first: number, ...classes: number[]): Example[] =>
  classes.map((cls, i) => ({ window: new Int8Array(3), length: first + i, cls }));
const lengths = (examples: readonly Example[]) => examples.map(({ length }) => length);

const ann = recorded(100, 0, 0, 1, 0, 1, 1, 0, 1, 0, 1);
const bob = recorded(200, 1, 0, 1, 0, 1, 0);
const eve = recorded(300, 0, 0, 0);

describe('foldsOf() by people', () => {
  const folds = foldsOf({ eve, bob, ann }, 2, { by: 'people', labelsPerClass: 2 });

  it('makes a stranger of everyone who has every class', () => {
    expect(folds.map(({ name }) => name)).toEqual(['without ann', 'without bob']);
    expect(lengths(folds[0]!.learn).sort()).toEqual(lengths([...bob, ...eve]));
    expect(lengths(folds[1]!.learn).sort()).toEqual(lengths([...ann, ...eve]));
  });

  it('gives the head the first windows of each class, and judges on the later ones', () => {
    expect(lengths(folds[0]!.adapt)).toEqual([100, 101, 102, 104]);
    expect(lengths(folds[0]!.judge)).toEqual([103, 105, 106, 107, 108, 109]);
    const [plain] = foldsOf({ bob, ann }, 2, { by: 'people', labelsPerClass: 0 });
    expect([plain!.adapt.length, plain!.judge.length]).toEqual([0, 10]);
  });

  it.each([
    ['one person', { ann, eve }, 2, /two people with every class/],
    ['as many labels as there are windows', { ann, bob }, 5, /too few recordings/],
  ])('refuses %s', (_, people, labelsPerClass, message) => {
    const call = () => foldsOf(people, 2, { by: 'people', labelsPerClass });
    expect(call).toThrow(message);
    expect(call).toThrow(expect.objectContaining({ code: 'bad-recordings' }));
  });
});

describe('foldsOf() by time', () => {
  it('cuts each class of each person into stretches, and judges every window once', () => {
    const folds = foldsOf({ bob, ann }, 2, { by: 'time', labelsPerClass: 3 });
    expect(folds).toHaveLength(5);
    expect(lengths(folds[0]!.judge)).toEqual([100, 102, 201, 200]);
    const judged = folds.flatMap(({ judge }) => lengths(judge)).sort();
    expect(judged).toEqual(lengths([...ann, ...bob]));
    for (const { learn, judge, adapt } of folds) {
      expect(adapt).toEqual([]);
      expect(lengths(learn).filter((length) => lengths(judge).includes(length))).toEqual([]);
      expect(learn.length + judge.length).toBe(16);
    }
  });

  it('refuses a class that one stretch holds alone', () => {
    const call = () =>
      foldsOf({ ann: recorded(1, 0, 0, 0, 0, 0, 1) }, 2, { by: 'time', labelsPerClass: 0 });
    expect(call).toThrow(/too few recordings to search: stretch 1 of 5/);
  });
});

describe('completePeople()', () => {
  it('names those with every class, sorted', () => {
    expect(completePeople({ eve, bob, ann }, 2)).toEqual(['ann', 'bob']);
  });
});
