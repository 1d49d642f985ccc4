import { describe, expect, it } from 'vitest';
import { type Mark, stagesOf, summarise, type Training } from '../../../gateway/replay/stages.ts';
import type { EventKind } from '../../../gateway/store/event-kinds.ts';

const STEP_MS = 4000;
const mark = (
  kind: EventKind,
  subject: string,
  [at, wallMs]: [number, number],
  data: Record<string, unknown> = {},
): Mark => ({ kind, subject, at: at * STEP_MS, wallMs, data });
const device = (id: string, stage: string, time: [number, number]): Mark =>
  mark('rollout.device', id, time, { rollout: 'r', stage });

const training: Training = {
  scope: 'fleet',
  attempts: [
    { rung: 'pre', trainMs: 2, evidence: 'held-out', windows: 12 },
    { rung: 'head', trainMs: 18, evidence: 'cross-validated', windows: 12 },
  ],
  ...{ modelBytes: 700, goldenWindows: 4, soakWindows: 20, provisional: true },
  wireBytes: () => 612,
};

/** Two devices: b waits for the soak of a; an alarm and labels of an earlier time do not count. */
const marks: Mark[] = [
  mark('alarm.raised', 'a', [-3, 1]),
  mark('label.added', 'a', [-2, 2]),
  mark('alarm.raised', 'a', [5, 110]),
  mark('label.added', 'a', [4, 109]),
  mark('label.added', 'a', [9, 120]),
  mark('label.added', 'b', [9, 121]),
  mark('alarm.group', 'fleet', [12, 130], { devices: ['a', 'b'] }),
  mark('train.started', 'device:c', [12, 131]),
  mark('train.started', 'fleet', [12, 140]),
  mark('train.finished', 'fleet', [12, 200]),
  mark('rollout.started', 'r', [12, 206], { scope: 'fleet' }),
  device('a', 'offered', [12, 207]),
  device('a', 'transferring', [12, 208]),
  device('a', 'installed', [13, 210]),
  device('a', 'trial', [13, 211]),
  device('a', 'confirming', [33, 231]),
  device('b', 'offered', [33, 232]),
  device('a', 'confirmed', [33, 233]),
  device('b', 'installed', [34, 240]),
];
const input = {
  ...{ seed: 3, devices: ['a', 'b'], shift: { at: 0, wallMs: 100 }, stepMs: STEP_MS, marks },
  trainings: [training],
};
const of = (id: string) => stagesOf(input).devices.find((one) => one.device === id)!;

describe('stagesOf()', () => {
  it('measures each stage in both times, from the change of wearer on', () => {
    const { scope, isConfirmed, stages } = of('a');
    expect([scope, isConfirmed]).toEqual(['fleet', true]);
    expect(
      stages.map(({ stage, virtualMs, wallMs }) => [stage, virtualMs / STEP_MS, wallMs]),
    ).toEqual([
      ['alarm', 5, 10],
      ['labels', 4, 10],
      ['turn', 3, 20],
      ['train', 0, 20],
      ['prove', 0, 40],
      ['register', 0, 6],
      ['offer', 0, 2],
      ['transfer', 1, 2],
      ['selftest', 0, 1],
      ['soak', 20, 20],
      ['confirm', 0, 2],
    ]);
  });

  it('says what each stage consisted of', () => {
    const what = Object.fromEntries(of('a').stages.map((stage) => [stage.stage, stage.what]));
    expect(what).toMatchObject({
      alarm: '5 windows at 4.0 s until the monitor was sure',
      labels: '1 label in 4 windows at 4.0 s',
      turn: '3 windows at 4.0 s before it began, and 1 training of others meanwhile',
      train: 'rungs pre 2 ms, head 18 ms, on 2 labels',
      prove: '2 candidates: held-out on 12 windows, cross-validated on 12 windows',
      register: 'a model of 700 bytes signed and stored',
      offer: 'it was asked first',
      transfer: '612 bytes on the wire',
      selftest: '4 golden windows',
    });
    expect(what.soak).toMatch(/^20 windows at 4.0 s; 20 are asked for, longer/);
  });

  it('ends where a device ends, and says whom it waited for', () => {
    const { isConfirmed, stages } = of('b');
    expect(isConfirmed).toBe(false);
    expect(stages.map(({ stage }) => stage).at(-1)).toBe('transfer');
    expect(stages.find(({ stage }) => stage === 'offer')).toMatchObject({
      ...{ virtualMs: 22 * STEP_MS, what: 'it waited for the soak of a' },
    });
    expect(stages[0]).toMatchObject({ stage: 'alarm', virtualMs: 12 * STEP_MS });
  });

  it('explains the longest stage in each time with its share', () => {
    expect(stagesOf(input).longest).toMatchObject({
      virtual: {
        ...{ device: 'b', stage: 'offer' },
        why: "offer of b: 88 s of 136 s of the devices' time (65 %): it waited for the soak of a",
      },
      wall: { device: 'a', stage: 'prove' },
    });
  });

  it('has nothing to explain where no device changed', () => {
    expect(summarise([])).toEqual({ devices: [], mean: [], longest: null });
  });
});
