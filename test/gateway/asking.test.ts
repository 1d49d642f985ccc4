import { describe, expect, it } from 'vitest';
import { createAsking } from '../../gateway/asking.ts';
import type { Task } from '../../gateway/task.ts';
import { type LoopWorld, loopWorld } from '../support/loop-world.ts';
import { twoPeople } from '../support/people.ts';
import { quickTask } from '../support/tasks.ts';

// every window comes with its embedding, none with its raw samples
const task = quickTask({
  rollout: { canaryShare: 0.34, soakWindows: 3, trialWindows: 40 },
  send: { confidentOneIn: 1, uncertainBelow: 255, rawOneIn: 0 },
});
const people = twoPeople(task, 12, 8);
const { learn, test: own } = people.ann;
const device = { kind: 'device', id: 'w1' } as const;
/** windows that the board of the virtual devices holds */
const RING = 32;

async function taught(of: Task = task): Promise<LoopWorld> {
  const world = await loopWorld({ task: of, ids: ['w1'] });
  await world.step();
  await world.teach(learn, own);
  return world;
}

/** Somebody says what a window was. */
async function says(world: LoopWorld, sample: number, cls: number): Promise<void> {
  const truth = world.loop.truth({ sample, cls, source: 'person', trust: 1 });
  world.store.flush();
  await truth;
}

describe('ask()', () => {
  it('brings the raw windows that it chose from the device, bit for bit', async () => {
    const world = await taught();
    const fed = people.bob.test.slice(0, 12);
    await world.feed(fed);
    const newest = world.store.samples.latest('w1', fed.length).reverse();
    expect(newest.every(({ window }) => window === null)).toBe(true);
    const { chosen } = world.loop.asking.ask(4, device, 'person');
    expect(chosen).toHaveLength(4);
    await world.step();
    const ids = new Set(chosen.map(({ id }) => id));
    newest.forEach(({ id }, i) => {
      const { window, length } = fed[i]!;
      const want = ids.has(id) ? window.subarray(0, length * 3) : null;
      expect(world.store.samples.get(id)?.window).toEqual(want);
    });
    expect(world.events({ kind: 'label.asked' })).toMatchObject([
      { subject: 'device:w1', data: { who: 'person', samples: expect.any(Array) } },
    ]);
  });

  it('asks for no window twice, none that is labelled and none that is set aside', async () => {
    const world = await taught({ ...task, send: { ...task.send, rawOneIn: 1 } });
    await world.feed(people.bob.test.slice(0, 6));
    world.device('w1').feedWindow(new Int8Array(150).fill(9), 50);
    await world.step();
    const [bad] = world.store.samples.find({ device: 'w1', quarantined: true });
    expect(bad?.quarantine).toBe('stuck sensor');
    const all = world.loop.asking.ask(200, device, 'person');
    expect(all.chosen).toHaveLength(all.candidates);
    expect(all.chosen.map(({ id }) => id)).not.toContain(bad?.id);
    expect(world.loop.asking.ask(200, device, 'person').chosen).toEqual([]);
    await world.feed(people.bob.test.slice(6, 9));
    const [third, second, first] = world.store.samples.latest('w1', 3);
    await says(world, second!.id, 1);
    const more = world.loop.asking.ask(200, device, 'person').chosen.map(({ id }) => id);
    expect(new Set(more)).toEqual(new Set([first!.id, third!.id]));
  });

  it('chooses the beginning of what a greater budget would have got', async () => {
    const chosenOf = async (count: number) => {
      const world = await taught();
      await world.feed(people.bob.test.slice(0, 10));
      return world.loop.asking.ask(count, device, 'person').chosen.map(({ t }) => t);
    };
    expect(await chosenOf(3)).toEqual((await chosenOf(6)).slice(0, 3));
  });

  it('leaves out what the device has evicted, and says how much that is', async () => {
    const world = await taught();
    const before = world.store.samples.count({ device: 'w1' });
    for (let round = 0; round < 5; round++) await world.feed(people.bob.test.slice(0, 10));
    const total = world.store.samples.count({ device: 'w1', withWindow: false });
    expect(total).toBeGreaterThan(before);
    const { candidates, outOfReach } = world.loop.asking.ask(1, device, 'person');
    expect(candidates).toBe(RING);
    expect(outOfReach).toBe(total - RING);
  });

  it('says gone of a window that the device has evicted meanwhile', async () => {
    const world = await taught();
    await world.feed(people.bob.test.slice(0, 3));
    world.cut('w1', true);
    const { chosen } = world.loop.asking.ask(2, device, 'person');
    for (let i = 0; i < RING; i++) {
      const { window, length } = people.bob.test[i % 10]!;
      world.device('w1').feedWindow(window, length);
    }
    world.cut('w1', false);
    for (let i = 0; i < 20; i++) await world.step();
    const gone = world.events({ kind: 'label.gone' }).map(({ data }) => data.sample);
    const names = chosen.map(({ session, seq }) => `w1/${session}:${seq}`);
    expect(new Set(gone)).toEqual(new Set(names));
    for (const { id } of chosen) {
      expect(world.loop.asking.whereabouts(world.store.samples.get(id)!)).toBe('gone');
    }
  });

  it('fetches what it had asked for after the gateway started again', async () => {
    const world = await taught();
    await world.feed(people.bob.test.slice(0, 5));
    world.cut('w1', true);
    const { chosen } = world.loop.asking.ask(2, device, 'person');
    await world.step();
    expect(chosen.map(({ id }) => world.store.samples.get(id)?.window)).toEqual([null, null]);
    await world.restart();
    for (let i = 0; i < 20; i++) await world.step();
    for (const { id } of chosen) {
      expect(world.store.samples.get(id)?.window).toBeInstanceOf(Int8Array);
    }
  });
});

describe('ask() says what is missing, and when to ask again,', () => {
  const missing = (world: LoopWorld, count = 5): string | null =>
    world.loop.asking.ask(count, device, 'person').missing;

  it('when no model serves the scope', async () => {
    const world = await loopWorld({ task, ids: ['w1'] });
    await world.step();
    expect(missing(world)).toMatch(/^no model serves device:w1 yet, .* whetstone rollouts$/);
  });

  it('when no window has come, from a device that is here and from one that is not', async () => {
    const world = await taught();
    // a new regime: what came before it is of another world
    const since = world.loop.regime('w1');
    expect(since).toBe(0);
    const { store, registry } = world.gateway;
    const asking = createAsking({
      ...{ task, store, registry, clock: world.clock, seed: 1, fetch: () => {} },
      ...{ regime: () => world.clock.now(), wantsLabels: () => false, automatic: true },
      online: () => world.loop.online.keys(),
    });
    const ask = () => asking.ask(5, device, 'person').missing;
    expect(ask()).toBe('no window of device:w1 has come yet; ask again in a minute');
    world.cut('w1', true);
    for (const { id } of store.devices.list()) world.loop.forget(id);
    expect(ask()).toContain('none of its devices is connected: whetstone devices');
  });

  it('when there are fewer than wanted, when all were asked for, and when all are out of reach', async () => {
    const world = await taught();
    await world.feed(people.bob.test.slice(0, 6));
    expect(missing(world, 2)).toBeNull();
    expect(missing(world, 200)).toMatch(/^there are no more for now; ask again/);
    const open = world.store.samples.count({ device: 'w1', asked: true, labelled: false });
    expect(open).toBeGreaterThan(2);
    expect(missing(world)).toContain(`${open} that were asked for before still wait`);
    await world.feed(people.bob.test.slice(6, 9));
    world.device('w1').restart();
    for (let i = 0; i < 3; i++) await world.step();
    expect(missing(world)).toContain('no device holds the raw samples');
  });
});

describe('learn()', () => {
  const fed = people.bob.test.slice(0, 24);
  /** What is asked for after some labels, by a gateway that learned from them or did not. */
  async function chosen(labels: number, learns: boolean): Promise<number[]> {
    const world = await taught({ ...task, send: { ...task.send, rawOneIn: 1 } });
    await world.feed(fed);
    const samples = world.store.samples.latest('w1', fed.length).reverse();
    for (const [i, { id }] of samples.slice(0, labels).entries()) {
      await says(world, id, fed[i]!.cls);
    }
    if (learns) await world.loop.asking.learn(device);
    return world.loop.asking.ask(6, device, 'person').chosen.map(({ t }) => t);
  }

  it('goes by a head that knows the newest labels, and not by what runs', async () => {
    expect(await chosen(8, true)).not.toEqual(await chosen(8, false));
    expect(await chosen(8, true)).toEqual(await chosen(8, true));
  });

  it('changes nothing while nothing is labelled', async () => {
    expect(await chosen(0, true)).toEqual(await chosen(0, false));
  });
});

describe('settle()', () => {
  it('draws windows as they come: each of them sometimes, whatever the champion says of it', async () => {
    const world = await taught({ ...task, send: { ...task.send, rawOneIn: 1 } });
    await world.feed([...people.ann.test, ...people.bob.test].slice(0, 60));
    const { store, registry } = world.gateway;
    const open = store.samples.find({ device: 'w1', labelled: false, asked: false });
    const askedBy = (seed: number, fails: boolean): number[] => {
      const asking = createAsking({
        ...{ task: { ...task, labels: { ...task.labels, askedToSettle: 72 } } },
        ...{ store, registry, clock: world.clock, seed, regime: () => 0, automatic: false },
        ...{ wantsLabels: () => false, online: () => [], fetch: () => {} },
      });
      let ids: number[] = [];
      const undone = () =>
        store.transaction(() => {
          const count = asking.settle(device, { classes: [], devices: ['w1'], fails });
          ids = store.samples.find({ device: 'w1', asked: true }).map(({ id }) => id);
          expect(ids).toHaveLength(count);
          throw new Error('asked for nothing after all');
        });
      expect(undone).toThrow('after all');
      return ids;
    };
    const drawn = Array.from({ length: 20 }, (_, seed) => askedBy(seed, true));
    expect(new Set(drawn.map(({ length }) => length))).toEqual(new Set([24]));
    expect(new Set(drawn.flat())).toEqual(new Set(open.map(({ id }) => id)));
    expect(askedBy(1, true)).toEqual(askedBy(1, true));
    expect(askedBy(1, false)).toEqual([]);
  });
});

describe('tick()', () => {
  it('asks by itself while a device wants labels, as many at a time as the task says', async () => {
    const world = await taught();
    const { store, registry } = world.gateway;
    const { loop, clock } = world;
    let wants = false;
    const asking = createAsking({
      ...{ task: { ...task, labels: { ...task.labels, askedAtOnce: 3 } } },
      ...{
        store,
        registry,
        clock,
        seed: 1,
        regime: loop.regime,
        wantsLabels: () => wants,
        automatic: true,
      },
      online: () => loop.online.keys(),
      fetch: (id, seqs) => loop.online.get(id)?.ask(seqs),
    });
    const open = () => store.samples.find({ device: 'w1', asked: true, labelled: false });
    await world.feed(people.bob.test.slice(0, 10));
    asking.tick();
    expect(open()).toEqual([]);
    wants = true;
    asking.tick();
    asking.tick();
    await world.step();
    expect(open().map(({ window }) => window !== null)).toEqual([true, true, true]);
    await says(world, open()[0]!.id, 1);
    asking.tick();
    expect(open()).toHaveLength(3);
    expect(world.events({ kind: 'label.asked' }).map(({ data }) => data.who)).toEqual([
      ...['gateway', 'gateway'],
    ]);
  });
});
