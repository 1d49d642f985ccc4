import { encodeFrame, feed, frameDecoder } from '../../../../device/core/frame.ts';
import { PROTO } from '../../../../device/core/messages.ts';
import { composeMessage } from '../../../link/messages.ts';
import { ccm } from '../../../link/suites/ccm.ts';
import { none } from '../../../link/suites/none.ts';
import {
  KEY_BYTES,
  layOut,
  MOST,
  nonceOf,
  type SealedFrame,
  takeApart,
} from '../../../link/suites/suite.ts';
import type { Random } from '../../../random.ts';
import { noise } from '../bytes/mutate.ts';

/** Which end of a cable hears something. */
export type End = 'gateway' | 'device';

/** Somebody on the cable of a device with keys: hears everything, says what he likes, has no key. */
export interface Attacker {
  /** Hears bytes on their way to an end. @returns a frame of his own, said behind them, now and then */
  hears(to: End, bytes: Uint8Array): Uint8Array | undefined;
}

/** What all attackers know and do. */
export interface Ring {
  random: Random;
  /** of what is written, how much is followed by a frame of theirs, 0 to 1 */
  share: number;
  /** frames that they said */
  said: number;
  /** heard last on any cable, by the end that they were for */
  heard: Record<End, Uint8Array[]>;
}

/** Frames remembered of each cable and end, and of all cables together. */
const MOST_HEARD = 64;
const MOST_BYTES = 4096;
/** Samples that an attacker tells a device are stored: its ring would be empty. */
const ALL = 60_000;

/** @param device whose name he takes */
export function attacker(device: string, ring: Ring): Attacker {
  const { random } = ring;
  const own: Record<End, Uint8Array[]> = { gateway: [], device: [] };
  const newest: Partial<Record<End, SealedFrame>> = {};
  const decoders = { gateway: frameDecoder(MOST_BYTES), device: frameDecoder(MOST_BYTES) };
  const one = (from: readonly Uint8Array[]): Uint8Array | undefined =>
    from[random.integer(Math.max(1, from.length))];

  /** What would do harm if it were believed. */
  function harmful(to: End): Uint8Array {
    const session = newest.gateway?.from ?? 1;
    if (to === 'device') return composeMessage('ack', { session, seq: ALL });
    const nothing = { embedding: null, window: null, label: null };
    if (random.integer(2) === 0) {
      const of = { session, seq: 1 + random.integer(200), t: 1, release: 1 };
      return composeMessage('sample', { ...of, cls: 0, score: 1, length: 1, ...nothing });
    }
    const running = { version: new Uint8Array(8), release: 9, state: 1, slotBytes: 4096 };
    const about = { id: device, board: 'puckjs', task: 'gesture', tier: 'reference', ...running };
    return composeMessage('hello', { proto: PROTO, session, nextSeq: ALL, dropped: ALL, ...about });
  }

  const tricks: ((to: End) => Uint8Array | undefined)[] = [
    (to) => one(own[to]), // once more
    (to) => one(ring.heard[to]), // of another device
    (to) => one(own[to === 'device' ? 'gateway' : 'device']), // back to whom it came from
    (to) => encodeFrame(harmful(to), none.seal), // without keys
    // under a key of his own, in the epochs that are under way
    (to) => {
      const before = newest[to];
      if (before === undefined) return undefined;
      const { from, n } = before;
      const next = Math.min(MOST, n + 1 + random.integer(3));
      const nonce = nonceOf(from, newest[to === 'device' ? 'gateway' : 'device']?.from ?? 0, next);
      const sealed = ccm.seal(noise(random, KEY_BYTES), nonce, harmful(to));
      return encodeFrame(layOut({ from, n: next, ...sealed }), (bytes) => bytes);
    },
    // a frame of before in the place of a later one
    (to) => {
      const before = newest[to];
      if (before === undefined) return undefined;
      return encodeFrame(layOut({ ...before, n: Math.min(MOST, before.n + 1) }), (bytes) => bytes);
    },
  ];

  return {
    hears(to, bytes) {
      for (const heard of [own[to], ring.heard[to]]) {
        heard.push(bytes.slice());
        if (heard.length > MOST_HEARD) heard.shift();
      }
      const look = (sealed: Uint8Array): undefined => {
        const frame = none.open(sealed) === undefined ? takeApart(sealed.slice()) : undefined;
        if (frame !== undefined) newest[to] = frame;
      };
      feed(decoders[to], bytes, look, () => {});
      if (random.uniform(0, 1) >= ring.share) return undefined;
      const frame = tricks[random.integer(tricks.length)]!(to);
      if (frame !== undefined) ring.said++;
      return frame;
    },
  };
}
