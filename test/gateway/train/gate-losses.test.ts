import { describe, expect, it } from 'vitest';
import { gate } from '../../../gateway/train/gate.ts';
import type { Evidence } from '../../../gateway/train/gate-report.ts';
import { failed, input, paired, policy, says, truth } from './gate-support.ts';

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

describe('gate() of a shared model', () => {
  it('refuses what one device loses, whatever another wins', () => {
    const two = paired(10, 12, 3, 0);
    const device = two.truth.map((_, i) => (i >= 22 ? 'b' : 'a'));
    expect(failed(gate(input({ evidence: { ...two, device } })))).toEqual(['keeps b']);
    expect(failed(gate(input({ evidence: two })))).toEqual([]);
  });
});
