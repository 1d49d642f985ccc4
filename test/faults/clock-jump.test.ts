import { describe, expect, it } from 'vitest';
import { loopWorld } from '../support/loop-world.ts';
import { twoPeople } from '../support/people.ts';
import { quickTask } from '../support/tasks.ts';

const DAY = 86_400_000;
const task = quickTask({ send: { confidentOneIn: 1, uncertainBelow: 48, rawOneIn: 0 } });
const { ann } = twoPeople(task, 12, 1);

describe("a gateway whose computer's clock is set", () => {
  it.each([
    ['forward, then back', [400 * DAY, -400 * DAY]],
    ['back, then forward', [-400 * DAY, 400 * DAY]],
    ['back to 1970, where a box without a clock begins', [-Date.UTC(2026, 0, 1), 0]],
    ['by a little, both ways', [-5000, 90_000]],
  ])('%s: loses, repeats and reorders nothing, over restarts', async (_how, jumps) => {
    let set = 0;
    const gatewayClock = (clock: { now(): number }) =>
      ({ ...clock, now: () => clock.now() + set }) as never;
    const world = await loopWorld({ task, ids: ['w1'], gatewayClock });
    await world.step();
    await world.teach(ann.learn, ann.test);
    for (const jump of jumps) {
      set += jump;
      await world.feed(ann.test.slice(0, 4));
      // a restart while the clock is wrong, with windows newer than any event
      world.store.flush();
      world.takeImage();
      await world.revive();
      await world.feed(ann.test.slice(0, 4));
    }
    for (let i = 0; i < 5; i++) await world.step();
    const samples = world.store.samples.find({ device: 'w1' });
    const seqs = samples.map(({ seq }) => seq).sort((a, b) => a - b);
    const { length } = world.device('w1').predictions;
    expect(length).toBeGreaterThan(16);
    expect(seqs).toEqual(Array.from({ length }, (_, i) => i + 1));
    expect(world.store.counts()).toMatchObject({ duplicates: 0, dropped: 0, quarantined: 0 });
    for (const rows of [samples, world.events()]) {
      const times = rows.map(({ at }) => at);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  });
});
