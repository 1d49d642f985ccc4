/**
 * The one table of messages, for both ends and for the documentation.
 *
 * On the wire a message is its code (one byte) and a CBOR array of its fields in order. A field's
 * type is a letter: i integer, I integer or null, t text (ASCII), b bytes, B bytes or null,
 * p the three parts of a model, each [id bytes, length, crc32].
 *
 * A device reads only `GATEWAY_SHAPES`; `MESSAGES` does not reach its bundle.
 */

import { type Cursor, type Decoded, item, MAX_DEPTH, refuse, take, type Value } from './cbor.ts';
import { flat } from './flat.ts';
import { GATEWAY } from './options.ts';

export const HELLO = 1;
export const SAMPLE = 2;
export const WANT = 3;
export const STATUS = 4;
export const EVENT = 5;
export const WELCOME = 16;
export const ACK = 17;
export const OFFER = 18;
export const CHUNK = 19;
export const CONFIRM = 20;
export const REVERT = 21;
export const ASK = 22;
export const REKEY = 23;

/** `expires` of an offer that never does. */
export const NEVER = 4294967295;

/** Version of the protocol, first field of `hello` for ever. */
export const PROTO = 1;

/** What a device takes from a gateway: the shape of each message's fields, from code 16 on. */
export const GATEWAY_SHAPES: readonly string[] = [
  '[iiiiii]',
  '[ii]',
  '[ib[[bii][bii][bii]]iibiii]',
  '[iiib]',
  '[i]',
  '[i]',
  '[ii]',
  '[ib]',
];

/** Every message: its code, who sends it, its fields in order, what it is for. */
export const MESSAGES = [
  {
    code: HELLO,
    name: 'hello',
    from: 'device',
    fields: {
      proto: 'i',
      session: 'i',
      nextSeq: 'i',
      dropped: 'i',
      id: 't',
      board: 't',
      task: 't',
      version: 'b',
      release: 'i',
      state: 'i',
      tier: 't',
      slotBytes: 'i',
    },
    note: 'Who I am and what I run; said until welcomed, with back-off. `session` is random at each boot, never 0. `state`: 0 empty, 1 confirmed, 2 trial. `dropped`: samples evicted before they were acknowledged, in this session.',
  },
  {
    code: SAMPLE,
    name: 'sample',
    from: 'device',
    fields: {
      session: 'i',
      seq: 'i',
      t: 'i',
      release: 'i',
      cls: 'i',
      score: 'i',
      length: 'i',
      embedding: 'B',
      window: 'B',
      label: 'I',
    },
    note: 'One window and its prediction. `seq` counts from 1 in each session; `t` is ms since boot. Resent until acknowledged.',
  },
  {
    code: WANT,
    name: 'want',
    from: 'device',
    fields: { release: 'i', part: 'i', offset: 'i', length: 'i' },
    note: 'Send these bytes of the offered release. Part: 0 pre, 1 backbone, 2 head.',
  },
  {
    code: STATUS,
    name: 'status',
    from: 'device',
    fields: { release: 'i', code: 'i', detail: 'i' },
    note: 'How the update goes; the codes are below.',
  },
  {
    code: EVENT,
    name: 'event',
    from: 'device',
    fields: { session: 'i', code: 'i', a: 'i', b: 'i' },
    note: 'Something happened; the codes are below.',
  },
  {
    code: WELCOME,
    name: 'welcome',
    from: 'gateway',
    fields: {
      session: 'i',
      time: 'i',
      ackSeq: 'i',
      confidentOneIn: 'i',
      uncertainBelow: 'i',
      rawOneIn: 'i',
    },
    note: 'Answer to `hello`, naming its session: the time in s, what of this session is durable, and the sending policy. The device then sends everything behind `ackSeq`. A new policy travels by asking for a hello.',
  },
  {
    code: ACK,
    name: 'ack',
    from: 'gateway',
    fields: { session: 'i', seq: 'i' },
    note: 'Every sample up to `seq` is durable or was reported dropped. Session 0 asks for a hello: the gateway does not know who is speaking, or has a new policy.',
  },
  {
    code: OFFER,
    name: 'offer',
    from: 'gateway',
    fields: {
      release: 'i',
      version: 'b',
      parts: 'p',
      goldenSeed: 'i',
      goldenCount: 'i',
      golden: 'b',
      trialWindows: 'i',
      kind: 'i',
      expires: 'i',
    },
    note: 'A model to fetch. Repeated until a `want` or `status` of the release comes, and again when they cease; a device that is fetching this release answers with its current `want`. `kind`: CRC-32 of board, space and task, ASCII. `expires`: s since 1970, 4294967295 for never; the same each time a release is offered.',
  },
  {
    code: CHUNK,
    name: 'chunk',
    from: 'gateway',
    fields: { release: 'i', part: 'i', offset: 'i', data: 'b' },
    note: 'The bytes of one `want`.',
  },
  {
    code: CONFIRM,
    name: 'confirm',
    from: 'gateway',
    fields: { release: 'i' },
    note: 'The trial has passed. Repeated until the `status` says so.',
  },
  {
    code: REVERT,
    name: 'revert',
    from: 'gateway',
    fields: { release: 'i' },
    note: 'Leave this release, back to the one before. Repeated until the `status` says so.',
  },
  {
    code: ASK,
    name: 'ask',
    from: 'gateway',
    fields: { session: 'i', seq: 'i' },
    note: 'Send this sample again with its raw window; a device that no longer has it answers with the event `gone`.',
  },
  {
    code: REKEY,
    name: 'rekey',
    from: 'gateway',
    fields: { generation: 'i', keys: 'b' },
    note: 'New keys, under the old ones: 16 bytes to the gateway, 16 from it. Once they are on flash the device answers under them with `hello` and the status `rekeyed`, whose release is the generation of the keys it has; a generation that is not higher than that changes nothing. Repeated until that status comes; what comes after it is under the new keys.',
  },
] as const;

/** Codes of `status`. */
export const STATUSES = {
  1: 'accepted',
  2: 'installed',
  3: 'selftest-equal',
  4: 'trial',
  5: 'confirmed',
  6: 'reverted',
  7: 'refused-size',
  8: 'refused-crc',
  9: 'refused-release',
  10: 'selftest-different',
  11: 'no-space',
  12: 'busy',
  13: 'reverted-unconfirmed',
  14: 'rekeyed',
  15: 'refused-board',
  16: 'refused-stale',
  17: 'refused-golden',
} as const;

export const DROPPED = 1;
export const BAD_FRAMES = 2;
export const GONE = 3;

/** Codes of `event`, with what `a` and `b` say. */
export const EVENTS = {
  1: 'dropped: nothing unacknowledged below seq `a` is held any more; `b` were dropped in this session',
  2: 'bad frames: `a` received since boot that were damaged, forged or repeated; said when there are more',
  3: 'gone: the window of seq `a` is not held any more',
  4: 'battery: `a` mV',
} as const;

/** One part of an offer: `[id, length in bytes, crc32]`. */
export type PartRef = [Uint8Array, number, number];

interface FieldTypes {
  i: number;
  I: number | null;
  t: string;
  b: Uint8Array;
  B: Uint8Array | null;
  p: [PartRef, PartRef, PartRef];
}

type Row = (typeof MESSAGES)[number];
export type MessageName = Row['name'];
type Typed<F> = {
  -readonly [K in keyof F]: F[K] extends keyof FieldTypes ? FieldTypes[F[K]] : never;
};

/** A message by name, its fields typed as the table says. */
export type Message<N extends MessageName> = Typed<Extract<Row, { name: N }>['fields']>;

/**
 * Encodes a message.
 *
 * @param code of the table
 * @param fields in the table's order
 * @returns the payload of one frame
 * @example pack(20, [7]) // new Uint8Array([20, 0x81, 7])
 */
export function pack(code: number, fields: readonly Value[]): Uint8Array {
  return flat([code, item(fields)]);
}

/** Adds a message to what a machine's step gives out. */
export function say(out: unknown[], code: number, fields: readonly Value[]): void {
  out.push(pack(code, fields));
}

/**
 * Decodes a message of a gateway. Never throws.
 *
 * @param payload of one frame
 * @returns its fields, byte strings as views into the payload; undefined when it is none of these
 * @example unpack(new Uint8Array([17, 0x82, 9, 4])) // [9, 4]
 */
export function unpack(payload: Uint8Array): Decoded[] | undefined {
  const rest = (GATEWAY ? refuse : undefined) as Cursor['rest'];
  const cursor: Cursor = { at: 1, shape: '', rest: rest };
  const fields = take(payload, cursor, MAX_DEPTH) as Decoded[];
  const known =
    cursor.at === payload.length && cursor.shape === GATEWAY_SHAPES[payload[0] - WELCOME];
  return known ? fields : undefined;
}
