import { crc32 } from 'node:zlib';
import { encodeFrame } from '../../../../../device/core/frame.ts';
import { ACK, HELLO, PROTO, pack, SAMPLE } from '../../../../../device/core/messages.ts';
import { none } from '../../../../link/suites/none.ts';
import { walk } from '../../tiny-model.ts';
import { cborMutators } from '../forms.ts';
import type { MakeTarget, Outcome } from '../target.ts';
import { createPair } from './pair.ts';
import { goodPayloads } from './payloads.ts';

/** Cases between two looks at the whole, and the time that passes then, ms. */
const EVERY = 256;
const PASSES_MS = 1000;
/** The longest payload that is framed. */
const MOST_BYTES = 3000;

/**
 * Damaged frames, said to both ends at once: neither takes any of them for a message, and the good
 * frames right behind them, a question and its answer, arrive.
 */
export const frames: MakeTarget = async () => {
  const pair = await createPair();
  const { device, link, heard, settle } = pair;
  let cases = 0;
  return {
    corpus: [...pair.frames],
    mutators: [],
    take: async (drawn): Promise<Outcome> => {
      const bytes = spoiled(drawn);
      const before = { ...heard, in: link.stats().framesIn, out: pair.said() };
      pair.toDevice(bytes);
      pair.toGateway(bytes);
      await settle();
      if (link.stats().framesIn !== before.in) throw new Error('the gateway took a damaged frame');
      if (pair.said() !== before.out) throw new Error('the device answered a damaged frame');
      if (device.flash.ops.length > 0) throw new Error('a damaged frame reached the flash');
      link.ask([1]);
      await settle();
      if (heard.gone !== before.gone + 1) throw new Error('a good frame behind a bad one was lost');
      const rest = heard.hellos - before.hellos + heard.samples - before.samples;
      if (rest + heard.others - before.others !== 0) throw new Error('something else was heard');
      if (++cases % EVERY === 0) {
        await settle(PASSES_MS);
        pair.forget();
      }
      return 'refused';
    },
    close: async () => {
      if (device.feedWindow(walk(1), 50) === undefined) throw new Error('the device has no model');
      await pair.end();
    },
  };
};

/**
 * Damaged messages in whole frames, as a device or gateway with a right key and wrong code would say
 * them: both ends go on, and a good hello, sample and acknowledgement behind each are taken.
 */
export const messages: MakeTarget = async () => {
  const pair = await createPair();
  const { device, link, heard, settle } = pair;
  const { seal } = none;
  let cases = 0;
  const hello = (session: number) =>
    encodeFrame(
      pack(HELLO, [
        ...[PROTO, session, 2, 0, `odd ${session % 3}`, 'espruino-linux', 'gesture'],
        ...[new Uint8Array(8), 1, 1, 'reference', 8192],
      ]),
      seal,
    );
  const sample = (session: number) =>
    encodeFrame(pack(SAMPLE, [session, 1, 5, 1, 2, 90, 50, null, null, null]), seal);
  const who = encodeFrame(pack(ACK, [0, 0]), seal);
  return {
    corpus: goodPayloads(),
    mutators: cborMutators(1),
    take: async (drawn) => {
      const frame = encodeFrame(drawn.slice(0, MOST_BYTES), seal);
      const known = link.stats().badMessages;
      pair.toDevice(frame);
      pair.toGateway(frame);
      await settle(2); // pages are erased in this time
      const isMessage = link.stats().badMessages === known;
      const session = 1_000_000 + cases;
      const before = { ...heard, in: link.stats().framesIn, out: pair.said() };
      pair.toGateway(hello(session));
      pair.toGateway(sample(session));
      if (link.stats().framesIn !== before.in + 2) throw new Error('a good frame was lost');
      if (heard.samples !== before.samples + 1) throw new Error('a good sample was not taken');
      await settle();
      const answered = pair.said();
      pair.toDevice(who);
      await settle();
      if (pair.said() === answered) throw new Error('the device does not say who it is');
      if (++cases % EVERY === 0) {
        await settle(PASSES_MS);
        if (device.feedWindow(walk(cases), 50) === undefined) throw new Error('no model runs');
        pair.forget();
      }
      return isMessage ? 'taken' : 'refused';
    },
    close: () => pair.end(),
  };
};

/** Damages what is a whole frame still, or again, by the rules of docs/link.md: that is another attack. */
function spoiled(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  for (let from = 0; from < out.length; ) {
    const zero = out.indexOf(0, from);
    const end = zero < 0 ? out.length : zero;
    for (let at = from; isWhole(out.subarray(from, end)); at++) {
      out[at] = out[at] === 1 ? 3 : out[at]! ^ 1;
    }
    from = end + 1;
  }
  return out;
}

/** Whether bytes between two zeros are stuffed as the paper says, and have their CRC-32 behind them. */
function isWhole(stuffed: Uint8Array): boolean {
  const bytes: number[] = [];
  let at = 0;
  while (at < stuffed.length) {
    const code = stuffed[at]!;
    bytes.push(...stuffed.subarray(at + 1, at + code));
    at += code;
    if (code < 255 && at < stuffed.length) bytes.push(0);
  }
  const n = bytes.length - 4;
  if (at !== stuffed.length || n < 1) return false;
  const [body, seal] = [Buffer.from(bytes.slice(0, n)), Buffer.from(bytes.slice(n))];
  return crc32(body) === seal.readUInt32LE();
}
