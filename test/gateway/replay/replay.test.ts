import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { replay } from '../../../gateway/replay/replay.ts';
import type { ReplayOptions, ReplayReport } from '../../../gateway/report.ts';
import { temporary } from '../../support/loop-world.ts';
import { writeFolder } from '../../support/recordings-folder.ts';
import { espruinoPath } from '../../support/run-espruino.ts';
import { quickTask } from '../../support/tasks.ts';
import { whetstone } from '../cli/run.ts';

const task = quickTask();
const real = join(import.meta.dirname, '../../../../shared/data/bangle-gestures');

/** Where this test's replays make their folders: empty again when they are over. */
let temp = '';
let folder = '';
beforeEach(() => {
  folder = temporary();
  temp = temporary();
  vi.stubEnv('TMPDIR', temp);
  onTestFinished(() => void vi.unstubAllEnvs());
});
const left = (): string[] => readdirSync(temp);

/** A task file beside a folder of recordings. */
function files(counts?: [number, number], changed: object = {}): { task: string; data: string } {
  const path = join(folder, 'task.json');
  writeFileSync(path, JSON.stringify({ ...task, ...changed }));
  return { task: path, data: writeFolder(join(folder, 'recordings'), task, counts) };
}

const plain: Omit<ReplayOptions, 'task' | 'data'> = {
  ...{ from: 'ann', to: 'bob', labelsPerClass: 3, seeds: 1, select: 'random' },
  ...{ scope: 'device', speed: 'max' },
};
const run = (of: { task: string; data: string }, options: Partial<ReplayOptions> = {}) =>
  replay({ ...plain, ...of, ...options });

const share = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= 1;
const count = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;

/** What DESIGN promises of `replay --json`, by its types. */
function expectContract(
  report: Omit<
    ReplayReport,
    'task' | 'from' | 'to' | 'windows' | 'unusable' | 'ignored' | 'perSeed'
  >,
): void {
  const { accuracy, labelsUsed, labelsTo90, drift, updates, rollouts, samples, selfTests } = report;
  expect(Object.keys(accuracy)).toEqual(['trained', 'shifted', 'updated']);
  expect(Object.values(accuracy).every(share)).toBe(true);
  expect(typeof labelsUsed).toBe('number');
  expect(labelsTo90 === null || typeof labelsTo90 === 'number').toBe(true);
  expect(Object.keys(drift)).toEqual(['alarmDelayWindows', 'falseAlarms']);
  expect(Object.values(rollouts).every(count)).toBe(true);
  expect(Object.keys(rollouts)).toEqual(['updated', 'reverted']);
  expect(Object.values(samples).every(count)).toBe(true);
  expect(Object.keys(samples)).toEqual(['lost', 'duplicated']);
  expect(Object.keys(selfTests)).toEqual(['equal', 'different']);
  expect(updates.length).toBeGreaterThan(0);
  for (const update of updates) {
    expect(Object.keys(update).sort()).toEqual([
      ...['modelBytes', 'reason', 'released', 'rung', 'scope', 'tfliteBytes', 'trainMs', 'version'],
      'wireBytes',
    ]);
    expect(['pre', 'head', 'layers', 'whole']).toContain(update.rung);
    expect([typeof update.version, typeof update.scope, typeof update.released]).toEqual([
      ...['string', 'string', 'boolean'],
    ]);
    expect(update.trainMs).toBeGreaterThan(0);
    expect(update.modelBytes).toBeGreaterThan(0);
    expect(update.tfliteBytes).toBeGreaterThan(update.modelBytes);
    expect(update.wireBytes > 0).toBe(update.released);
    expect(/^[0-9a-f]{64}$/.test(update.version)).toBe(update.released);
  }
}

describe('replay()', () => {
  it('runs the whole loop and reports it as DESIGN promises', async () => {
    const report = await run(files(), { seeds: 2 });
    expect(report).toMatchObject({ task: 'gesture', from: 'ann', to: 'bob', labelsUsed: 18 });
    expect(report.windows).toBe(6 * (14 + 8));
    expectContract(report);
    expect(report.perSeed.map(({ seed }) => seed)).toEqual([1, 2]);
    report.perSeed.forEach(expectContract);
    const { trained, shifted, updated } = report.accuracy;
    expect(trained).toBeGreaterThan(0.85);
    expect(shifted).toBeLessThan(0.6);
    expect(updated).toBeGreaterThan(0.8);
    expect(report.samples).toEqual({ lost: 0, duplicated: 0 });
    expect(report.rollouts.updated).toBe(2);
    // the first model on two devices and the update on one, in both seeds
    expect(report.selfTests).toEqual({ equal: 6, different: 0 });
    const mean = (key: 'trained' | 'shifted' | 'updated') =>
      report.perSeed.reduce((sum, seed) => sum + seed.accuracy[key], 0) / 2;
    expect(report.accuracy).toEqual({
      ...{ trained: mean('trained'), shifted: mean('shifted'), updated: mean('updated') },
    });
    const head = report.updates.find(({ released }) => released)!;
    expect(head.wireBytes).toBeLessThan(head.modelBytes * 2);
    expect(left()).toEqual([]);
  });

  it('lists what it cannot use with file and line, and counts what it ignores', async () => {
    const of = files();
    const { unusable, ignored } = await run(of, { labelsPerClass: 1 });
    const file = join(of.data, 'ann', 'upup.txt');
    expect(unusable.map(({ file: where, line }) => [where, line])).toEqual([
      ...[1, 2, 3].map((line) => [file, line]),
    ]);
    expect(unusable.map(({ reason }) => reason)).toEqual([
      'a comment or a cut line: not label(n), x,y,z,…',
      'a prompt',
      '3 values, 20 samples need 60',
    ]);
    expect(ignored).toBe(1);
  });

  it('gives equal accuracies and versions for equal seeds', async () => {
    const of = files();
    const [a, b] = [await run(of), await run(of)];
    const same = ({ accuracy, updates, drift }: ReplayReport) => ({
      ...{ accuracy, drift },
      updates: updates.map(({ trainMs: _, ...rest }) => rest),
    });
    expect(same(a)).toEqual(same(b));
    expect(a.updates.some(({ released }) => released)).toBe(true);
  });

  it('says how long each stage took for each of four devices, and which was longest', async () => {
    const report = await run(files([24, 14]), { devices: 4, labelsPerClass: 8 });
    expectContract(report);
    const { devices, mean, longest } = report.stages;
    expect(devices.map(({ device, scope, isConfirmed }) => [device, scope, isConfirmed])).toEqual(
      [1, 2, 3, 4].map((n) => [`mover-${n}`, `device:mover-${n}`, true]),
    );
    expect(report.rollouts.updated).toBe(4);
    for (const { stages } of devices) {
      expect(stages.map(({ stage }) => stage).filter((stage) => stage !== 'alarm')).toEqual([
        ...['labels', 'turn', 'train', 'prove', 'register', 'offer', 'transfer', 'selftest'],
        ...['soak', 'confirm'],
      ]);
      const soak = stages.find(({ stage }) => stage === 'soak')!;
      expect(soak.virtualMs).toBeGreaterThan(0);
      expect(soak.what).toMatch(/^\d+ windows at 4.0 s; 20 are asked for/);
      expect(stages.find(({ stage }) => stage === 'train')!.wallMs).toBeGreaterThan(0);
    }
    for (const key of ['virtual', 'wall'] as const) {
      const most = Math.max(
        ...devices.flatMap(({ stages }) => stages.map((stage) => stage[`${key}Ms`])),
      );
      expect(longest![key][`${key}Ms`]).toBe(most);
    }
    const trains = devices.map(({ stages }) => stages.find(({ stage }) => stage === 'train')!);
    expect(mean.find(({ stage }) => stage === 'train')!.wallMs).toBeCloseTo(
      trains.reduce((sum, { wallMs }) => sum + wallMs, 0) / 4,
    );
  });

  it('heals a fleet, a cohort or one device', async () => {
    const of = files([24, 14]);
    for (const [scope, name] of [
      ['fleet', 'fleet'],
      ['cohort', 'cohort:bob'],
      ['device', 'device:mover'],
    ] as const) {
      const report = await run(of, { scope, labelsPerClass: 8 });
      expectContract(report);
      expect([...new Set(report.updates.map((update) => update.scope))]).toEqual([name]);
      expect(report.samples, scope).toEqual({ lost: 0, duplicated: 0 });
      expect(report.selfTests.different, scope).toBe(0);
      expect(
        report.updates.some(({ released }) => released),
        scope,
      ).toBe(true);
      expect(report.accuracy.updated, scope).toBeGreaterThan(report.accuracy.shifted + 0.2);
      expect(report.rollouts.updated, scope).toBe(scope === 'fleet' ? 2 : 1);
    }
  });

  it('takes labels in all instead of a class, chosen at random or for their use', async () => {
    const of = files();
    for (const select of ['random', 'active'] as const) {
      const { labelsPerClass: _, ...rest } = plain;
      const report = await replay({ ...rest, ...of, labels: 15, select });
      expect(report.labelsUsed, select).toBe(15);
      expect(report.samples, select).toEqual({ lost: 0, duplicated: 0 });
      expect(report.selfTests.different, select).toBe(0);
    }
  });

  it('updates nothing without labels, and says so', async () => {
    const report = await run(files(), { labelsPerClass: 0 });
    expect(report).toMatchObject({ labelsUsed: 0, labelsTo90: null, updates: [] });
    expect(report.rollouts).toEqual({ updated: 0, reverted: 0 });
    expect(report.accuracy.updated).toBeCloseTo(report.accuracy.shifted, 9);
  });

  it('chooses the people by their recordings when it is not told', async () => {
    const { from: _, to: __, ...rest } = plain;
    expect(await replay({ ...rest, ...files() })).toMatchObject({ from: 'ann', to: 'bob' });
  });

  it('tells how far it is, up to the end of the last seed', async () => {
    const told: number[] = [];
    await run(files(), { labelsPerClass: 1, onProgress: (done) => told.push(done) });
    expect(told.length).toBeGreaterThan(2);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.every(share)).toBe(true);
  });
});

describe('replay() of what is wrong', () => {
  const cases: [string, () => Promise<unknown>, string, RegExp][] = [
    [
      'a missing folder',
      () => run({ ...files(), data: '/nowhere/at/all' }),
      'bad-recordings',
      /there is no folder '\/nowhere\/at\/all'/,
    ],
    [
      'an empty class',
      () => {
        const of = files();
        rmSync(join(of.data, 'bob', 'clap2.txt'));
        return run(of);
      },
      'bad-recordings',
      /'bob' has no usable recording of clap2/,
    ],
    [
      'a label outside the task',
      () => {
        const of = files();
        writeFileSync(join(of.data, 'bob', 'clap2.txt'), 'somersault(1), 1,2,3\n');
        return run(of);
      },
      'bad-recordings',
      /clap2\.txt:1: unknown label 'somersault'/,
    ],
    [
      'a task file with a wrong type',
      () => run(files(undefined, { window: { ...task.window, samples: 'fifty' } })),
      'bad-task',
      /window\.samples must be integer, is "fifty"/,
    ],
    [
      'a task file that is no JSON',
      () => {
        const of = files();
        writeFileSync(of.task, '{ "name": ');
        return run(of);
      },
      'bad-task',
      /is not JSON/,
    ],
    ['an unknown task', () => run({ ...files(), task: 'cooking' }), 'bad-task', /'cooking'/],
    ['an unknown person', () => run(files(), { to: 'zoe' }), 'bad-recordings', /'zoe'/],
    ['the same person twice', () => run(files(), { to: 'ann' }), 'bad-recordings', /'ann'/],
    [
      'more labels than windows',
      () => run(files(), { labelsPerClass: 8 }),
      'bad-recordings',
      /leave no window of '\w+' to test on/,
    ],
    [
      'no Espruino where one is named',
      () => run(files(), { espruino: '/nowhere/espruino' }),
      'missing-tool',
      /espruino/i,
    ],
  ];

  it.each(cases)('says in one line: %s', async (_, wrong, code, message) => {
    const error = await wrong().then(
      () => undefined,
      (reason: unknown) => reason as { code: string; message: string; line(): string },
    );
    expect(error).toMatchObject({ name: 'GatewayError', code });
    expect(error!.line()).toMatch(message);
    expect(error!.line()).not.toContain('\n');
    expect(left()).toEqual([]);
  });

  it('ends with status 1 and that line on the command line, and nothing on standard output', async () => {
    const { task: file } = files();
    const { status, out, err } = await whetstone(
      ...['replay', '--task', file, '--data', '/nowhere', '--json'],
    );
    expect([status, out]).toEqual([1, '']);
    expect(err.trim().split('\n').length).toBe(1);
    expect(err).toContain("there is no folder '/nowhere'");
  });

  it('is cancelled by its signal, and leaves nothing behind', async () => {
    const abort = new AbortController();
    const onProgress = (done: number) => {
      if (done >= 0.3) abort.abort();
    };
    const cancelled = run(files(), { signal: abort.signal, onProgress });
    await expect(cancelled).rejects.toMatchObject({ name: 'GatewayError', code: 'cancelled' });
    expect(left()).toEqual([]);
  });
});

describe('replay() of the recordings of James and Conor', () => {
  it('brings three labels a class back to 90 %, and loses nothing', async (ctx) => {
    if (!existsSync(real)) ctx.skip('skipped: ../shared/data/bangle-gestures is not there');
    const report = await replay({
      ...{ ...plain, task: 'gesture', data: real, from: 'james-v2', to: 'conor-v2', seeds: 1 },
    });
    expect(report.windows).toBe(1169);
    expect(report.unusable.length).toBe(12);
    expect(report.accuracy.shifted).toBeLessThan(0.4);
    expect(report.accuracy.updated).toBeGreaterThanOrEqual(0.9);
    expect(report.samples).toEqual({ lost: 0, duplicated: 0 });
    expect(report.selfTests.different).toBe(0);
    expect(report.selfTests.equal).toBe(3);
    expect(report.drift.falseAlarms).toBe(0);
  });

  it('keeps both wearers with a shared head', async (ctx) => {
    if (!existsSync(real)) ctx.skip('skipped: ../shared/data/bangle-gestures is not there');
    const report = await replay({
      ...{ ...plain, task: 'gesture', data: real, from: 'james-v2', to: 'conor-v2' },
      ...{ scope: 'fleet', labelsPerClass: 10 },
    });
    expect(report.accuracy.updated).toBeGreaterThan(report.accuracy.shifted + 0.3);
    expect(report.rollouts).toEqual({ updated: 2, reverted: 0 });
  });
});

describe('replay() with a real Espruino', () => {
  it('predicts the same on it as on the virtual device, bit for bit', async (ctx) => {
    const espruino = espruinoPath();
    if (espruino === undefined) {
      ctx.skip('skipped: WHETSTONE_ESPRUINO is not set');
      return;
    }
    const report = await run(files([8, 6]), { espruino, labelsPerClass: 4 });
    expect(report.espruino?.different).toBe(0);
    expect(report.espruino?.windows).toBeGreaterThan(30);
    expect(report.samples).toEqual({ lost: 0, duplicated: 0 });
    expect(report.selfTests.different).toBe(0);
    expect(left()).toEqual([]);
  });
});
