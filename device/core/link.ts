/**
 * The device's end of the link: hello until welcomed, samples until acknowledged.
 *
 * `next` is the whole machine: no clock, no port. The caller sends what it returns and calls it
 * again at `state.due`, which is Infinity while nothing is outstanding. State belongs to the
 * machine and is changed in place, since a copy is more than a small board can afford.
 */

import type { Value } from './cbor.ts';
import { GREET, WINDOW } from './inputs.ts';
import { ACK, ASK, DROPPED, EVENT, GONE, HELLO, PROTO, SAMPLE, say, WELCOME } from './messages.ts';
import { PLAIN } from './options.ts';

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

/** A finished window and what the model made of it; both arrays are the link's from then on. */
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
  /** fields of the message `sample`; the session (0) and window (8) are filled in when it is sent */
  fields: Value[];
  raw: Int8Array;
  /** whether the window travels unasked */
  whole: boolean;
}

export interface LinkState {
  session: number;
  about: Value[];
  policy: Policy;
  /** the ring holds this many samples at most */
  samples: number;
  /** how many samples may be under way */
  span: number;
  /** the newest samples, without a gap: the last is number `made` */
  ring: Kept[];
  made: number;
  /** the gateway has everything up to here */
  acked: number;
  sent: number;
  dropped: number;
  up: boolean;
  wait: number;
  due: number;
  /** payloads to send, of the newest step */
  out: Uint8Array[];
}

/**
 * A link that waits for its port: the first input is GREET, samples may come before it.
 *
 * @param session at least 1, another one at each boot: random, or the epoch of a secure suite
 * @param policy used until the gateway sends its own
 * @param samples at most in the ring, at least 1
 * @param span samples under way at once; the gateway takes up to 256
 * @returns the state before the first input
 */
export function startLink(
  session: number,
  policy: Policy,
  samples: number,
  span: number,
): LinkState {
  return {
    session: session,
    about: [],
    policy: policy,
    samples: samples,
    span: span,
    ring: [],
    made: 0,
    acked: 0,
    sent: 0,
    dropped: 0,
    up: false,
    wait: 0,
    due: 1 / 0,
    out: [],
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

/** Sends a sample, or says that it is gone. */
function sendSample(s: LinkState, seq: number, asked: boolean): void {
  const kept = s.ring[seq - 1 - s.made + s.ring.length];
  if (kept === undefined) say(s.out, EVENT, [s.session, GONE, seq, 0]);
  else {
    kept.fields[0] = s.session;
    kept.fields[8] = asked || kept.whole ? kept.raw : null;
    say(s.out, SAMPLE, kept.fields);
  }
}

/** Puts a sample into the ring; the oldest makes room, and counts unless it is acknowledged. */
function keep(s: LinkState, f: SampleFields, now: number): void {
  s.made++;
  const much = travels(s.policy, s.made, f[2], f[6]);
  const fields: Value[] = [0, s.made, now];
  s.ring.push({ fields: fields.concat(f), raw: f[5], whole: much > 1 });
  if (much < 1) s.ring[s.ring.length - 1].fields[7] = null;
  if (s.ring.length > s.samples) {
    s.ring.shift();
    if (s.made - s.ring.length > s.acked) s.dropped++;
  }
}

/**
 * One step of the machine. Time is an input, and inputs that are not the link's change nothing.
 *
 * @param s from `startLink`; belongs to the machine
 * @param code GREET with what `hello` says (see About): the port is open, or that has changed;
 *   WINDOW with the fields of a sample; TICK; WELCOME, ACK or ASK with their fields
 * @param f fields
 * @param now ms since boot
 * @returns payloads to send, in order
 */
export function next(s: LinkState, code: number, f: unknown[], now: number): Uint8Array[] {
  const mine = f[0] === s.session;
  const welcome = mine && code === WELCOME;
  const seq = f[welcome ? 2 : 1] as number;
  // Another boot had the same number: what the gateway has is not ours. An epoch never comes twice.
  const clash = PLAIN && welcome && seq > s.made;
  s.out = [];
  if (code === WINDOW) keep(s, f as SampleFields, now);
  if (code === GREET) s.about = f as Value[];
  if (welcome) s.policy = f.slice(3) as Policy;
  if (clash) s.session++;
  if (clash || code === GREET || (code === ACK && f[0] === 0)) {
    s.up = false;
    s.wait = FIRST_WAIT_MS;
    s.due = now;
  } else if (welcome || (mine && code === ACK && s.up && seq > s.acked && seq <= s.made)) {
    s.up = true;
    if (welcome || seq > s.sent) s.sent = seq;
    s.acked = seq;
    s.wait = FIRST_WAIT_MS;
    s.due = now + s.wait;
  }
  if (mine && code === ASK && s.up) sendSample(s, seq, true);
  if (now >= s.due) {
    s.due = now + s.wait;
    s.wait = Math.min(s.wait * 2, LONGEST_WAIT_MS);
    s.sent = s.acked;
    if (!s.up) {
      const hello: Value[] = [PROTO, s.session, s.made + 1, s.dropped];
      say(s.out, HELLO, hello.concat(s.about));
    }
  }
  if (s.up) {
    const base = Math.max(s.made - s.ring.length, s.acked);
    if (s.sent < base) {
      say(s.out, EVENT, [s.session, DROPPED, base + 1, s.dropped]);
      s.sent = base;
    }
    while (s.sent < Math.min(s.made, base + s.span)) {
      s.sent++;
      sendSample(s, s.sent, false);
    }
    if (s.acked === s.made) s.due = 1 / 0;
    else if (s.due === 1 / 0) s.due = now + s.wait;
  }
  return s.out;
}
