import { describe, expect, it } from 'vitest';
import { renderReport } from '../../../gateway/cli/replay.ts';
import { summarise } from '../../../gateway/replay/stages.ts';
import type { ReplayReport, ReplaySeed, ReplayStages } from '../../../gateway/report.ts';

const stages = (n: number): ReplayStages =>
  summarise([
    {
      ...{ device: 'mover-1', seed: n, scope: 'device:mover-1', isConfirmed: true },
      stages: [
        { stage: 'train', virtualMs: 0, wallMs: 1250, what: 'rungs head 1250 ms, on 18 labels' },
        { stage: 'soak', virtualMs: 80_000, wallMs: 40, what: '20 windows at 4.0 s' },
      ],
    },
    { device: 'mover-2', seed: n, scope: null, isConfirmed: false, stages: [] },
  ]);

const seed = (n: number, updated: number): ReplaySeed => ({
  seed: n,
  labelsUsed: 18,
  accuracy: { trained: 0.98, shifted: 0.23, updated },
  labelsTo90: 12,
  drift: { alarmDelayWindows: 7.25, falseAlarms: 0 },
  updates: [
    {
      version: '3f2a9c41'.repeat(8),
      scope: 'device:conor',
      rung: 'head',
      trainMs: 41.3,
      wireBytes: 470,
      modelBytes: 1200,
      tfliteBytes: 1968,
      released: true,
      reason: 'better',
    },
  ],
  rollouts: { updated: 1, reverted: 0 },
  samples: { lost: 0, duplicated: 0 },
  selfTests: { equal: 1, different: 0 },
  stages: stages(n),
});

const report = (updated: number, unusable = 1): ReplayReport => ({
  ...seed(1, updated),
  task: 'gesture',
  from: 'james',
  to: 'conor',
  windows: 1169,
  ignored: 130,
  unusable: Array.from({ length: unusable }, (_, i) => ({
    file: 'james/clap2.txt',
    line: i + 1,
    reason: 'a prompt',
  })),
  perSeed: [seed(1, 0.9), seed(2, 1)],
});

describe('renderReport()', () => {
  it('says that nothing was learnt where no labels were given, and how to give some', () => {
    const last = renderReport({ ...report(0.23), labelsUsed: 0, updates: [] })
      .split('\n')
      .slice(-2);
    expect(last[0]).toBe('NO LABELS WERE GIVEN: there were none to learn from');
    expect(last[1]).toBe('give some: --labels-per-class 3, or --labels 12 --select active');
    expect(renderReport(report(0.95))).not.toContain('NO LABELS');
  });

  it('shows accuracies, updates and what was unusable', () => {
    const text = renderReport(report(0.95));
    for (const expected of [
      'gesture: james → conor, 1169 windows, 18 labels, 2 seeds',
      'after the update  0.95    0.90     1.00',
      'labels to 0.90     12',
      'alarm              7.3 windows after the shift, 0 false',
      'samples            0 lost, 0 duplicated',
      'v3f2a9c41  device:conor  head  41.3 ms           470         1200',
      'recordings         1 lines unusable, 130 windows of ignored labels\n  james/clap2.txt:1: a prompt',
    ]) {
      expect(text).toContain(expected);
    }
    expect(text).not.toContain('WORSE');
  });

  it('shows how long each stage took, and explains the longest', () => {
    const text = renderReport(report(0.95));
    for (const expected of [
      'seconds  mover-1  mover-2   mean  on this computer',
      'train      0.000        -  0.000               1.3',
      'soak        80.0        -   80.0             0.040',
      "longest            soak of mover-1: 80 s of 80 s of the devices' time (100 %): 20 windows at 4.0 s",
      '                   train of mover-1: 1.3 s of 1.3 s on this computer (97 %): rungs head 1250 ms, on 18 labels',
      'not confirmed      1 of 2 devices',
    ]) {
      expect(text).toContain(expected);
    }
  });

  it('says when the update did harm and when a list is cut', () => {
    const text = renderReport(report(0.2, 30));
    expect(text).toContain('THE UPDATE MADE IT WORSE');
    expect(text).toContain('… and 10 more, in --json');
  });
});
