import { describe, expect, test } from 'vitest';
import { CHUNK } from '../../../device/core/messages.ts';
import { type Connection, connect } from '../../../gateway/link/connect.ts';
import { createOutbox } from '../../../gateway/link/outbox.ts';
import type { Port } from '../../../gateway/link/port.ts';
import { lossyPair } from '../../../gateway/link/virtual/lossy-port.ts';
import { type SteppedClock, steppedClock } from '../../support/link-clock.ts';
import { linkDevice } from '../../support/link-device.ts';
import { linkStore } from '../../support/link-store.ts';
import { POLICY } from '../../support/secure-link.ts';

/** A port that sends so many bytes a second, in order, and says how many it still has. */
function slowPort(port: Port, clock: SteppedClock, bytesPerSecond: number) {
  const queue: Uint8Array[] = [];
  let queued = 0;
  let most = 0;
  let drained = () => {};
  const sendNext = (): void => {
    const [bytes] = queue;
    if (bytes === undefined) return;
    clock.setTimeout(
      () => {
        queue.shift();
        queued -= bytes.length;
        port.write(bytes);
        drained();
        sendNext();
      },
      (bytes.length / bytesPerSecond) * 1000,
    );
  };
  const slow: Port = {
    ...port,
    flow: {
      get queued() {
        return queued;
      },
      onDrain: (next) => {
        drained = next;
      },
    },
    write(bytes) {
      queued += bytes.length;
      most = Math.max(most, queued);
      if (queue.push(bytes) === 1) sendNext();
    },
  };
  return { slow, most: () => most };
}

describe('createOutbox()', () => {
  const idle: Port = {
    ...{ name: 'p', open: async () => {}, close: async () => {} },
    ...{ write: () => {}, onData: () => {}, onClose: () => {} },
  };
  const bytes = (length: number, value = 0) => new Uint8Array(length).fill(value);

  test('sends at once on a port that tells nothing of its queue', () => {
    const sent: Uint8Array[] = [];
    const outbox = createOutbox({ ...idle, write: (frame) => sent.push(frame) });
    for (let k = 0; k < 100; k++) outbox.put('a', bytes(1, k), () => bytes(900, k));
    expect([sent.length, outbox.waiting]).toEqual([100, 0]);
  });

  test('keeps what waits in order, replaces what is outdated, and forgets the oldest of too many', () => {
    let queued = 0;
    let drain = () => {};
    const sent: number[] = [];
    const outbox = createOutbox({
      ...idle,
      write: (frame) => {
        queued += frame.length;
        sent.push(frame[0]!);
      },
      flow: {
        get queued() {
          return queued;
        },
        onDrain: (next) => {
          drain = next;
        },
      },
    });
    const put = (key: string, value: number) =>
      outbox.put(key, bytes(1, value), () => bytes(300, value));
    put('a', 1);
    put('b', 2);
    put('c', 3);
    put('d', 4);
    put('c', 5); // instead of 3, in its place
    put('a', 1); // still in the port's queue: not again
    expect([sent, outbox.waiting]).toEqual([[1, 2], 2]);
    queued -= 300;
    drain();
    expect(sent).toEqual([1, 2, 5]);
    put('a', 1); // that one is on its way by now
    queued = 0;
    drain();
    expect(sent).toEqual([1, 2, 5, 4, 1]);
    for (let k = 10; k < 60; k++) put(`k${k}`, k);
    expect(outbox.waiting).toBe(32);
    outbox.clear();
    queued = 0;
    drain();
    expect(sent).toEqual([1, 2, 5, 4, 1]);
  });
});

describe('a port that drains at 100 bytes a second', () => {
  test('never holds more than a frame beyond its bound, and gets the whole model', async () => {
    const clock = steppedClock(1_000_000);
    const [a, b] = lossyPair(clock, 1);
    const { slow, most } = slowPort(a, clock, 100);
    const store = linkStore(clock);
    const gateway: Connection = await connect(slow, store.handlers(), { policy: POLICY, clock });
    const device = linkDevice(b, clock);
    await device.start();
    await clock.advance(5000);
    const part = Uint8Array.from({ length: 4000 }, (_, i) => i % 251);
    const got: number[] = [];
    device.onOther = ({ code, fields }) => {
      if (code === CHUNK && fields[2] === got.length) got.push(...(fields[3] as Uint8Array));
    };
    const empty = new Uint8Array(0);
    gateway.offer(
      {
        ...{ release: 5, version: new Uint8Array(8), goldenSeed: 1, goldenCount: 0 },
        ...{ golden: empty, trialWindows: 0, kind: 0, expires: 2 ** 32 - 1 },
        parts: [
          [empty, 1, 1],
          [empty, 1, 1],
          [new Uint8Array(8), 4000, 1],
        ],
      },
      [empty, empty, part],
    );
    let waited = 0;
    let chunks = 0;
    for (let second = 0; second < 120; second++) {
      // an impatient device: it asks again each second, and is told of every window besides
      device.send(3, [5, 2, got.length, 256]);
      for (let k = 0; k < 4; k++) device.sample();
      gateway.ask([1 + (second % 50)]);
      await clock.advance(1000);
      waited = Math.max(waited, gateway.stats().waiting);
      chunks = gateway.stats().framesOut;
    }
    expect(got.length).toBe(4000);
    expect(Uint8Array.from(got)).toEqual(part);
    expect(most()).toBeLessThan(512 + 300);
    expect(waited).toBeLessThanOrEqual(8);
    expect(chunks).toBeGreaterThan(16);
    expect(device.state.acked).toBeGreaterThan(200);
    await gateway.close();
  });
});
