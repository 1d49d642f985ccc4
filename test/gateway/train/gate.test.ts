import { describe, expect, it } from 'vitest';
import { gate } from '../../../gateway/train/gate.ts';
import type { Evidence, GateInput } from '../../../gateway/train/gate-report.ts';

const policy = {
  ...{ minAccuracy: 0.9, alpha: 0.05, alphaLoss: 0.2, minAgreement: 0.6, maxWrongLabels: 0.25 },
  ...{ maxClassLoss: 0.25, maxRegimeLoss: 0.03, maxPresentLoss: 0.01 },
};

/** So many windows of class 0, the first `right` of them named 0 and the others 1. */
const says = (right: number, n: number): number[] =>
  Array.from({ length: n }, (_, i) => (i < right ? 0 : 1));
const truth = (n: number): number[] => new Array(n).fill(0);

/** Windows of class 0 that both have right, only the candidate, only the champion, none. */
function paired(both: number, gained: number, lost: number, neither: number): Evidence {
  const each = [both, gained, lost, neither];
  const spread = (cls: number[]): number[] => each.flatMap((n, i) => new Array(n).fill(cls[i]));
  return {
    kind: 'held-out',
    truth: truth(both + gained + lost + neither),
    champion: spread([0, 1, 0, 1]),
    candidate: spread([0, 0, 1, 1]),
    device: new Array(both + gained + lost + neither).fill('w'),
  };
}

function input(changes: Partial<GateInput> = {}): GateInput {
  return {
    classes: ['a', 'b'],
    taught: [4, 4],
    taughtNew: [4, 4],
    evidence: paired(10, 8, 0, 0),
    championReference: 0.95,
    isUpdated: false,
    regimes: [],
    mustPass: { total: 0, broken: [] },
    quantisation: { float: 1, int8: 1 },
    budgets: [],
    recent: { champion: [], candidate: [] },
    audit: null,
    policy,
    ...changes,
  };
}

const failed = (report: ReturnType<typeof gate>): string[] =>
  report.checks.filter(({ ok }) => !ok).map(({ name }) => name);

describe('gate() of a first model', () => {
  const first = (right: number, n: number, kind: Evidence['kind'] = 'held-out') =>
    gate(
      input({
        evidence: {
          ...{ kind, truth: truth(n), champion: [], candidate: says(right, n) },
          device: new Array(n).fill('w'),
        },
      }),
    );

  it('releases at the aim of the task and refuses one window below it', () => {
    expect(first(18, 20).decision).toBe('release');
    expect(first(17, 20).decision).toBe('refuse');
    expect(first(17, 20).reason).toBe(
      'better: first model: 85.0 % of 20 windows right, aim 90.0 %',
    );
  });

  it('releases provisionally on any evidence but windows held out', () => {
    expect(first(20, 20, 'cross-validated').decision).toBe('provisional');
    expect(first(20, 20, 'resubstituted').decision).toBe('provisional');
  });

  it('reports no champion, no pairs and the interval of Wilson', () => {
    const { evidence, confusion, classes, worstClass, reachesAim } = first(9, 10);
    expect(evidence).toMatchObject({ champion: null, candidate: 0.9, midP: null, windows: 10 });
    expect(evidence.interval.map((x) => x.toFixed(4))).toEqual(['0.5958', '0.9821']);
    expect(confusion).toEqual({
      champion: null,
      candidate: [
        [9, 1, 0],
        [0, 0, 0],
      ],
    });
    expect(classes[1]).toEqual({ name: 'b', windows: 0, champion: null, candidate: null });
    expect([worstClass, reachesAim]).toEqual(['a', true]);
  });
});

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

describe('gate() of a candidate against the champion', () => {
  it.each([
    [5, 0, 0.03125, 'release'],
    [4, 0, 0.0625, 'refuse'],
    [7, 1, 0.0390625, 'release'],
    [6, 1, 0.0703125, 'refuse'],
    [0, 8, 0.00390625, 'refuse'],
    [0, 0, 1, 'refuse'],
  ])('with %i gained and %i lost has mid-p %d: %s', (gained, lost, midP, decision) => {
    // a tenth of the usual significance, since this champion works
    const loose = { ...policy, alpha: 0.5 };
    const report = gate(input({ evidence: paired(60, gained, lost, 3), policy: loose }));
    expect(report.evidence).toMatchObject({ gained, lost, midP });
    expect(report.decision).toBe(decision);
    expect(report.evidence.champion).toBe((60 + lost) / (63 + gained + lost));
  });

  it('wants ten times as much of one that would replace a champion that works', () => {
    const of = (both: number, neither: number) =>
      gate(input({ evidence: paired(both, 7, 0, neither) })).decision; // mid-p 0.0078
    expect(of(13, 4)).toBe('release'); // 13 of 24 right before
    expect(of(15, 2)).toBe('refuse'); // 15 of 24
    const again = (gained: number, isUpdated: boolean) =>
      gate(input({ evidence: paired(20, gained, 0, 0), isUpdated })).decision;
    expect([8, 9, 10].map((gained) => again(gained, false))).toEqual(new Array(3).fill('release'));
    // mid-p 0.0039, 0.0020, 0.00098: fifty times as much where it is an update itself
    expect([8, 9, 10].map((gained) => again(gained, true))).toEqual([
      ...['refuse', 'refuse', 'release'],
    ]);
  });

  it('releases one that wins below the aim, and says that it does not reach it', () => {
    const report = gate(input({ evidence: paired(13, 12, 0, 5) }));
    expect([report.decision, report.reachesAim]).toEqual(['release', false]);
  });

  it('names the evidence in its reason', () => {
    const evidence: Evidence = { ...paired(1, 10, 0, 1), kind: 'cross-validated' };
    const { decision, reason } = gate(input({ evidence }));
    expect(decision).toBe('provisional');
    expect(reason).toBe(
      'champion 1 of 12 right, candidate 11 (cross-validated; 10 gained, 0 lost, mid-p 0.00098)',
    );
  });
});

describe('gate() of a candidate that was trained on its evidence', () => {
  const few = (
    right: number,
    reference: number | null,
    candidateRight = 6,
    changes: Partial<GateInput> = {},
  ) =>
    gate(
      input({
        ...changes,
        championReference: reference,
        evidence: {
          kind: 'resubstituted',
          truth: truth(6),
          champion: says(right, 6),
          candidate: says(candidateRight, 6),
          device: new Array(6).fill('w'),
        },
      }),
    );

  it('goes on trial when the champion broke its promise for certain', () => {
    // P(X <= 2 of 6) at 0.9 is 0.00127; at 0.5 it is 0.34375
    expect(few(2, 0.9).decision).toBe('provisional');
    expect(few(2, 0.9).checks[0]!.why).toContain('(p 0.0013)');
    expect(few(2, 0.5).decision).toBe('refuse');
    expect(few(2, null).decision).toBe('provisional');
  });

  it('asks for more labels where the champion is right in more than a third of them', () => {
    expect(few(3, 0.99).decision).toBe('refuse');
    expect(few(3, 0.99).reason).toContain('too few labels, and champion 3 of 6 right');
  });

  it('asks for more labels where a class has none, or windows look as they did', () => {
    expect(few(0, 0.9, 6, { taught: [4, 0] }).reason).toContain('label a window of every class');
    const ground = { device: 'w', windows: 50, inForce: false, sure: [] };
    const audit = (known: number) => ({
      ...{ inForce: false, verdicts: [], groups: [], trusted: [] },
      grounds: [{ ...ground, known, knownSince: known }],
    });
    expect(few(0, 0.9, 6, { audit: audit(0.1) }).decision).toBe('provisional');
    expect(few(0, 0.9, 6, { audit: audit(0.11) }).reason).toContain(
      'some windows look as they did',
    );
  });

  it('is refused if it gains nothing, however bad the champion is', () => {
    expect(few(0, 0.9, 0).decision).toBe('refuse');
    expect(few(2, 0.9, 2).decision).toBe('refuse');
  });
});

describe('gate() and what may not be lost', () => {
  /** `a` gains 20 windows of 20; of the n windows of `b` the candidate loses so many. */
  const losing = (lost: number, n: number, alpha = 0.05) =>
    gate(
      input({
        policy: { ...policy, alpha },
        evidence: {
          kind: 'held-out',
          truth: [...truth(20), ...new Array(n).fill(1)],
          champion: [...new Array(20).fill(-1), ...new Array(n).fill(1)],
          candidate: [...truth(20), ...Array.from({ length: n }, (_, i) => (i < lost ? 0 : 1))],
          device: new Array(20 + n).fill('w'),
        },
      }),
    );

  it('refuses a class that loses much and for certain', () => {
    expect(failed(losing(5, 10))).toEqual(['class b']);
    expect(losing(5, 10).reason).toBe('class b: 5 of 10 windows lost, 0 gained (mid-p 0.031)');
  });

  it('lets a class lose what chance could be, or what the task allows', () => {
    expect(failed(losing(4, 10))).toEqual([]); // mid-p 0.0625
    expect(failed(losing(5, 20))).toEqual([]); // a quarter
    expect(failed(losing(6, 20))).toEqual(['class b']);
  });

  it('lets a class lose windows that the champion had for calling everything by its name', () => {
    const evidence = (others: number): Evidence => ({
      kind: 'held-out',
      truth: [...truth(20), ...new Array(10).fill(1)],
      champion: [...new Array(20).fill(others), ...new Array(10).fill(1)],
      candidate: [...truth(20), ...Array.from({ length: 10 }, (_, i) => (i < 6 ? 0 : 1))],
      device: new Array(30).fill('w'),
    });
    // F1 of b: before 2*10/(30+10) = 0.5, now 2*4/(4+10) = 0.571
    expect(failed(gate(input({ evidence: evidence(1) })))).toEqual([]);
    expect(failed(gate(input({ evidence: evidence(-1) })))).toEqual(['class b']);
  });

  it('decides nothing on a class of fewer than five windows', () => {
    expect(failed(losing(4, 4, 0.2))).toEqual([]);
    expect(failed(losing(4, 5, 0.2))).toEqual(['class b']);
  });

  const regime = (before: number, after: number, n = 100) => ({
    ...{ name: 'ann', truth: truth(n), champion: says(before, n), candidate: says(after, n) },
    isPresent: false,
  });

  it('keeps earlier regimes within what the task allows, to the window, and what chance could be', () => {
    for (const [before, after, kept] of [
      [90, 87, true],
      [90, 86, true], // mid-p 0.0625
      [90, 85, false], // mid-p 0.03125
      [58, 55, true],
      [60, 95, true],
    ] as const) {
      const report = gate(input({ regimes: [regime(before, after)] }));
      expect(report.decision, `${before} → ${after}`).toBe(kept ? 'release' : 'refuse');
      expect(failed(report)).toEqual(kept ? [] : ['keeps ann']);
      expect(report.regimes).toEqual([
        { name: 'ann', windows: 100, champion: before / 100, candidate: after / 100 },
      ]);
    }
  });

  it('is stricter where a device still lives in the regime', () => {
    const present = (after: number) =>
      gate(input({ regimes: [{ ...regime(90, after), isPresent: true }] }));
    expect(present(89).decision).toBe('release');
    expect(present(88).decision).toBe('release'); // mid-p 0.25, and 0.2 is the limit here
    expect(failed(present(87))).toEqual(['keeps ann']); // mid-p 0.125
  });

  it('lets a champion claim no more of what it was trained on than its release promised', () => {
    const many = (after: number) =>
      gate(input({ championReference: 0.95, regimes: [regime(1000, after, 1000)] }));
    expect(many(920).decision).toBe('release'); // 3 % below 95 %
    expect(failed(many(919))).toEqual(['keeps ann']);
  });

  it('refuses one that breaks a single pinned window', () => {
    const broken = gate(input({ mustPass: { total: 4, broken: ['fall 3'] } }));
    expect(failed(broken)).toEqual(['must-pass']);
    expect(broken.reason).toBe('must-pass: 3 of 4 pinned windows right');
  });

  it('refuses one that int8 costs more than three points, to the point', () => {
    const gap = (float: number, int8: number) => gate(input({ quantisation: { float, int8 } }));
    expect(gap(0.9, 0.87).decision).toBe('release');
    expect(failed(gap(0.9, 0.869))).toEqual(['int8']);
    expect(gap(0.8, 0.9).decision).toBe('release');
  });

  it('refuses one that is a byte too large for one of the boards', () => {
    const at = (bytes: number) =>
      gate(
        input({
          budgets: [
            { board: 'large', bytes, limit: 9000 },
            { board: 'small', bytes, limit: 2048 },
          ],
        }),
      );
    expect(at(2048).decision).toBe('release');
    expect(failed(at(2049))).toEqual(['budget small']);
  });

  it('gives every failed check as a reason', () => {
    const { reason } = gate(
      input({
        evidence: paired(10, 1, 0, 0),
        quantisation: { float: 1, int8: 0.5 },
        mustPass: { total: 1, broken: ['x'] },
      }),
    );
    expect(reason.split('; ').length).toBeGreaterThanOrEqual(3);
    expect(reason).toMatch(/better: .*must-pass: .*int8: float 100\.0 %, int8 50\.0 %$/);
  });
});

describe('gate() and labels that contradict one another', () => {
  const agreeing = (right: number, n: number, changes: Partial<GateInput> = {}) =>
    failed(
      gate(
        input({
          evidence: {
            ...{ kind: 'cross-validated', truth: truth(n), champion: says(0, n) },
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
      expect(agreeing(9, 12, few)).toEqual(['labels agree']);
      expect(agreeing(10, 12, few)).toEqual([]);
    }
    expect(agreeing(16, 20, { taught: [4, 3] })).toEqual([]);
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

describe('gate() of a shared model', () => {
  it('refuses what one device loses, whatever another wins', () => {
    const two = paired(10, 12, 3, 0);
    const device = two.truth.map((_, i) => (i >= 22 ? 'b' : 'a'));
    expect(failed(gate(input({ evidence: { ...two, device } })))).toEqual(['keeps b']);
    expect(failed(gate(input({ evidence: two })))).toEqual([]);
  });
});

describe('gate() and evidence that is none', () => {
  it('refuses without a labelled window, with and without a champion', () => {
    const none: Evidence = { kind: 'held-out', truth: [], champion: [], candidate: [], device: [] };
    const report = gate(input({ evidence: none }));
    expect(report).toMatchObject({
      decision: 'refuse',
      reason: expect.stringMatching(/^better: no labelled window to judge by/),
      reachesAim: false,
      worstClass: null,
      evidence: { champion: null, candidate: 0, interval: [0, 1], windows: 0 },
    });
  });

  it('throws RangeError where predictions and truth differ in length', () => {
    const good = paired(3, 3, 0, 0);
    for (const bad of [
      { ...good, candidate: [0] },
      { ...good, champion: [0] },
      { ...good, truth: [...good.truth, 0] },
    ]) {
      expect(() => gate(input({ evidence: bad }))).toThrow(RangeError);
    }
    const short = {
      name: 'ann',
      truth: truth(3),
      champion: says(3, 3),
      candidate: says(2, 2),
      isPresent: false,
    };
    expect(() => gate(input({ regimes: [short] }))).toThrow(RangeError);
    const empty = { name: 'ann', truth: [], champion: [], candidate: [], isPresent: false };
    expect(() => gate(input({ regimes: [empty] }))).toThrow(RangeError);
  });
});
