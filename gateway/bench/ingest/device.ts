import { crc32 } from 'node:zlib';
import {
  encodeFrame,
  type FrameDecoder,
  feed,
  frameDecoder,
  plainSuite,
  type Suite,
} from '../../../device/core/frame.ts';
import { GREET, WINDOW } from '../../../device/core/inputs.ts';
import { type LinkState, next, startLink } from '../../../device/core/link.ts';
import { ACK, HELLO, unpack, WELCOME } from '../../../device/core/messages.ts';
import { type Cipher, secureSuite } from '../../../device/core/secure.ts';
import { CIPHERS, peerCcm } from '../../link/virtual/node-ciphers.ts';
import { createRandom } from '../../random.ts';
import type { Task } from '../../task.ts';

/** Under way at once, as many as a gateway takes. */
export const SPAN = 256;
/** Embedding of the gesture task: its features, since the cut is 0. */
const EMBEDDING = 50;
/** Time between two gestures of one device, ms. */
export const BETWEEN_MS = 2000;

/** A device's keys for the suites that have some: generation, up, down, as it has them on flash. */
export type Secret = Uint8Array;

/** What is drawn of a window: the gesture task's answers, with one distribution for ever. */
export function windowsOf(index: number, task: Task) {
  const random = createRandom(index + 1);
  return (): { cls: number; score: number; embedding: Int8Array } => ({
    cls: random.integer(task.classes.length),
    score: Math.min(255, Math.max(0, Math.round(random.gaussian() * 40 + 110))),
    embedding: Int8Array.from({ length: EMBEDDING }, () => random.integer(256) - 128),
  });
}

/** A device whose frames are made beforehand: the device's own link, frames and suite; no sensor. */
export interface FrameDevice {
  /** it said hello and was welcomed */
  readonly isUp: boolean;
  /** frames of windows, one after another, and where each ends */
  make(windows: number): { bytes: Uint8Array; ends: number[] };
  hello(): void;
  /** Takes what the gateway sent. @returns the seq that is acknowledged by now */
  receive(bytes: Uint8Array): number;
}

/** The feeder is not what is measured: its CCM is Node's as a whole, the faster one. */
const ciphers: Record<'ccm' | 'mac', Cipher> = { ccm: peerCcm, mac: CIPHERS.mac };

/**
 * A device of the gesture task as the gateway hears it: link, CBOR, suite and COBS are the device's own
 * code; scores, classes and embeddings are drawn, with one distribution for ever.
 *
 * @param index gives its id, and its own stream of chance
 * @param task whose classes and sending policy
 * @param suite of its frames; `secret` with the suites that have keys
 * @param send puts bytes on its wire
 * @param version of the model that it says it runs, as release 1: 8 bytes
 */
export function frameDevice(
  index: number,
  task: Task,
  suite: 'none' | 'ccm' | 'mac',
  secret: Secret | undefined,
  send: (bytes: Uint8Array) => void,
  version = new Uint8Array(8),
): FrameDevice {
  const window = windowsOf(index, task);
  const { confidentOneIn, uncertainBelow, rawOneIn } = task.send;
  const state: LinkState = startLink(7, [confidentOneIn, uncertainBelow, rawOneIn], SPAN, SPAN);
  const decoder: FrameDecoder = frameDecoder(2048);
  const protection: Suite =
    suite === 'none'
      ? plainSuite((bytes) => crc32(bytes))
      : secureSuite(ciphers[suite], 7, secret as Uint8Array);
  const raw = new Int8Array(task.window.samples * task.sensor.axes.length);
  let acked = 0;
  let made = 0;

  const run = (code: number, fields: unknown[]): Uint8Array[] => next(state, code, fields, 0);

  /** Fields of a window; its raw samples, which are sent when they are asked for alone, are all alike. */
  function drawn(): unknown[] {
    const { cls, score, embedding } = window();
    return [1, cls, score, task.window.samples, embedding, raw, null];
  }

  return {
    get isUp() {
      return state.up;
    },
    make(windows) {
      const frames: Uint8Array[] = [];
      for (let i = 0; i < windows; i++) {
        const payloads = next(state, WINDOW, drawn(), ++made * BETWEEN_MS);
        for (const payload of payloads) frames.push(encodeFrame(payload, protection.seal));
        // beforehand: as if it were acknowledged at once, so that the ring never holds it back
        next(state, ACK, [state.session, made], made * BETWEEN_MS);
      }
      const ends: number[] = [];
      let end = 0;
      for (const frame of frames) {
        end += frame.length;
        ends.push(end);
      }
      return { bytes: new Uint8Array(Buffer.concat(frames)), ends };
    },
    hello() {
      const about = [
        ...[deviceId(index), boardOf(suite), task.name, version, 1, 1, 'reference', 4096],
      ];
      for (const payload of run(GREET, about)) send(encodeFrame(payload, protection.seal));
    },
    receive(bytes) {
      feed(decoder, bytes, protection.open, (payload) => {
        const fields = unpack(payload);
        if (fields === undefined) return;
        const [session, seq] = fields as number[];
        if (payload[0] === ACK && session === state.session) acked = Math.max(acked, seq!);
        // a second welcome, after a hello that was repeated, would have the windows made sent again
        else if ((payload[0] === WELCOME && !state.up) || payload[0] === ACK) {
          for (const answer of run(payload[0], fields)) {
            if (answer[0] === HELLO) send(encodeFrame(answer, protection.seal));
          }
        }
      });
      return acked;
    },
  };
}

/** A board that uses this suite: a gateway turns those away that could use a stronger one. */
export const boardOf = (suite: 'none' | 'ccm' | 'mac'): string =>
  suite === 'mac' ? 'pixljs' : 'puckjs';

/** @param index of a device */
export const deviceId = (index: number): string => `watch-${index + 1}`;
