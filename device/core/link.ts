/**
 * The device's end of the link: hello until welcomed, samples until acknowledged.
 *
 * `next` is the whole machine: no clock, no port. The caller sends what it returns and calls it
 * again at `state.due`, which is Infinity while nothing is outstanding. State is handed over and
 * changed in place, since a copy is more than a small board can afford.
 */

import type { Decoded, Value } from './cbor.ts';
import { ACK, ASK, DROPPED, EVENT, GONE, HELLO, PROTO, pack, SAMPLE, WELCOME } from './messages.ts';

/** First wait for an answer, and the longest; between them it doubles. */
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30000;

/** The tail of `hello`. */
export type About = [
  id: string,
  board: string,
  task: string,
  version: Uint8Array,
  release: number,
  state: number,
  tier: string,
  slotBytes: number,
];

/** What is sent of a window: `[confidentOneIn, uncertainBelow, rawOneIn]`. */
export type Policy = number[];

/** A finished window and what the model made of it; both arrays are copied if kept. */
export type SampleFields = [
  release: number,
  cls: number,
  score: number,
  length: number,
  embedding: Int8Array,
  window: Int8Array,
  label: number | null,
];

/** A sample in the ring. */
interface Kept {
  /** fields of the message `sample`; the window (8) is filled in when it is sent */
  f: Value[];
  seq: number;
  window: Int8Array | null;
  /** whether the window travels unasked */
  whole: boolean;
  bytes: number;
}

export interface LinkState {
  session: number;
  about: About;
  policy: Policy;
  /** the ring holds this many samples at most, with this many bytes of embeddings and windows */
  samples: number;
  bytes: number;
  /** how many samples may be under way */
  span: number;
  ring: Kept[];
  held: number;
  /** number of the next sample */
  seq: number;
  /** the gateway has everything up to here */
  acked: number;
  sent: number;
  dropped: number;
  up: boolean;
  wait: number;
  due: number;
}

export type LinkInput =
  /** the port is open, or what `hello` says has changed */
  | { t: 'greet'; now: number; about: About }
  | { t: 'close'; now: number }
  | { t: 'tick'; now: number }
  /** `code` and `fields` from `unpack` with GATEWAY_SHAPES */
  | { t: 'message'; now: number; code: number; fields: Decoded[] }
  | { t: 'sample'; now: number; f: SampleFields };

export interface LinkStep {
  state: LinkState;
  /** payloads to send, in order */
  effects: Uint8Array[];
}

/**
 * A link that waits for its port: the first input is `greet`, samples may come before it.
 *
 * @param session random, at least 1, another one at each boot
 * @param about what `hello` says
 * @param policy used until the gateway sends its own
 * @param samples at most in the ring, at least 1
 * @param bytes of embeddings and windows at most in the ring
 * @param span samples under way at once; the gateway takes up to 256
 * @returns the state before the first input
 */
export function startLink(
  session: number,
  about: About,
  policy: Policy,
  samples: number,
  bytes: number,
  span: number,
): LinkState {
  return {
    session: session,
    about: about,
    policy: policy,
    samples: samples,
    bytes: bytes,
    span: span,
    ring: [],
    held: 0,
    seq: 1,
    acked: 0,
    sent: 0,
    dropped: 0,
    up: false,
    wait: FIRST_WAIT_MS,
    due: 1 / 0,
  };
}

/**
 * How much of a window is sent. Its prediction always is: nothing is lost, accuracy stays
 * measurable. The embedding goes along when the model was not sure, and for one in N when it was;
 * the raw window when a person labelled it, and for one in M.
 *
 * @param policy `[confidentOneIn, uncertainBelow, rawOneIn]`; 0 for none
 * @param seq number of the sample
 * @param score 0 to 255
 * @param label class given on the device, or null
 * @returns 0 the prediction, 1 and the embedding, 2 and the raw window
 * @example travels([10, 64, 0], 20, 200, null) // 1
 */
export function travels(policy: Policy, seq: number, score: number, label: number | null): number {
  if (label !== null || (policy[2] > 0 && seq % policy[2] === 0)) return 2;
  return score < policy[1] || (policy[0] > 0 && seq % policy[0] === 0) ? 1 : 0;
}

function say(step: LinkStep, code: number, fields: Value[]): void {
  step.effects.push(pack(code, fields));
}

function sendSample(step: LinkStep, kept: Kept, asked: boolean): void {
  kept.f[0] = step.state.session;
  kept.f[8] = asked || kept.whole ? kept.window : null;
  say(step, SAMPLE, kept.f);
}

/**
 * Puts a sample into the ring and makes room: first what is acknowledged goes, then raw windows
 * that nobody asked for, then the oldest samples, which are counted.
 */
function keep(s: LinkState, now: number, f: SampleFields): void {
  const ring = s.ring;
  const much = travels(s.policy, s.seq, f[2], f[6]);
  const window = new Int8Array(f[5]);
  const fields: Value[] = [s.session, s.seq, now];
  const kept = {
    f: fields.concat(f),
    seq: s.seq,
    window: window,
    whole: much > 1,
    bytes: window.length,
  };
  kept.f[7] = null;
  if (much > 0) {
    kept.f[7] = new Int8Array(f[4]);
    kept.bytes += f[4].length;
  }
  ring.push(kept);
  s.held += kept.bytes;
  s.seq++;
  let k = 0;
  while (ring.length > s.samples || s.held > s.bytes) {
    const first = ring[0];
    if (ring.length <= s.samples && first.seq > s.acked && k < ring.length) {
      const spare = ring[k];
      if (spare.window !== null && !spare.whole) {
        s.held -= spare.window.length;
        spare.bytes -= spare.window.length;
        spare.window = null;
      }
      k++;
    } else {
      if (first.seq > s.acked) s.dropped++;
      s.held -= first.bytes;
      ring.shift();
    }
  }
}

/** Number of the oldest sample that is held and not acknowledged. */
function lowest(s: LinkState): number {
  if (s.ring.length === 0) return s.seq;
  return Math.max(s.ring[0].seq, s.acked + 1);
}

function greet(s: LinkState, now: number): void {
  s.up = false;
  s.wait = FIRST_WAIT_MS;
  s.due = now;
}

function receive(step: LinkStep, now: number, code: number, f: Decoded[]): void {
  const s = step.state;
  const ring = s.ring;
  const seq = f[code === WELCOME ? 2 : 1] as number;
  if (code === ACK && f[0] === 0) greet(s, now);
  if (f[0] !== s.session) return;
  if (code === WELCOME) {
    s.policy = [f[3] as number, f[4] as number, f[5] as number];
    s.up = true;
    if (seq >= s.seq) {
      // Another boot had the same number: what the gateway has is not ours.
      s.session++;
      greet(s, now);
      return;
    }
  }
  if (code === WELCOME || (code === ACK && s.up && seq > s.acked && seq < s.seq)) {
    s.sent = code === ACK ? Math.max(s.sent, seq) : seq;
    s.acked = seq;
    s.wait = FIRST_WAIT_MS;
    s.due = now + s.wait;
  }
  if (code === ASK && s.up) {
    const kept = ring.length > 0 ? ring[seq - ring[0].seq] : undefined;
    if (kept === undefined || kept.window === null) say(step, EVENT, [s.session, GONE, seq, 0]);
    else sendSample(step, kept, true);
  }
}

/**
 * One step of the machine.
 *
 * @param state from `startLink` or the step before; belongs to the machine
 * @param input what happened, `now` in ms since boot
 * @returns the state and payloads to send, in order
 */
export function next(state: LinkState, input: LinkInput): LinkStep {
  const s = state;
  const now = input.now;
  const step: LinkStep = { state: s, effects: [] };
  if (input.t === 'greet') {
    s.about = input.about;
    greet(s, now);
  }
  if (input.t === 'close') {
    s.up = false;
    s.due = 1 / 0;
  }
  if (input.t === 'sample') keep(s, now, input.f);
  if (input.t === 'message') receive(step, now, input.code, input.fields);
  if (now >= s.due) {
    s.due = now + s.wait;
    s.wait = Math.min(s.wait * 2, LONGEST_WAIT_MS);
    s.sent = s.acked;
    if (!s.up) {
      const hello: Value[] = [PROTO, s.session, s.seq, s.dropped];
      say(step, HELLO, hello.concat(s.about));
    }
  }
  if (s.up) {
    const low = lowest(s);
    if (s.sent < low - 1) {
      say(step, EVENT, [s.session, DROPPED, low, s.dropped]);
      s.sent = low - 1;
    }
    while (s.sent < s.seq - 1 && s.sent < low - 1 + s.span) {
      s.sent++;
      sendSample(step, s.ring[s.sent - s.ring[0].seq], false);
    }
    if (s.acked === s.seq - 1) s.due = 1 / 0;
    else if (s.due === 1 / 0) s.due = now + s.wait;
  }
  return step;
}
