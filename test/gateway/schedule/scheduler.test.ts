import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createBudget } from '../../../gateway/budget/budget.ts';
import { createSensors } from '../../../gateway/budget/sensors.ts';
import { GatewayError } from '../../../gateway/errors.ts';
import type { Healed, HealOptions } from '../../../gateway/heal.ts';
import { type Scope, scopeName } from '../../../gateway/registry/manifest.ts';
import { createScheduler } from '../../../gateway/schedule/scheduler.ts';
import type { ScopeFacts } from '../../../gateway/schedule/state.ts';
import type { States } from '../../../gateway/store/states.ts';
import { steppedClock } from '../../support/link-clock.ts';
import { type LoopWorld, loopWorld } from '../../support/loop-world.ts';
import { twoPeople } from '../../support/people.ts';
import { quickTask } from '../../support/tasks.ts';
import { fakeSys, zone } from '../budget/fake-sys.ts';

const TICK_MS = 5000;

/** A budget on a fake machine, and a hand on its thermometer. */
function machineAt(milli: number) {
  const { root, write } = fakeSys(zone(0, 'cpu', milli));
  const budget = createBudget({}, createSensors({ root, load: () => 0 }));
  return { budget, heat: (to: number) => write(zone(0, 'cpu', to)) };
}

/** A scheduler whose trainings end when the test says so; `stored` survives it. */
function scheduler(stored: Record<string, unknown> = {}, celsius = 20) {
  const clock = steppedClock(1000);
  const { budget, heat } = machineAt(celsius * 1000);
  const task = quickTask();
  const labels = task.training.minLabels;
  const facts: ScopeFacts = { wanted: true, labels, total: labels, regime: 0, busy: false };
  const told: string[] = [];
  const runs: { scope: string; end: (error?: Error) => void; options: HealOptions }[] = [];
  const train = (scope: Scope, options: HealOptions): Promise<Healed> =>
    new Promise((resolve, reject) => {
      const healed = { scope, version: null, rollout: null, attempts: [], reason: '', trainMs: 1 };
      const end = (error?: Error) =>
        error === undefined ? resolve(healed as unknown as Healed) : reject(error);
      options.signal?.addEventListener('abort', () => end(new GatewayError('cancelled', 'it was')));
      runs.push({ scope: scopeName(scope), end, options });
    });
  const states: States = {
    saveRollout: () => {},
    rollouts: () => [],
    saveNow: () => {},
    save: async (name, value) => {
      stored[name] = JSON.parse(JSON.stringify(value));
    },
    load: <T>(name: string) => stored[name] as T | undefined,
    loadAll: () => ({}),
    removeNow: () => {},
  };
  const scopeOf = (id: string): Scope => ({ kind: 'device', id });
  const own = createScheduler({
    ...{ task, states, clock, budget, automatic: true, train },
    facts: { scopeOf, scopes: () => [scopeOf('a')], of: () => facts },
    write: (kind, subject, data) => told.push(`${kind} ${subject}: ${data.reason}`),
  });
  return { own, facts, told, runs, heat, clock, stored };
}

describe('createScheduler()', () => {
  it('says why it trains, and trains one scope after the other', async () => {
    const { own, runs } = scheduler();
    own.consider('a');
    own.consider('b');
    await setImmediate();
    expect(runs.map(({ scope, options }) => [scope, options.reason])).toEqual([
      ['device:a', 'alarm'],
    ]);
    expect(own.state()).toMatchObject({ running: { scope: 'device:a' }, queue: [{}] });
    runs[0]!.end();
    await setImmediate();
    expect(runs.map(({ scope }) => scope)).toEqual(['device:a', 'device:b']);
  });

  it('tells of a training that went wrong, and goes on', async () => {
    const { own, runs, told } = scheduler();
    own.consider('a');
    own.consider('b');
    await setImmediate();
    runs[0]!.end(new RangeError('the loss is NaN'));
    await setImmediate();
    expect(told).toEqual(['train.failed device:a: the loss is NaN']);
    expect(runs).toHaveLength(2);
  });

  it('gives whoever asks the result, and what the budget would have said', async () => {
    const { own, runs, told } = scheduler({}, 84);
    own.consider('a');
    let despite: string[] = [];
    const onStart = (limits: string[]) => {
      despite = limits;
    };
    const asked = own.ask({ kind: 'fleet', id: '' }, { who: 'person', onStart });
    await setImmediate();
    expect(told).toEqual(['train.waiting device:a: waits: cpu 84 °C, starts below 75 °C']);
    expect(despite).toEqual(['cpu 84 °C, starts below 75 °C']);
    expect(runs[0]).toMatchObject({
      scope: 'fleet',
      options: { who: 'person', reason: 'hand, although cpu 84 °C, starts below 75 °C' },
    });
    runs[0]!.end();
    expect((await asked).trainMs).toBe(1);
    const again = own.ask({ kind: 'fleet', id: '' });
    await setImmediate();
    runs[1]!.end(new GatewayError('cancelled', 'enough'));
    await expect(again).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('stops a training that gets too hot, and takes it up again', async () => {
    const { own, runs, told, heat } = scheduler();
    own.consider('a');
    await setImmediate();
    heat(89_900);
    own.tick();
    expect(runs[0]!.options.signal?.aborted).toBe(false);
    heat(90_000);
    own.tick();
    await setImmediate();
    expect(told).toEqual([
      'train.waiting device:a: stops: cpu 90 °C, at most 90 °C',
      'train.waiting device:a: waits: cpu 90 °C, starts below 75 °C',
    ]);
    heat(74_900);
    own.tick();
    await setImmediate();
    expect(runs).toHaveLength(2);
    expect(told).toHaveLength(2);
  });

  it('trains by the clock what has new labels', async () => {
    const { own, runs, clock, stored } = scheduler({
      schedule: { rule: '', dueAt: 2000, queue: [], running: null, tried: {}, waits: null },
    });
    await clock.advance(999);
    own.tick();
    await setImmediate();
    expect(runs).toEqual([]);
    await clock.advance(1);
    own.tick();
    await setImmediate();
    expect(runs.map(({ options }) => options.reason)).toEqual(['alarm, time']);
    expect(stored.schedule).toMatchObject({ dueAt: null, running: { scope: 'device:a' } });
  });

  it('ends what nobody asked for when it closes, and begins with it the next time', async () => {
    const { own, stored, told } = scheduler();
    own.consider('a');
    own.consider('b');
    await setImmediate();
    const asked = own.ask({ kind: 'fleet', id: '' });
    const refused = expect(asked).rejects.toMatchObject({ code: 'cancelled' });
    await own.close();
    await refused;
    await expect(own.ask({ kind: 'fleet', id: '' })).rejects.toMatchObject({ code: 'cancelled' });
    expect(told).toEqual([]);
    const next = scheduler(stored);
    expect(next.own.state()).toMatchObject({
      running: null,
      queue: [{ scope: 'device:a' }, { scope: 'device:b' }],
    });
    next.own.tick();
    await setImmediate();
    expect(next.runs.map(({ scope }) => scope)).toEqual(['device:a']);
  });
});

describe('a gateway on a hot machine', () => {
  const rollout = { canaryShare: 0.34, soakWindows: 3, trialWindows: 40 };
  const task = quickTask({ rollout, schedule: { newLabels: 12, time: '', scope: 'device' } });
  const { ann, bob } = twoPeople(task, 12, 10);
  const kinds = (world: LoopWorld) => world.events({ kind: 'train.started' }).length;

  it('waits, also over a restart, and trains when it has cooled down', async () => {
    const { budget, heat } = machineAt(84_000);
    const world = await loopWorld({ task, ids: ['mover'], automatic: true, budget });
    await world.step();
    await world.teach(ann.learn, ann.test);
    expect(world.events({ kind: 'train.started' })[0]!.data.reason).toBe(
      'hand, although cpu 84 °C, starts below 75 °C',
    );
    for (const recording of bob.learn.slice(0, 14)) {
      await world.feed([recording]);
      const [sample] = world.store.samples.latest('mover', 1);
      const said = { sample: sample!.id, cls: recording.cls, source: 'person', trust: 1 };
      const truth = world.loop.truth(said);
      world.store.flush();
      await truth;
    }
    await world.step(10 * TICK_MS);
    const waiting = world.events({ kind: 'train.waiting' });
    expect(waiting.map(({ subject, data }) => [subject, data.reason])).toEqual([
      ['device:mover', 'waits: cpu 84 °C, starts below 75 °C'],
    ]);
    expect(kinds(world)).toBe(1);
    await world.restart();
    expect(world.loop.schedule.state().queue).toMatchObject([{ scope: 'device:mover' }]);
    await world.step(2 * TICK_MS);
    expect(kinds(world)).toBe(1);
    heat(60_000);
    await world.step(TICK_MS);
    for (let i = 0; i < 1000 && world.loop.schedule.state().running !== null; i++) {
      await setImmediate();
    }
    expect(kinds(world)).toBe(2);
    expect(world.events({ kind: 'train.started' })[1]!.data.reason).toContain('labels');
    expect(world.loop.schedule.state()).toMatchObject({ queue: [], running: null, waits: null });
  });
});
