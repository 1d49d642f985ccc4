import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../gateway/random.ts';
import { loadTask } from '../../../gateway/task.ts';
import { gateByKind } from '../../../gateway/train/gate-by-kind.ts';
import type { KindInput } from '../../../gateway/train/kind-report.ts';

const speed = loadTask('motor-speed');
const health = loadTask('motor-health');
const spread = (n: number): number[] => Array.from({ length: n }, (_, i) => (i * 67) % 256);
/** Answers that are off by so many steps, to either side. */
const off = (truth: readonly number[], by: number): number[] =>
  truth.map((t, i) => Math.max(0, Math.min(255, t + (i % 2 === 0 ? by : -by))));

function regression(changes: Partial<KindInput['evidence']> = {}, more: Partial<KindInput> = {}) {
  const truth = changes.truth ?? spread(40);
  const evidence = {
    ...{ kind: 'cross-validated' as const, truth, champion: off(truth, 30) },
    ...{ candidate: off(truth, 4), device: truth.map(() => 'm1'), ...changes },
  };
  return gateByKind({
    ...{ task: speed, evidence, taught: truth, regimes: [], probes: null, budgets: [] },
    ...{ mustPass: { total: 0, broken: [] }, quantisation: { float: 1, int8: 1 }, ...more },
  });
}

const failing = (report: ReturnType<typeof gateByKind>): string[] =>
  report.checks.filter(({ ok }) => !ok).map(({ name }) => name);

describe('gateByKind() of a regression', () => {
  it('lets out what has smaller errors, and says them in units', () => {
    const report = regression();
    expect(failing(report)).toEqual([]);
    expect(report).toMatchObject({ decision: 'provisional', reachesAim: true });
    expect(report.errors!.unit).toBe('rpm');
    expect(report.errors!.candidate.meanAbsolute).toBeCloseTo(32, 0); // 4 steps of 8
    expect(report.errors!.champion!.rootMeanSquare).toBeGreaterThan(200);
    expect(report.reason).toMatch(
      /mean error 2\d\d → 3\d(\.\d)? rpm, 100.0 % of 40 within 120 rpm/,
    );
    expect(report.evidence).toMatchObject({ windows: 40, candidate: 1, lost: 0 });
    expect(report.classes.map(({ windows }) => windows).reduce((a, b) => a + b)).toBe(40);
    expect(regression({ kind: 'held-out' }).decision).toBe('release');
  });

  it('refuses what is no better beyond chance, or worse', () => {
    expect(failing(regression({ candidate: off(spread(40), 30) }))).toEqual(['better']);
    const random = createRandom(5);
    const noisy = (): number[] =>
      spread(40).map((t) => Math.max(0, Math.min(255, t + Math.round(10 * random.gaussian()))));
    expect(failing(regression({ champion: noisy(), candidate: noisy() }))).toContain('better');
    const worse = regression({ champion: off(spread(40), 4), candidate: off(spread(40), 30) });
    expect(failing(worse)).toContain('better');
  });

  it('refuses what loses a part of the range, a device, a regime, a pinned window, or a budget', () => {
    const truth = [...new Array<number>(30).fill(20), ...new Array<number>(12).fill(240)];
    const champion = [...off(truth.slice(0, 30), 40), ...truth.slice(30)];
    const candidate = [...truth.slice(0, 30), ...off(truth.slice(30), -40)];
    const device = truth.map((t) => (t === 20 ? 'm1' : 'm2'));
    const lost = regression({ truth, champion, candidate, device });
    expect(failing(lost)).toEqual(['keeps 2010 to 2520 rpm', 'keeps m2']);
    const regime = {
      ...{ name: 'm7', truth: spread(30), champion: spread(30), candidate: off(spread(30), 40) },
      isPresent: false,
    };
    expect(failing(regression({}, { regimes: [regime] }))).toEqual(['keeps m7']);
    expect(failing(regression({}, { mustPass: { total: 2, broken: ['m1/1:1'] } }))).toEqual([
      'must-pass',
    ]);
    expect(failing(regression({}, { quantisation: { float: 0.9, int8: 0.86 } }))).toEqual(['int8']);
    const budgets = [{ board: 'puckjs', bytes: 9, limit: 8 }];
    expect(failing(regression({}, { budgets }))).toEqual(['budget puckjs']);
  });

  it('wants labels from several parts of the range', () => {
    expect(failing(regression({}, { taught: [1, 2, 3, 4] }))).toEqual(['labels']);
    expect(failing(regression({}, { taught: [1, 200] }))).toEqual([]);
    const first = { champion: [], kind: 'held-out' as const };
    expect(failing(regression(first, { taught: [1, 200] }))).toEqual(['labels']);
    expect(failing(regression(first, { taught: [1, 100, 200] }))).toEqual([]);
    expect(failing(regression({ ...first, candidate: off(spread(40), 30) }))).toEqual(['better']);
  });

  it('throws RangeError unless every window has one prediction of each model', () => {
    expect(() => regression({ candidate: [1] })).toThrow(RangeError);
    expect(() => regression({ champion: [1] })).toThrow(RangeError);
  });
});

/** Verdicts: of so many normal windows so many alarms, of so many anomalies so many seen. */
interface Said {
  alarms: number;
  seen: number;
}

function anomaly(
  of: { normal: number; anomalies: number; was?: Said; is: Said },
  more: Partial<KindInput> = {},
) {
  const said = ({ alarms, seen }: Said): number[] => [
    ...Array.from({ length: of.normal }, (_, i) => Number(i < alarms)),
    ...Array.from({ length: of.anomalies }, (_, i) => Number(i < seen)),
  ];
  const truth = [
    ...new Array<number>(of.normal).fill(0),
    ...new Array<number>(of.anomalies).fill(1),
  ];
  const evidence = {
    ...{ kind: 'cross-validated' as const, truth, candidate: said(of.is) },
    ...{ champion: of.was === undefined ? [] : said(of.was), device: truth.map(() => 'm1') },
  };
  return gateByKind({
    ...{ task: health, evidence, taught: truth, regimes: [], budgets: [] },
    ...{ mustPass: { total: 0, broken: [] }, quantisation: { float: 1, int8: 1 } },
    ...{ probes: { total: 100, champion: 90, candidate: 80 }, ...more },
  });
}

describe('gateByKind() of an anomaly task', () => {
  it('lets out a first model that alarms seldom and sees what is made up', () => {
    const report = anomaly({ normal: 60, anomalies: 0, is: { alarms: 1, seen: 0 } });
    expect(failing(report)).toEqual([]);
    expect(report.verdicts!.candidate).toEqual({
      ...{ falseAlarms: 1 / 60, detected: null, probes: 0.8 },
    });
    expect(report.reachesAim).toBe(true);
  });

  it('refuses one that always alarms, and one that never does', () => {
    const always = { alarms: 60, seen: 10 };
    const all = { probes: { total: 100, champion: null, candidate: 100 } };
    expect(failing(anomaly({ normal: 60, anomalies: 10, is: always }, all))).toEqual([
      ...['false alarms', 'detects'],
    ]);
    const none = { probes: { total: 100, champion: 90, candidate: 0 } };
    const was = { alarms: 20, seen: 8 };
    const never = { alarms: 0, seen: 0 };
    expect(failing(anomaly({ normal: 60, anomalies: 10, was, is: never }, none))).toEqual([
      ...['probes', 'detects'],
    ]);
    // and without any labelled anomaly the made-up ones tell
    expect(failing(anomaly({ normal: 60, anomalies: 0, was, is: never }, none))).toEqual([
      'probes',
    ]);
  });

  it('replaces a champion that alarms at everything, though that one sees every anomaly', () => {
    const was = { alarms: 40, seen: 10 };
    const better = anomaly({ normal: 40, anomalies: 10, was, is: { alarms: 1, seen: 6 } });
    expect(failing(better)).toEqual([]);
    expect(better.verdicts!.champion).toMatchObject({ falseAlarms: 1, detected: 1 });
  });

  it('never sees fewer anomalies than a champion that is within the limit', () => {
    const was = { alarms: 2, seen: 18 };
    const blind = anomaly({ normal: 40, anomalies: 20, was, is: { alarms: 0, seen: 8 } });
    expect(failing(blind)).toEqual(['better', 'detects']);
  });

  it('wants normal windows enough', () => {
    const few = anomaly({ normal: 12, anomalies: 0, is: { alarms: 0, seen: 0 } });
    expect(failing(few)).toEqual(['labels']);
  });
});
