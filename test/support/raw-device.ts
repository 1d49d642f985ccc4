import { setImmediate } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { Decoded, Value } from '../../device/core/cbor.ts';
import { encodeFrame, feed, frameDecoder } from '../../device/core/frame.ts';
import { HELLO, pack, SAMPLE, unpack } from '../../device/core/messages.ts';
import { nodeSuite } from '../../gateway/link/connect.ts';
import type { Port } from '../../gateway/link/port.ts';

/** A device by hand: it says what it is told to say, true or not, and keeps what it hears. */
export interface RawDevice {
  readonly port: Port;
  readonly heard: { code: number; fields: Decoded[] }[];
  /** how many messages of this code were heard */
  count(code: number): number;
  say(code: number, fields: readonly Value[]): void;
  /** A frame whose check sum is right, whatever it holds. */
  frame(payload: Uint8Array): void;
  /** Bytes as they are. */
  bytes(bytes: Uint8Array): void;
  /** The port is lost (with why) or closed. */
  drop(why?: Error): void;
}

const suite = nodeSuite();

/** @param name of its port */
export function rawDevice(name = 'raw'): RawDevice {
  let receive: (bytes: Uint8Array) => void = () => {};
  let closed: (why?: Error) => void = () => {};
  const heard: RawDevice['heard'] = [];
  const decoder = frameDecoder(16_384);
  const port: Port = {
    name,
    open: async () => {},
    close: async () => {},
    write: (bytes) =>
      feed(decoder, bytes, suite.open, (payload) => {
        const fields = unpack(payload.slice());
        if (fields !== undefined) heard.push({ code: payload[0]!, fields });
      }),
    onData: (receiver) => {
      receive = receiver;
    },
    onClose: (receiver) => {
      closed = receiver;
    },
  };
  const device: RawDevice = {
    port,
    heard,
    count: (code) => heard.filter((message) => message.code === code).length,
    say: (code, fields) => device.frame(pack(code, fields)),
    frame: (payload) => receive(encodeFrame(payload, suite.seal)),
    bytes: (bytes) => receive(bytes),
    drop: (why) => closed(why),
  };
  return device;
}

/** Fields of a hello, in the table's order. */
export function hello(change: Record<string, Value> = {}): Value[] {
  const fields = {
    ...{ proto: 1, session: 77, nextSeq: 1, dropped: 0, id: 'raw', board: 'banglejs2' },
    ...{ task: 'gesture', version: new Uint8Array(8), release: 0, state: 0, tier: 'reference' },
    slotBytes: 100_000,
  };
  return Object.values({ ...fields, ...change });
}

const window = Uint8Array.from({ length: 150 }, (_, i) => (i * 37) % 100);

/** Fields of a sample of the gesture task, in the table's order. */
export function sample(change: Record<string, Value> = {}): Value[] {
  const fields = { session: 77, seq: 1, t: 5000, release: 0, cls: 1, score: 50, length: 50 };
  return Object.values({ ...fields, embedding: null, window, label: null, ...change });
}

/** Says hello, waits for its answer, and sends one good window. */
export async function goodWindow(device: RawDevice, id: string, session: number): Promise<void> {
  device.say(HELLO, hello({ id, session }));
  await setImmediate();
  device.say(SAMPLE, sample({ session }));
}

/** Promises that nobody cared for while the test runs: in a gateway each of them is its end. */
export function rejections(): unknown[] {
  const found: unknown[] = [];
  const note = (why: unknown): void => void found.push(why);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  return found;
}
