import { describe, expect, it } from 'vitest';
import { gate } from '../../../gateway/train/gate.ts';
import type { Evidence, GateInput } from '../../../gateway/train/gate-report.ts';
import { failed, input, paired, says, truth } from './gate-support.ts';

describe('gate() and the labels that taught', () => {
  it('wants two of every class for a first model', () => {
    const evidence: Evidence = { ...paired(20, 0, 0, 0), champion: [] };
    const report = gate(input({ evidence, taught: [5, 1] }));
    expect(failed(report)).toEqual(['labels']);
    expect(report.reason).toBe('labels: fewer than two of b');
    expect(gate(input({ evidence, taught: [2, 2] })).decision).toBe('release');
  });

  it('wants two classes for an update: one alone cannot show what it costs the other', () => {
    expect(failed(gate(input({ taught: [12, 0] })))).toEqual(['labels']);
    expect(failed(gate(input({ taught: [12, 1] })))).toEqual(['labels']); // 92 % are of one
    expect(gate(input({ taught: [7, 3] })).decision).toBe('release');
    expect(failed(gate(input({ taught: [8, 3] })))).toEqual(['labels']);
  });
});

describe('gate() and labels of a world that is new', () => {
  it('wants two classes of windows that look new where the champion fails', () => {
    const failing = paired(4, 8, 0, 0);
    const report = gate(input({ evidence: failing, taughtNew: [8, 0] }));
    expect(failed(report)).toEqual(['labels']);
    expect(report.reason).toContain('windows that look new are labelled only of a');
    expect(failed(gate(input({ evidence: failing, taughtNew: [8, 1] })))).toEqual([]);
    // a champion that works is replaced by what is known too
    expect(failed(gate(input({ evidence: paired(14, 8, 0, 0), taughtNew: [8, 0] })))).toEqual([]);
  });
});

describe('gate() and labels that contradict one another', () => {
  const agreeing = (right: number, n: number, changes: Partial<GateInput> = {}, known = 0) =>
    failed(
      gate(
        input({
          evidence: {
            ...{ kind: 'cross-validated', truth: truth(n), champion: says(known, n) },
            ...{ candidate: says(right, n), device: new Array(n).fill('w') },
          },
          ...changes,
        }),
      ),
    );

  it('wants certainly more of many labels than the task says', () => {
    // of 20: P(X >= 15) at 0.6 is 0.126, P(X >= 16) 0.051, P(X >= 17) 0.016
    expect(agreeing(16, 20)).toEqual(['labels agree']);
    expect(agreeing(17, 20)).toEqual([]);
  });

  it('wants most of a few labels, whatever looks new: more can be asked for', () => {
    const audit = { inForce: false, verdicts: [], groups: [], trusted: [] };
    const grounds = [
      { device: 'w', windows: 9, known: 0, knownSince: 0, inForce: false, sure: [] },
    ];
    const isNew = { taught: [4, 3], audit: { ...audit, grounds } };
    for (const few of [{ taught: [4, 3] }, isNew]) {
      // of 12: P(X >= 9) at 0.6 is 0.225, P(X >= 10) 0.083
      expect(agreeing(9, 12, few, 7)).toContain('labels agree');
      expect(agreeing(10, 12, few, 7)).not.toContain('labels agree');
    }
    expect(agreeing(16, 20, { taught: [4, 3] })).toEqual([]);
  });

  it('wants fewer of them where the champion guesses, by labels of every class', () => {
    // of 12: P(X >= 8) at 0.6 is 0.438, P(X >= 9) 0.225; by chance 6 are right of two classes
    expect(agreeing(9, 12, { taught: [4, 3] }, 6)).not.toContain('labels agree');
    expect(agreeing(8, 12, { taught: [4, 3] }, 6)).toContain('labels agree');
    expect(agreeing(9, 12, { taught: [6, 1] }, 6)).toContain('labels agree');
    expect(agreeing(9, 12, { taught: [4, 3] }, 7)).toContain('labels agree');
  });
});

describe('gate() and labels that are mixed up', () => {
  const classes = ['a', 'b', 'c', 'd'];
  const truth = [0, 1, 2, 3].flatMap((c) => new Array(10).fill(c));
  /** So many labels of a class that the others call by another name, and back. */
  const mixed = (said: readonly number[], [a, b]: [number, number], n: number): number[] =>
    said.map((c, i) => (i % 10 >= n ? c : c === a ? b : c === b ? a : c));
  /** The champion knows a, b and so many windows of c and of d. */
  const judged = (candidate: number[], known: number) => {
    const device = truth.map(() => 'w');
    const champion = truth.map((c, i) => (c < 2 || i % 10 < known ? c : 0));
    const evidence: Evidence = { kind: 'cross-validated', truth, champion, candidate, device };
    return failed(gate(input({ classes, taught: [10, 10, 10, 10], evidence })));
  };

  it('refuses two classes of a champion that works of which a third is told as each other', () => {
    expect(judged(mixed(truth, [0, 1], 3), 2)).not.toContain('labels mixed up'); // 6 of 20
    expect(judged(mixed(truth, [0, 1], 4), 1)).not.toContain('labels mixed up'); // 8 of 20; the champion has 22 of 40
    expect(judged(mixed(truth, [0, 1], 4), 2)).toContain('labels mixed up'); // 24 of 40
  });

  it('refuses one pair where the others do not outweigh it, should nothing of it be true', () => {
    // 20 gained, 14 lost (p 0.31); 12 lost (p 0.17)
    expect(judged(mixed(truth, [0, 1], 7), 0)).toContain('labels mixed up');
    expect(judged(mixed(truth, [0, 1], 6), 0)).not.toContain('labels mixed up');
  });

  it('refuses two pairs', () => {
    const both = mixed(mixed(truth, [0, 1], 4), [2, 3], 4);
    expect(judged(both, 0)).toContain('labels mixed up');
  });
});

describe('gate() and names that changed places', () => {
  const classes = ['a', 'b', 'c', 'd'];
  const recent = (pairs: [number, number, number][]) => ({
    champion: pairs.flatMap(([was, , n]) => new Array(n).fill(was)),
    candidate: pairs.flatMap(([, is, n]) => new Array(n).fill(is)),
  });
  const checked = (pairs: [number, number, number][]) =>
    failed(gate(input({ classes, taught: [3, 3, 3, 3], recent: recent(pairs) })));

  it('refuses two pairs', () => {
    expect(
      checked([
        [0, 1, 9],
        [1, 0, 9],
        [2, 3, 9],
        [3, 2, 9],
      ]),
    ).toEqual(['names']);
  });

  it('allows one, as on the other hand, if the others outweigh it or both are pinned', () => {
    /** Five windows of a and b, which the champion calls by each other's names, and so many others. */
    const one = (others: number, changes: Partial<GateInput> = {}) => {
      const of = [5, 5, others, others];
      const truth = of.flatMap((n, cls) => new Array(n).fill(cls));
      const champion = truth.map((cls) => (cls < 2 ? 1 - cls : 0));
      const device = truth.map(() => 'w');
      const evidence: Evidence = {
        ...{ kind: 'cross-validated', truth, champion, candidate: truth, device },
      };
      const places = recent([
        [0, 1, 9],
        [1, 0, 9],
        [2, 2, 9],
        [3, 3, 9],
      ]);
      return failed(gate(input({ classes, taught: of, evidence, recent: places, ...changes })));
    };
    // should a and b be exchanged in the labels, ten windows are lost, and gained: 14 (p 0.42), 20 (0.07)
    expect(one(7)).toEqual(['names']);
    expect(one(10)).toEqual([]);
    expect(one(7, { pinned: [0, 1] })).toEqual([]);
    expect(one(7, { pinned: [0, 2] })).toEqual(['names']);
  });

  it('takes a candidate that merely disagrees for no exchange', () => {
    expect(
      checked([
        [0, 1, 9],
        [1, 0, 1],
        [2, 3, 9],
        [3, 2, 1],
      ]),
    ).toEqual([]);
  });
});
