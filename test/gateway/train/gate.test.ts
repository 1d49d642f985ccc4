import { describe, expect, it } from 'vitest';
import { gate } from '../../../gateway/train/gate.ts';
import type { Evidence, GateInput } from '../../../gateway/train/gate-report.ts';
import { input, paired, policy, says, truth } from './gate-support.ts';

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
