import { crc32 } from 'node:zlib';
import type { Decoded } from '../../device/core/cbor.ts';
import { encodeFrame, feed, frameDecoder, plainSuite } from '../../device/core/frame.ts';
import { GREET, TICK, WINDOW } from '../../device/core/inputs.ts';
import {
  type About,
  type LinkState,
  next,
  type Policy,
  startLink,
} from '../../device/core/link.ts';
import { HELLO, pack, REKEY, STATUS, unpack } from '../../device/core/messages.ts';
import type { Clock, Port } from '../../gateway/link/port.ts';
import type { DeviceSuite } from './device-suite.ts';

const plain = plainSuite((bytes) => crc32(bytes));

/** A message that was received. */
export interface Packet {
  code: number;
  fields: Decoded[];
}

/** The device's end of the link in Node: machine, frames and port, nothing else. */
export interface LinkDevice {
  readonly state: LinkState;
  start(): Promise<void>;
  /** A new window; gives its seq. */
  sample(fields?: { score?: number; label?: number | null; window?: Int8Array }): number;
  about(change: { release?: number; state?: number }): void;
  send(code: number, fields: Parameters<typeof pack>[1]): void;
  /** Power off: nothing more is heard from it. */
  stop(): Promise<void>;
  /** messages that are not the link's, such as offers */
  readonly others: Packet[];
  onOther: (packet: Packet) => void;
}

/** Makes a device on a port; it begins with `start`. */
export function linkDevice(
  port: Port,
  clock: Clock,
  options: {
    id?: string;
    session?: number;
    policy?: Policy;
    samples?: number;
    span?: number;
    release?: number;
    /** with keys: of this boot; default `none` */
    suite?: DeviceSuite;
  } = {},
): LinkDevice {
  let about: About = [
    options.id ?? 'watch-1',
    'test',
    'gesture',
    new Uint8Array(8),
    options.release ?? 1,
    1,
    'reference',
    4096,
  ];
  const state = startLink(
    options.session ?? 77,
    options.policy ?? [1, 256, 0],
    options.samples ?? 32,
    options.span ?? 8,
  );
  const decoder = frameDecoder(2048);
  const suite = options.suite ?? plain;
  const bound = () => options.suite === undefined || options.suite.theirs > 0;
  let timer: unknown;
  let dead = false;

  function run(code: number, fields: unknown[]): void {
    if (dead) return;
    for (const payload of next(state, code, fields, clock.now())) {
      if (bound() || payload[0] === HELLO) port.write(encodeFrame(payload, suite.seal));
    }
    if (timer !== undefined) clock.clearTimeout(timer);
    timer = undefined;
    if (state.due === Infinity) return;
    timer = clock.setTimeout(() => run(TICK, []), Math.max(0, state.due - clock.now()));
  }

  /** Takes keys of a higher generation, and answers under those that it has then. */
  function rekey([generation, keys]: [number, Uint8Array]): void {
    const mine = options.suite;
    if (mine === undefined) return;
    if (generation > mine.keys.generation) {
      mine.keys = { generation, up: keys.slice(0, 16), down: keys.slice(16) };
      run(GREET, about);
    }
    device.send(STATUS, [mine.keys.generation, 14, 0]);
  }

  const device: LinkDevice = {
    get state() {
      return state;
    },
    others: [],
    onOther: () => {},
    start: async () => {
      port.onData((bytes) => {
        if (dead) return;
        feed(decoder, bytes, suite.open, (payload) => {
          const fields = unpack(payload.slice());
          if (fields === undefined) return;
          const packet = { code: payload[0], fields };
          device.others.push(packet);
          if (packet.code === REKEY) rekey(fields as [number, Uint8Array]);
          else if (packet.code > 17 && packet.code < 22) device.onOther(packet);
          else run(packet.code, fields);
        });
      });
      await port.open();
      run(GREET, about);
    },
    sample: (fields = {}) => {
      const seq = state.made + 1;
      const window = fields.window ?? new Int8Array([seq, -seq, 0, -1]);
      const embedding = new Int8Array([seq, -seq, -128]);
      const { score = 10, label = null } = fields;
      run(WINDOW, [1, seq % 6, score, window.length, embedding, window, label]);
      return seq;
    },
    about: (change) => {
      about = [...about];
      about[4] = change.release ?? about[4];
      about[5] = change.state ?? about[5];
      run(GREET, about);
    },
    send: (code, fields) => port.write(encodeFrame(pack(code, fields), suite.seal)),
    stop: async () => {
      dead = true;
      if (timer !== undefined) clock.clearTimeout(timer);
      await port.close();
    },
  };
  return device;
}
