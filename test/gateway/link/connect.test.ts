import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EVENT } from '../../../device/core/messages.ts';
import { type Connection, connect } from '../../../gateway/link/connect.ts';
import { pairedPorts } from '../../../gateway/link/port.ts';
import { type Faults, lossyPair, seeded } from '../../../gateway/link/virtual/lossy-port.ts';
import { deviceSuite } from '../../support/device-suite.ts';
import { steppedClock } from '../../support/link-clock.ts';
import { linkDevice } from '../../support/link-device.ts';
import { linkStore } from '../../support/link-store.ts';
import { keyStore } from '../../support/secure-link.ts';

const POLICY = { confidentOneIn: 1, uncertainBelow: 256, rawOneIn: 0 };

async function linked(options: Parameters<typeof linkDevice>[2] = {}) {
  const clock = steppedClock(1_000_000);
  const [a, b] = lossyPair(clock, 1);
  const store = linkStore(clock);
  const device = linkDevice(b, clock, options);
  const gateway = await connect(a, store.handlers(), { policy: POLICY, clock });
  await device.start();
  await clock.advance(100);
  return { clock, a, b, store, device, gateway };
}

const chance = fc.double({ min: 0, max: 0.3, noNaN: true });
const faultsOf: fc.Arbitrary<Faults> = fc.record({
  drop: chance,
  duplicate: chance,
  reorder: chance,
  corrupt: chance,
  cut: chance,
  stall: fc.double({ min: 0, max: 0.3, noNaN: true }),
  stallMs: fc.integer({ min: 10, max: 1500 }),
});

describe('connect()', () => {
  test.each(['none', 'ccm', 'mac'] as const)(
    '%s delivers each sample once or counts it lost, whatever the link does and whoever restarts',
    async (name) => {
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            seed: fc.integer(),
            faults: faultsOf,
            samples: fc.integer({ min: 3, max: 20 }),
            span: fc.integer({ min: 1, max: 12 }),
            fails: chance,
            restarts: fc.integer({ min: 0, max: 4 }),
            lateHello: fc.boolean(),
          }),
          async ({ seed, faults, samples, span, fails, restarts, lateHello }) => {
            const clock = steppedClock(1_000_000);
            const random = seeded(seed);
            const [a, b] = lossyPair(clock, seed, faults);
            const store = linkStore(clock, {
              commitMs: () => random() * 400,
              fails: () => random() < fails,
              lateHello,
            });
            const keys = keyStore();
            const present =
              name === 'none'
                ? undefined
                : keys.add('watch-1', { board: 't', suite: name, at: 0 }).present;
            const made = new Map<number, number>();
            const told = new Map<number, number>();
            let session = 100;
            const boot = () =>
              linkDevice(b, clock, {
                ...{ session, samples, span },
                ...(present && { suite: deviceSuite(name as 'ccm', present, session) }),
              });
            let device = boot();
            const gatewayOptions = { policy: POLICY, clock, keys };
            let gateway = await connect(a, store.handlers(), gatewayOptions);
            await device.start();
            for (let k = 0; k < 60; k++) {
              made.set(session, device.sample());
              await clock.advance(random() * 500);
              if (restarts > 0 && random() < 0.1) {
                restarts--;
                if (random() < 0.5) {
                  await gateway.close();
                  gateway = await connect(a, store.handlers(), gatewayOptions);
                } else {
                  await device.stop();
                  told.set(session, device.state.acked);
                  session++;
                  device = boot();
                  await device.start();
                }
              }
            }
            a.faults = {};
            b.faults = {};
            fails = 0;
            await clock.advance(300_000);
            expect(store.wrong).toEqual([]);
            const last = made.get(session) ?? 0;
            const stored = store.stored.get(session) ?? new Map();
            const lost = store.lost.get(session) ?? new Set();
            for (let seq = 1; seq <= last; seq++) {
              expect([seq, stored.has(seq) !== lost.has(seq)]).toEqual([seq, true]);
            }
            expect(stored.size + lost.size).toBe(last);
            for (const [of, kept] of store.stored) {
              for (const [seq, sample] of kept) {
                expect([...(sample.embedding ?? [])]).toEqual([seq & 255, -seq & 255, 128]);
                expect(seq).toBeLessThanOrEqual(made.get(of) as number);
              }
            }
            expect(device.state.acked).toBe(last);
            for (const [of, acked] of told) {
              for (let seq = 1; seq <= acked; seq++) {
                const kept = store.stored.get(of)?.has(seq);
                expect([of, seq, kept || store.lost.get(of)?.has(seq)]).toEqual([of, seq, true]);
              }
            }
            expect(lost.size).toBeLessThanOrEqual(device.state.dropped);
            expect(clock.waiting()).toBe(0);
            await gateway.close();
          },
        ),
        { numRuns: name === 'none' ? 150 : 75 },
      );
    },
  );

  test('acknowledges only after done(), and all that a commit finished with one ack', async () => {
    const { clock, store, device, gateway } = await linked();
    const before = gateway.stats().framesOut;
    for (let k = 0; k < 5; k++) device.sample();
    await clock.advance(24);
    expect(device.state.acked).toBe(0);
    await clock.advance(20);
    expect(device.state.acked).toBe(5);
    expect(gateway.stats().framesOut - before).toBe(1);
    expect(store.stored.get(77)?.size).toBe(5);
    expect(clock.waiting()).toBe(0);
  });

  test('is welcomed by a gateway that started later, within the time of a nudge', async () => {
    const clock = steppedClock();
    const [a, b] = lossyPair(clock, 5);
    const device = linkDevice(b, clock);
    await device.start();
    device.sample();
    await clock.advance(100_000);
    const store = linkStore(clock);
    await connect(a, store.handlers(), { policy: POLICY, clock });
    await clock.advance(100);
    expect(store.stored.get(77)?.size).toBe(1);
  });

  test('opens the port again when the cable was pulled, and goes on', async () => {
    const { clock, a, b, store, device } = await linked();
    device.sample();
    a.lose();
    device.sample();
    await b.open();
    await clock.advance(2000);
    expect(store.closes.map((why) => why?.message)).toEqual(['the cable was pulled']);
    expect([...(store.stored.get(77)?.keys() ?? [])]).toEqual([1, 2]);
  });

  test('hands a new policy to the device though messages get lost', async () => {
    const { clock, a, device, gateway } = await linked();
    a.faults = { drop: 1 };
    gateway.policy({ confidentOneIn: 7, uncertainBelow: 50, rawOneIn: 9 });
    await clock.advance(5000);
    expect(device.state.policy).toEqual([1, 256, 0]);
    a.faults = {};
    await clock.advance(8000);
    expect(device.state.policy).toEqual([7, 50, 9]);
    await clock.advance(60_000);
    expect(clock.waiting()).toBe(0);
  });

  test('asks for windows until they come or are gone, a few at a time', async () => {
    const { clock, a, store, device, gateway } = await linked({ samples: 6 });
    for (let k = 0; k < 10; k++) {
      device.sample();
      await clock.advance(100);
    }
    a.faults = { drop: 0.5 };
    gateway.ask([1, 2, 5, 6, 7, 8, 9, 10]);
    await clock.advance(200_000);
    expect(store.windows.map(({ seq }) => seq).sort((x, y) => x - y)).toEqual([5, 6, 7, 8, 9, 10]);
    expect([...(store.windows.find(({ seq }) => seq === 7)?.window ?? [])]).toEqual([
      7, 249, 0, 255,
    ]);
    expect(store.gone.sort()).toEqual([1, 2]);
    expect(store.stored.get(77)?.size).toBe(10);
    expect(clock.waiting()).toBe(0);
  });

  test('gives up windows that were asked for when the device has restarted', async () => {
    const { clock, b, store, device, gateway } = await linked();
    device.sample();
    await clock.advance(100);
    await device.stop();
    gateway.ask([1]);
    await linkDevice(b, clock, { session: 78 }).start();
    await clock.advance(1000);
    expect(store.gone).toEqual([1]);
  });

  test('refuses a device when onHello gives undefined', async () => {
    const clock = steppedClock();
    const [a, b] = lossyPair(clock, 3);
    const store = linkStore(clock);
    const handlers = { ...store.handlers(), onHello: () => undefined };
    await connect(a, handlers, { policy: POLICY, clock });
    const device = linkDevice(b, clock);
    await device.start();
    device.sample();
    await clock.advance(120_000);
    expect([device.state.up, store.stored.size]).toEqual([false, 0]);
  });

  test('passes events on when they are of this session', async () => {
    const { clock, store, device } = await linked();
    device.send(EVENT, [77, 4, 2950, 0]);
    device.send(EVENT, [76, 4, 1111, 0]);
    await clock.advance(10);
    expect(store.events.map(({ code, a }) => [code, a])).toEqual([[4, 2950]]);
  });

  test('waits for a port that is not there if it is told to, and tells each reason once', async () => {
    const clock = steppedClock();
    const [a, b] = pairedPorts();
    const [gone, taken] = ['there is no device', 'it is taken'];
    const tries = [gone, gone, gone, taken, taken, gone];
    let tried = 0;
    const port = {
      ...a,
      open: async () => {
        const why = tries[tried++];
        if (why !== undefined) throw new Error(why);
        await a.open();
      },
      ...{ write: a.write.bind(a), close: a.close.bind(a) },
      ...{ onData: a.onData.bind(a), onClose: a.onClose.bind(a) },
    };
    const told: (string | undefined)[] = [];
    const store = linkStore(clock);
    const handlers = {
      ...store.handlers(),
      onWaiting: (why?: Error) => void told.push(why?.message),
    };
    await expect(connect(port, handlers, { policy: POLICY, clock })).rejects.toThrow(gone);
    expect(told).toEqual([]);
    const gateway = await connect(port, handlers, { policy: POLICY, clock, patient: true });
    await clock.advance(60_000);
    expect(told).toEqual([gone, taken, gone, undefined]);
    await linkDevice(b, clock).start();
    await clock.advance(1000);
    expect(store.hellos[0]?.id).toBe('watch-1');
    await gateway.close();
    expect(tried).toBe(7);
  });

  test('never throws when anything at all arrives, and serves the next good frame', async () => {
    const clock = steppedClock();
    const [a, b] = pairedPorts();
    const store = linkStore(clock);
    const gateway: Connection = await connect(a, store.handlers(), { policy: POLICY, clock });
    await b.open();
    const random = seeded(9);
    for (let k = 0; k < 3000; k++) {
      b.write(Uint8Array.from({ length: 1 + random() * 60 }, () => random() * 256));
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(gateway.stats().badFrames).toBeGreaterThan(100);
    const device = linkDevice(b, clock);
    await device.start();
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(store.hellos.length).toBe(1);
    expect(store.hellos[0]).toMatchObject({ id: 'watch-1', release: 1, proto: 1, session: 77 });
  });
});
