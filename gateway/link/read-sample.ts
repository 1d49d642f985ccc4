import { type Message, SAMPLE } from '../../device/core/messages.ts';

/** CBOR: an array of ten, null, and the first bytes of integers from 0 and of byte strings. */
const TEN = 0x8a;
const NULL = 0xf6;
const BYTES = 0x40;

/** Where reading is; -1 where something else came than is read here. */
let at = 0;

/** A number from 0 of up to four bytes, of the major type whose first byte is given. */
function count(bytes: Uint8Array, major: number): number {
  const info = bytes[at] - major;
  if (info < 24 && info >= 0) {
    at++;
    return info;
  }
  const from = at + 1;
  if (info === 24) {
    at = from + 1;
    return bytes[from];
  }
  if (info === 25) {
    at = from + 2;
    return bytes[from] * 256 + bytes[from + 1];
  }
  if (info === 26) {
    at = from + 4;
    return ((bytes[from] * 256 + bytes[from + 1]) * 256 + bytes[from + 2]) * 256 + bytes[from + 3];
  }
  at = Number.NaN;
  return 0;
}

function bytesOrNull(bytes: Uint8Array): Uint8Array | null {
  if (bytes[at] === NULL) {
    at++;
    return null;
  }
  const length = count(bytes, BYTES);
  const from = at;
  at += length;
  return bytes.subarray(from, at);
}

/**
 * Reads a message `sample` as devices write it: what nearly all messages are, without the way over
 * shapes and names that all others take. Never throws.
 *
 * @param payload of one frame; the message keeps views of it
 * @returns undefined for everything else, which may be a message all the same
 * @example readSample(new Uint8Array([2, 0x8a, 9, 1, 0, 1, 3, 200, 50, 0xf6, 0xf6, 0xf6])) // undefined
 * @example readSample(new Uint8Array([2, 0x8a, 9, 1, 0, 1, 3, 20, 5, 0xf6, 0xf6, 0xf6])) // { session: 9, seq: 1, t: 0, release: 1, cls: 3, score: 20, length: 5, embedding: null, window: null, label: null }
 */
export function readSample(payload: Uint8Array): Message<'sample'> | undefined {
  if (payload[0] !== SAMPLE || payload[1] !== TEN) return undefined;
  at = 2;
  const session = count(payload, 0);
  const seq = count(payload, 0);
  const t = count(payload, 0);
  const release = count(payload, 0);
  const cls = count(payload, 0);
  const score = count(payload, 0);
  const length = count(payload, 0);
  const embedding = bytesOrNull(payload);
  const window = bytesOrNull(payload);
  let label: number | null = null;
  if (payload[at] === NULL) at++;
  else label = count(payload, 0);
  if (at !== payload.length) return undefined;
  return { session, seq, t, release, cls, score, length, embedding, window, label };
}
