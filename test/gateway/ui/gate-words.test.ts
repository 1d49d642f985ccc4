import { describe, expect, it } from 'vitest';
import { gate } from '../../../gateway/train/gate.ts';
import { gateLines } from '../../../gateway/ui/gate-words.ts';

const report = gate({
  classes: ['up', 'down'],
  taught: [6, 6],
  taughtNew: [6, 6],
  evidence: {
    kind: 'cross-validated',
    truth: [...new Array(6).fill(0), ...new Array(6).fill(1)],
    champion: [...new Array(6).fill(1), ...new Array(6).fill(1)],
    candidate: [...new Array(6).fill(0), ...new Array(5).fill(1), -1],
    device: new Array(12).fill('w1'),
  },
  championReference: 0.9,
  isUpdated: false,
  regimes: [],
  recent: { champion: [], candidate: [] },
  mustPass: { total: 2, broken: ['w1/7:3'] },
  quantisation: { float: 1, int8: 1 },
  budgets: [{ board: 'puckjs', bytes: 900, limit: 1000 }],
  audit: {
    grounds: [
      { device: 'w1', windows: 40, known: 0.85, knownSince: 0.85, inForce: true, sure: [] },
    ],
    inForce: true,
    verdicts: new Array(14).fill('supported'),
    groups: [{ name: 'w1, person', labels: 14, supported: 9, contradicted: 2, distrusted: false }],
    trusted: [...new Array(12).keys()],
  },
  policy: {
    ...{ minAccuracy: 0.9, alpha: 0.05, alphaLoss: 0.3, minAgreement: 0.6, maxWrongLabels: 0.25 },
    ...{ maxClassLoss: 0.25, maxRegimeLoss: 0.03, maxPresentLoss: 0.01 },
  },
});

describe('gateLines()', () => {
  it('says the decision, its reason, the checks and what was broken', () => {
    const lines = gateLines(report);
    expect(lines[0]).toMatch(/^refused: better: .*must-pass: 1 of 2 pinned windows right$/);
    expect(lines[1]).toMatch(
      /^accuracy: before 50\.0 %, now 91\.7 % \(95 %: 64\.6 % to 98\.5 %\) on 12/,
    );
    expect(lines).toContain('pinned windows broken: w1/7:3');
    expect(lines).toContain('  NO  must-pass: 1 of 2 pinned windows right');
    expect(lines).toContain('  ok  budget puckjs: 900 of 1000 bytes');
    expect(lines).toContain('worst class: down');
  });

  it('shows recall and both confusion matrices, no answer in the last column', () => {
    const lines = gateLines(report);
    expect(lines).toContain('  up: 0.0 % → 100.0 % of 6');
    const now = lines.findIndex((line) => line.startsWith('confusion now'));
    expect(lines.slice(now + 1)).toEqual(['  up     6   0   0', '  down   0   5   1']);
    expect(lines.some((line) => line.startsWith('confusion before'))).toBe(true);
  });

  it('says what became of the labels', () => {
    const lines = gateLines(report);
    expect(lines).toContain('labels: 12 of 14 taught and judged');
    expect(lines).toContain(
      '  w1: 85.0 % of 40 windows look as before, earlier labels judge new ones',
    );
    expect(lines).toContain('  w1, person: 2 of 14 labels contradict earlier ones that look alike');
  });

  it('says that none decided where a model was imported', () => {
    expect(gateLines({ imported: {} })).toEqual([
      'no gate decided: it was imported, or made by hand',
    ]);
  });
});
