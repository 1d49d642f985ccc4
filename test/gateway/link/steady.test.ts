import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HELLO, OFFER } from '../../../device/core/messages.ts';
import { compose } from '../../../gateway/compose.ts';
import type { Offer } from '../../../gateway/link/messages.ts';
import { steady } from '../../../gateway/link/port.ts';
import { loadTask } from '../../../gateway/task.ts';
import { steppedClock } from '../../support/link-clock.ts';
import { hello, rawDevice } from '../../support/raw-device.ts';

const HOUR_MS = 3_600_000;

/** A clock that can be set, as people and time servers do. */
function settable(startMs: number) {
  const inner = steppedClock(startMs);
  let skewMs = 0;
  return {
    ...inner,
    now: () => inner.now() + skewMs,
    set: (byMs: number): void => {
      skewMs += byMs;
    },
  };
}

describe('steady()', () => {
  it('never goes back, and goes on where it was when the clock is set', () => {
    const moves = fc.array(
      fc.record({ set: fc.integer({ max: 5000, min: -5000 }), on: fc.nat(99) }),
    );
    fc.assert(
      fc.property(moves, (all) => {
        let now = 10_000;
        const clock = steady({ ...steppedClock(), now: () => now });
        let last = clock.now();
        for (const { set, on } of all) {
          now += set;
          const after = clock.now();
          expect(after).toBe(last + Math.max(0, set));
          now += on;
          last = clock.now();
          expect(last).toBe(after + on);
        }
      }),
      { seed: 1 },
    );
  });

  it('begins no earlier than it is told, and runs from there', () => {
    const inner = settable(1000);
    const clock = steady(inner, 5000);
    expect(clock.now()).toBe(5000);
    inner.set(7);
    expect(clock.now()).toBe(5007);
    expect(steady(inner, 10).now()).toBe(1007);
  });
});

describe('a gateway whose clock is set back by an hour', () => {
  it('goes on offering', async () => {
    const clock = settable(2 * HOUR_MS);
    const gateway = compose({
      ...{ task: loadTask('gesture'), directory: ':memory:', clock, automatic: false, seed: 1 },
    });
    onTestFinished(() => gateway.close());
    const device = rawDevice();
    const connection = await gateway.loop.attach(device.port);
    device.say(HELLO, hello());
    await clock.advance(10);
    const id = new Uint8Array(8);
    const offer: Offer = {
      ...{ release: 1, version: id, goldenSeed: 1, goldenCount: 1, golden: new Uint8Array(6) },
      ...{
        trialWindows: 5,
        kind: 1,
        expires: 4_000_000_000,
        parts: [0, 1, 2].map(() => [id, 4, 1]) as Offer['parts'],
      },
    };
    connection.offer(
      offer,
      [0, 1, 2].map(() => new Uint8Array(4)),
    );
    await clock.advance(1500);
    const before = device.count(OFFER);
    clock.set(-HOUR_MS);
    await clock.advance(9000);
    expect(device.count(OFFER)).toBeGreaterThanOrEqual(before + 2);
  });

  it('writes nothing into its journal that is older than what stands there', async () => {
    const clock = settable(2 * HOUR_MS);
    const gateway = compose({
      ...{ task: loadTask('gesture'), directory: ':memory:', clock, automatic: false, seed: 1 },
    });
    onTestFinished(() => gateway.close());
    for (const [i, id] of ['one', 'two', 'three'].entries()) {
      const device = rawDevice(id);
      await gateway.loop.attach(device.port);
      device.say(HELLO, hello({ id }));
      await clock.advance(10);
      if (i === 0) clock.set(-HOUR_MS);
    }
    const seen = gateway.store.journal.find({ kind: 'device.seen' });
    expect(seen.map(({ subject }) => subject)).toEqual(['one', 'two', 'three']);
    const times = seen.map(({ at }) => at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});
