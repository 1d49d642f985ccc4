import { describe, expect, it } from 'vitest';
import { loadTask } from '../../../gateway/task.ts';
import type { GateReport } from '../../../gateway/train/gate-report.ts';
import type { LabelGroup } from '../../../gateway/train/label-audit.ts';
import { missingLabels, worthAsking } from '../../../gateway/train/missing.ts';

const policy = loadTask('gesture').gate;
/** A refusal of a champion that fails: six labels of one class, of a device whose world is new. */
function refused(changes: Partial<GateReport> = {}): GateReport {
  return {
    ...{ decision: 'refuse', reason: '', reachesAim: false, unproven: false },
    evidence: {
      ...{ kind: 'cross-validated', windows: 6, champion: 0.3, candidate: 0.5 },
      ...{ interval: [0.2, 0.8], gained: 2, lost: 1, midP: 0.6 },
    },
    classes: [
      { name: 'a', windows: 5, champion: 0, candidate: 1 },
      { name: 'b', windows: 1, champion: 0, candidate: 1 },
      { name: 'c', windows: 0, champion: null, candidate: null },
    ],
    ...{ worstClass: 'a', confusion: { champion: [], candidate: [] }, regimes: [] },
    ...{ mustPass: { total: 0, broken: [] }, quantisation: { float: 1, int8: 1 }, budgets: [] },
    labels: null,
    checks: [
      { name: 'better', ok: false, why: '' },
      { name: 'labels', ok: false, why: '' },
    ],
    ...changes,
  };
}

describe('missingLabels()', () => {
  const failing = (name: string) => ({ checks: [{ name, ok: false, why: '' }] });
  const evidence = (changes: Partial<GateReport['evidence']>) => ({
    evidence: { ...refused().evidence, ...changes },
  });

  it('names the classes that fewer than two labels judge', () => {
    expect(missingLabels(refused(), policy)).toEqual({ classes: ['b', 'c'], fails: false });
  });

  it('is null when nothing was refused', () => {
    expect(missingLabels(refused({ decision: 'provisional' }), policy)).toBeNull();
  });

  it('is null when the champion works on enough classes and the candidate is no better', () => {
    const works = (gained: number, isShown = true) =>
      missingLabels(
        refused({
          ...evidence({ champion: 0.8, gained, lost: 1 }),
          checks: [
            { name: 'better', ok: false, why: '' },
            { name: 'labels', ok: isShown, why: '' },
          ],
        }),
        policy,
      );
    expect(works(1)).toBeNull();
    expect(works(2)).not.toBeNull();
    expect(works(1, false)).not.toBeNull();
    expect(works(2)?.fails).toBe(false);
  });

  it('says that the champion fails when labels of enough classes show it', () => {
    expect(missingLabels(refused(failing('better')), policy)?.fails).toBe(false);
    const checks = [
      { name: 'better', ok: false, why: '' },
      { name: 'labels', ok: true, why: '' },
    ];
    expect(missingLabels(refused({ checks }), policy)?.fails).toBe(true);
    expect(missingLabels(refused({ checks, ...evidence({ champion: 0.6 }) }), policy)?.fails).toBe(
      false,
    );
  });

  it('is null when something else stands in the way, however few the labels are', () => {
    for (const name of ['must-pass', 'int8', 'budget puckjs']) {
      expect(missingLabels(refused(failing(name)), policy)).toBeNull();
    }
    expect(missingLabels(refused(failing('names')), policy)).not.toBeNull();
  });

  it('is null when many labels decided it', () => {
    const many = (name: string, changes: Partial<GateReport['evidence']> = {}) =>
      missingLabels(
        refused({ ...failing(name), ...evidence({ windows: 12, ...changes }) }),
        policy,
      );
    expect(many('labels mixed up')).toBeNull();
    expect(many('better', { gained: 2, lost: 2 })).toBeNull();
    expect(many('better', { gained: 3, lost: 2 })).not.toBeNull();
    const agree = (interval: [number, number]) => many('labels agree', { interval });
    expect(agree([0.2, 0.55])).toBeNull();
    expect(agree([0.2, 0.65])).not.toBeNull();
  });
});

describe('worthAsking()', () => {
  const ground = (device: string, inForce: boolean) => ({
    ...{ device, inForce, windows: 80, known: inForce ? 0.9 : 0.1, knownSince: inForce ? 0.9 : 0 },
    sure: [],
  });
  const group = (device: string, isOpen: boolean): LabelGroup => ({
    ...{ name: `${device}, person`, labels: 5, supported: 0, contradicted: 0, distrusted: isOpen },
    isOpen,
  });
  /** Three devices: u is as it was, v and w are new, x has no label; labels of v are not trusted. */
  const asked = (isOpen: boolean) => {
    const origins = ['u', 'v', 'w'].map((device) => ({ device, source: 'person' }));
    const grounds = [ground('u', true), ground('v', false), ground('w', false), ground('x', false)];
    const groups = [group('u', false), group('v', isOpen), group('w', false)];
    const audit = { grounds, groups, trusted: [0, 2], inForce: true, verdicts: [] };
    return worthAsking(audit, origins);
  };

  it('leaves out devices whose world is as it was, and who is not trusted', () => {
    expect(asked(false)).toEqual(['w', 'x']);
  });

  it('keeps two who contradict one another', () => {
    expect(asked(true)).toEqual(['v', 'w', 'x']);
  });
});
