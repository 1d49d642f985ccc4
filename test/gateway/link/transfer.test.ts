import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { STATUS, WANT } from '../../../device/core/messages.ts';
import { connect } from '../../../gateway/link/connect.ts';
import type { Offer } from '../../../gateway/link/messages.ts';
import { type Faults, lossyPair, seeded } from '../../../gateway/link/virtual/lossy-port.ts';
import { type SteppedClock, steppedClock } from '../../support/link-clock.ts';
import { type LinkDevice, linkDevice } from '../../support/link-device.ts';
import { linkStore } from '../../support/link-store.ts';

const POLICY = { confidentOneIn: 1, uncertainBelow: 256, rawOneIn: 0 };
const id = new Uint8Array(8);

function model(release: number, seed: number): { offer: Offer; parts: Uint8Array[] } {
  const random = seeded(seed);
  const parts = [20, 333, 70].map((n) => Uint8Array.from({ length: n }, () => random() * 256));
  const refs = parts.map((part) => [id, part.length, 0]) as Offer['parts'];
  const golden = new Uint8Array(12);
  return {
    parts,
    offer: {
      release,
      version: id,
      parts: refs,
      goldenSeed: 1,
      goldenCount: 2,
      golden,
      trialWindows: 9,
      kind: 5,
      expires: 4_000_000_000,
    },
  };
}

/** Fetches what is offered, the head and the backbone only, 64 bytes at a time. */
function fetcher(device: LinkDevice, clock: SteppedClock) {
  const got = [new Uint8Array(0), new Uint8Array(0), new Uint8Array(0)];
  const order = [2, 1];
  let offered: { release: number; lengths: number[] } | undefined;
  let running = 1;
  let trial = false;
  const status = (release: number, code: number) => device.send(STATUS, [release, code, 0]);
  const want = (): void => {
    if (offered === undefined) return;
    const { release, lengths } = offered;
    const part = order.find((p) => got[p].length < lengths[p]);
    if (part !== undefined) {
      const left = lengths[part] - got[part].length;
      device.send(WANT, [release, part, got[part].length, Math.min(64, left)]);
      return;
    }
    offered = undefined;
    running = release;
    trial = true;
    status(release, 2);
    status(release, 4);
    device.about({ release, state: 2 });
  };
  const retry = (): unknown =>
    clock.setTimeout(() => {
      if (offered === undefined) return;
      want();
      retry();
    }, 2000);
  device.onOther = ({ code, fields }) => {
    const [release, part, offset, data] = fields as [number, number, number, Uint8Array];
    if (code === 18) {
      if (release === running) return status(release, trial ? 4 : 5);
      if (release < running) return status(release, 9);
      if (offered === undefined) retry();
      const refs = fields[2] as unknown as [Uint8Array, number, number][];
      offered ??= { release, lengths: refs.map((ref) => ref[1]) };
      status(release, 1);
      want();
    } else if (code === 19) {
      if (offered?.release !== release || got[part].length !== offset) return;
      got[part] = Uint8Array.from([...got[part], ...data]);
      want();
    } else if (code === 20) {
      trial = false;
      status(running, 5);
      device.about({ state: 1 });
    } else if (code === 21) {
      if (release === running) running = 1;
      trial = false;
      status(release, 6);
      device.about({ release: running, state: 1 });
    }
  };
  return { got, running: () => ({ release: running, trial }) };
}

async function linked(faults: Faults, seed: number) {
  const clock = steppedClock();
  const [a, b] = lossyPair(clock, seed, faults);
  const store = linkStore(clock);
  const device = linkDevice(b, clock, {});
  const fetched = fetcher(device, clock);
  const gateway = await connect(a, store.handlers(), { policy: POLICY, clock });
  await device.start();
  await clock.advance(10);
  return { clock, a, b, store, device, gateway, fetched };
}

describe('offer(), confirm() and revert()', () => {
  test('send just the wanted bytes of a release, and count each frame that it took', async () => {
    const { clock, gateway, fetched, store } = await linked({}, 1);
    const { offer, parts } = model(5, 1);
    gateway.offer(offer, parts);
    await clock.advance(1000);
    expect(fetched.running()).toEqual({ release: 5, trial: true });
    expect(fetched.got).toEqual([new Uint8Array(0), parts[1], parts[2]]);
    expect(store.statuses.map(({ code }) => code)).toEqual([1, 2, 4]);
    const wire = gateway.stats().wire.get(5)!;
    // 403 bytes in 8 chunks: 8 to 12 bytes around each (code, CBOR head and numbers, CRC, COBS).
    expect(wire.sent).toBeGreaterThan(403 + 8 * 12);
    expect(wire.sent).toBeLessThan(403 + 8 * 20 + 120);
    expect(wire.received).toBeGreaterThan(11 * 10);
    expect(wire.received).toBeLessThan(11 * 16);
    expect([...gateway.stats().wire.keys()]).toEqual([5]);
    expect(clock.waiting()).toBeLessThan(2);
  });

  test('arrive whatever the link does', async () => {
    const chance = fc.double({ min: 0, max: 0.3, noNaN: true });
    const faults = fc.record({
      drop: chance,
      duplicate: chance,
      reorder: chance,
      corrupt: chance,
      cut: fc.double({ min: 0, max: 0.15, noNaN: true }),
      stall: fc.double({ min: 0, max: 0.1, noNaN: true }),
      stallMs: fc.integer({ min: 10, max: 1500 }),
    });
    await fc.assert(
      fc.asyncProperty(faults, fc.integer(), fc.boolean(), async (faults, seed, revert) => {
        const { clock, a, b, gateway, fetched, store, device } = await linked(faults, seed);
        device.sample();
        const { offer, parts } = model(5, seed);
        gateway.offer(offer, parts);
        await clock.advance(1_500_000);
        expect(fetched.running()).toEqual({ release: 5, trial: true });
        expect([fetched.got[1], fetched.got[2]]).toEqual([parts[1], parts[2]]);
        expect(store.statuses.some(({ release, code }) => release === 5 && code === 4)).toBe(true);
        if (revert) gateway.revert(5);
        else gateway.confirm(5);
        await clock.advance(600_000);
        expect(fetched.running()).toEqual({ release: revert ? 1 : 5, trial: false });
        const last = revert ? 6 : 5;
        expect(store.statuses.some(({ release, code }) => release === 5 && code === last)).toBe(
          true,
        );
        a.faults = {};
        b.faults = {};
        await clock.advance(100_000);
        const { framesOut } = gateway.stats();
        await clock.advance(1_000_000);
        expect([gateway.stats().framesOut, clock.waiting()]).toEqual([framesOut, 0]);
      }),
      { numRuns: 60 },
    );
  });

  test('learn from a hello what a lost status would have said', async () => {
    const { clock, b, gateway, store, device } = await linked({}, 1);
    device.onOther = () => {};
    const { offer, parts } = model(5, 1);
    gateway.offer(offer, parts);
    await clock.advance(100);
    expect(store.statuses).toEqual([]);
    device.about({ release: 5, state: 2 });
    await clock.advance(100);
    gateway.confirm(5);
    await clock.advance(100);
    device.about({ release: 4, state: 1 });
    await clock.advance(100);
    expect(store.statuses).toEqual([
      { release: 5, code: 4, detail: 0 },
      { release: 5, code: 6, detail: 4 },
    ]);
    const { framesOut } = gateway.stats();
    await clock.advance(100_000);
    expect(gateway.stats().framesOut).toBe(framesOut);
    await b.close();
  });

  test('end when the device refuses, and go on asking while it is busy', async () => {
    const { clock, gateway, device } = await linked({}, 1);
    let offers = 0;
    let code = 12;
    device.onOther = (packet) => {
      if (packet.code !== 18) return;
      offers++;
      device.send(STATUS, [5, code, 0]);
    };
    const { offer, parts } = model(5, 1);
    gateway.offer(offer, parts);
    await clock.advance(8000);
    expect(offers).toBe(4);
    code = 7;
    await clock.advance(500_000);
    expect([offers, clock.waiting()]).toEqual([5, 0]);
  });

  test('do not answer wants when they are for another release or outside a part', async () => {
    const { clock, gateway, device } = await linked({}, 1);
    const chunks: number[] = [];
    device.onOther = ({ code, fields }) =>
      code === 19 && chunks.push((fields[3] as Uint8Array).length);
    const { offer, parts } = model(5, 1);
    gateway.offer(offer, parts);
    await clock.advance(20);
    const wants = [
      [4, 1, 0, 64],
      [5, 3, 0, 64],
      [5, -1, 0, 64],
      [5, 1, 333, 1],
      [5, 1, -4, 8],
      [5, 1, 0, 0],
    ];
    for (const want of wants) device.send(WANT, want);
    await clock.advance(20);
    expect(chunks).toEqual([]);
    device.send(WANT, [5, 1, 300, 64]);
    device.send(WANT, [5, 1, 0, 2 ** 40]);
    await clock.advance(20);
    expect(chunks).toEqual([33, 333]);
  });
});
