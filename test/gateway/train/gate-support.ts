import type { Evidence, GateInput, GateReport } from '../../../gateway/train/gate-report.ts';

export const policy = {
  ...{ minAccuracy: 0.9, alpha: 0.05, alphaLoss: 0.2, minAgreement: 0.6, maxWrongLabels: 0.25 },
  ...{ maxClassLoss: 0.25, maxRegimeLoss: 0.03, maxPresentLoss: 0.01 },
};

/** So many windows of class 0, the first `right` of them named 0 and the others 1. */
export const says = (right: number, n: number): number[] =>
  Array.from({ length: n }, (_, i) => (i < right ? 0 : 1));
export const truth = (n: number): number[] => new Array(n).fill(0);

/** Windows of class 0 that both have right, only the candidate, only the champion, none. */
export function paired(both: number, gained: number, lost: number, neither: number): Evidence {
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

export function input(changes: Partial<GateInput> = {}): GateInput {
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

export const failed = (report: GateReport): string[] =>
  report.checks.filter(({ ok }) => !ok).map(({ name }) => name);
