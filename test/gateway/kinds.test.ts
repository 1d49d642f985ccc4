import { describe, expect, it, onTestFinished } from 'vitest';
import { answersOf } from '../../gateway/answers.ts';
import type { Healed } from '../../gateway/heal.ts';
import { createService } from '../../gateway/service.ts';
import { machine, machineRecordings, remounted } from '../../gateway/synthetic/machine.ts';
import { loadTask, type Task } from '../../gateway/task.ts';
import type { KindReport } from '../../gateway/train/kind-report.ts';
import { EPOCH_MS, type LoopWorld, loopWorld } from '../support/loop-world.ts';

const before = machine(1);
const after = remounted(before, 1);

/** A task whose device sends every window raw, and needs few of them before it knows what is normal. */
function watchedTask(name: string): Task {
  const task = loadTask(name);
  return {
    ...task,
    send: { ...task.send, confidentOneIn: 1, rawOneIn: 1 },
    rollout: { canaryShare: 0.5, soakWindows: 3, trialWindows: 60 },
  };
}

type Windows = ReturnType<typeof machineRecordings>;

/** What the device itself said of windows, and the samples that they became. */
async function say(world: LoopWorld, windows: Windows) {
  const answers = answersOf(world.task);
  const device = world.device('m1');
  const from = device.predictions.length;
  const known = world.store.samples.count({ device: 'm1' });
  await world.feed(windows, ['m1']);
  await world.step();
  const said = device.predictions.slice(from).map((one) => answers.of(one));
  const samples = world.store.samples.find({ device: 'm1', limit: 10_000 }).slice(known);
  return { said, samples };
}

function rightShare(task: Task, windows: Windows, said: readonly number[]): number {
  const answers = answersOf(task);
  return windows.filter(({ cls }, i) => answers.isRight(said[i]!, cls)).length / windows.length;
}

async function teach(world: LoopWorld, windows: Windows, own: Windows): Promise<KindReport> {
  await world.step();
  await world.learn(windows);
  const healed = await world.loop.heal({ kind: 'fleet', id: '' });
  expect(healed.reason).toContain('first model');
  expect(await world.finish(healed.rollout!, own)).toBe('settled');
  return healed.attempts[0]!.report as KindReport;
}

async function label(world: LoopWorld, windows: Windows, samples: readonly { id: number }[]) {
  for (const [i, { cls }] of windows.entries()) {
    const truth = world.loop.truth({
      ...{ sample: samples[i]!.id, cls, source: 'person', trust: 1 },
    });
    await world.step();
    await truth;
  }
}

async function healDevice(world: LoopWorld, own: Windows): Promise<Healed> {
  const healed = await world.loop.heal({ kind: 'device', id: 'm1' });
  expect(healed.attempts.map(({ rung, report }) => `${rung} ${report.decision}`)).not.toEqual([]);
  expect(healed.version, healed.reason).not.toBeNull();
  const stage = await world.finish(healed.rollout!, own);
  expect(stage, world.loop.rollouts.get(healed.rollout!)!.why).toBe('settled');
  return healed;
}

const equal = (world: LoopWorld): unknown[] =>
  world.events({ kind: 'device.selftest' }).map(({ data }) => data.equal);

describe('the loop with a regression task', () => {
  it('teaches, drifts, is labelled and heals, by what the device itself measures', async () => {
    const task = watchedTask('motor-speed');
    const world = await loopWorld({ task, ids: ['m1'] });
    const own = machineRecordings(task, before, 80, 2);
    const first = await teach(world, machineRecordings(task, before, 250, 1), own);
    expect(first.decision).toBe('release'); // enough labels to hold some out
    expect(first.errors!.champion).toBeNull();
    expect(first.errors!.candidate.meanAbsolute).toBeLessThan(120);

    const calm = await say(world, own);
    const good = rightShare(task, own, calm.said);
    expect(good).toBeGreaterThan(0.8);
    // on the wire the answer is the score; in the store it is the answer
    expect(calm.samples.map(({ cls }) => cls)).toEqual(calm.said);
    expect(world.device('m1').predictions.at(-1)!.cls).toBe(0);
    await label(world, own.slice(0, 20), calm.samples);
    expect(world.gateway.monitor.accuracy('m1').windowed).toBeGreaterThan(0.6);
    expect(world.gateway.monitor.alarmOf('m1')).toBeNull();

    const moved = machineRecordings(task, after, 60, 3);
    const drifted = await say(world, moved);
    const fallen = rightShare(task, moved, drifted.said);
    expect(fallen).toBeLessThan(0.5);
    await label(world, moved, drifted.samples);
    expect(world.gateway.monitor.alarmOf('m1')).not.toBeNull();

    const rest = machineRecordings(task, after, 100, 4);
    const healed = await healDevice(world, rest);
    const report = healed.attempts.at(-1)!.report as KindReport;
    expect(report.errors!.candidate.meanAbsolute).toBeLessThan(
      report.errors!.champion!.meanAbsolute,
    );
    const later = await say(world, rest);
    expect(rightShare(task, rest, later.said)).toBeGreaterThan(Math.max(0.7, fallen + 0.25));
    expect(equal(world)).toEqual([true, true]);
    expect(world.store.counts()).toMatchObject({ quarantined: 0, dropped: 0 });
  });

  it('speaks in units, and refuses what is no value of the target', async () => {
    const task = watchedTask('motor-speed');
    const world = await loopWorld({ task, ids: ['m1'] });
    await teach(
      world,
      machineRecordings(task, before, 60, 1),
      machineRecordings(task, before, 9, 2),
    );
    const { samples } = await say(world, machineRecordings(task, before, 3, 5));
    const service = createService(world.gateway, { sentence: '', startedAt: EPOCH_MS });
    onTestFinished(() => service.close());
    const { call } = service;
    const { session, seq, cls } = samples[0]!;
    const sample = `m1/${session}:${seq}`;
    const adding = call.addLabel({ sample, cls: '1504' });
    await world.step();
    expect(await adding).toMatchObject({
      ...{ cls: '1504 rpm', predicted: answersOf(task).say(cls) },
    });
    for (const [wrong, problem] of [
      ['waggle', /'waggle' is no number of task 'motor-speed'/],
      ['', /'' is no number/],
      ['9000', /'9000' is outside the range of the target/],
    ] as const) {
      await expect(call.addLabel({ sample, cls: wrong })).rejects.toMatchObject({
        ...{ code: 'not-allowed', message: expect.stringMatching(problem) },
        hint: 'it takes 480 to 2520 rpm',
      });
    }
  });
});

describe('the loop by itself', () => {
  it.each(['motor-speed', 'motor-health'])(
    'heals a device of task %s once labels are there',
    async (name) => {
      const task = watchedTask(name);
      const world = await loopWorld({ task, ids: ['m1'], automatic: true });
      const own = machineRecordings(task, before, 60, 2);
      await teach(world, machineRecordings(task, before, 250, 1), own);
      await say(world, own);
      const moved = machineRecordings(task, after, 60, 3);
      const { samples } = await say(world, moved);
      await label(world, moved, samples);
      const released = () =>
        world.events({ kind: 'gate.passed' }).some(({ data }) => data.scope === 'device:m1');
      for (let i = 0; i < 400 && !released(); i++) {
        await world.step();
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(released()).toBe(true);
    },
  );
});

describe('the loop with an anomaly task', () => {
  it('learns from normal windows, alarms too often after a change, and heals from normal ones', async () => {
    const task = watchedTask('motor-health');
    const world = await loopWorld({ task, ids: ['m1'] });
    const own = machineRecordings(task, before, 80, 2);
    const first = await teach(world, machineRecordings(task, before, 300, 1), own);
    expect(first.verdicts!.candidate.probes).toBeGreaterThan(0.5);

    const mixed = machineRecordings(task, before, 120, 6, 0.4);
    const calm = await say(world, mixed);
    const rate = (windows: Windows, said: readonly number[], cls: number): number => {
      const here = windows.flatMap((w, i) => (w.cls === cls ? [said[i]!] : []));
      return here.filter((one) => one === 1).length / here.length;
    };
    expect(rate(mixed, calm.said, 0)).toBeLessThan(0.05);
    expect(rate(mixed, calm.said, 1)).toBeGreaterThan(0.45);

    const moved = machineRecordings(task, after, 70, 3);
    const drifted = await say(world, moved);
    expect(rate(moved, drifted.said, 0)).toBeGreaterThan(0.8); // it alarms at nearly everything
    expect(world.gateway.monitor.alarmOf('m1')).not.toBeNull(); // and is seen without a label
    await label(world, moved.slice(0, 60), drifted.samples);

    const rest = machineRecordings(task, after, 120, 4, 0.3);
    await healDevice(
      world,
      rest.filter(({ cls }) => cls === 0),
    );
    const later = await say(world, rest);
    expect(rate(rest, later.said, 0)).toBeLessThan(0.1);
    expect(rate(rest, later.said, 1)).toBeGreaterThan(0.25);
    expect(equal(world)).toEqual([true, true]);
  });

  it('has no first model of anomalies alone', async () => {
    const task = watchedTask('motor-health');
    const world = await loopWorld({ task, ids: ['m1'] });
    await world.learn(machineRecordings(task, before, 40, 1, 1));
    const healed = await world.loop.heal({ kind: 'fleet', id: '' });
    expect(healed).toMatchObject({ version: null, attempts: [] });
  });
});
