/**
 * The part of CBOR that the link speaks: integers, byte strings, ASCII text, arrays and null;
 * shortest form, definite lengths. A device hears only integers, byte strings and arrays: what
 * reads the rest is handed in, and does not reach its bundle.
 *
 * @source RFC 8949, sections 3 and 4.2.1
 */

import { POW2 } from './arithmetic.ts';
import { type Bytes, flat } from './flat.ts';
import { GATEWAY } from './options.ts';

/** What can be encoded. Int8Array travels as the bytes of its two's complement. */
export type Value = number | string | null | Uint8Array | Int8Array | readonly Value[];

/** What decoding gives. */
export type Decoded = number | string | null | Uint8Array | Decoded[];

/** Arrays in arrays in arrays: an offer needs three, the bound keeps a device's stack small. */
export const MAX_DEPTH = 4;

/** The last bytes of an integer, big-endian; `flat` takes each mod 256. */
function big(value: number, size: number): Bytes {
  return size < 1 ? [] : [big(value / 256, size - 1), value];
}

/** An item's first bytes: major type and its number in the shortest form. */
function head(major: number, value: number): Bytes {
  if (value < 24) return major * 32 + value;
  let size = 1;
  let info = 24;
  for (let top = 256; size < 8 && value >= top; top *= top) {
    size *= 2;
    info++;
  }
  return [major * 32 + info, big(value, size)];
}

/**
 * One value, for `flat`.
 *
 * @param value integers within ±2^53; text is ASCII
 */
export function item(value: Value): Bytes {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (value === null) return 246;
  const bytes = value as Uint8Array;
  const major = typeof value === 'string' ? 3 : bytes.buffer === undefined ? 4 : 2;
  return [head(major, value.length), major < 4 ? bytes : (value as readonly Value[]).map(item)];
}

/**
 * Encodes one value.
 *
 * @param value see `Value`
 * @returns its bytes, the same that cbor-x gives
 * @example encode([1, -500, null, 'ok']) // new Uint8Array([0x84, 0x01, 0x39, 0x01, 0xf3, 0xf6, 0x62, 0x6f, 0x6b])
 */
export function encode(value: Value): Uint8Array {
  return flat([item(value)]);
}

/** Where reading is, and the shape of what was read: i, t, b, n a letter each, arrays in []. */
export interface Cursor {
  at: number;
  shape: string;
  /** reads what is no integer, byte string or array, from behind its head; `refuse` or `readRest` */
  rest: (bytes: Uint8Array, cursor: Cursor, first: number, n: number) => Decoded;
}

/** Gives up: the cursor is left where no length can be. */
export function refuse(_bytes: Uint8Array, cursor: Cursor): Decoded {
  cursor.at = 1 / 0;
  return null;
}

/** Reads ASCII text and null. */
export function readRest(bytes: Uint8Array, cursor: Cursor, first: number, n: number): Decoded {
  if (first === 246) {
    cursor.shape += 'n';
    return null;
  }
  const view = bytes.subarray(cursor.at, cursor.at + n);
  if (Math.floor(first / 32) !== 3 || view.some((byte) => byte > 127)) return refuse(bytes, cursor);
  cursor.shape += 't';
  cursor.at += n;
  return String.fromCharCode.apply(null, view as unknown as number[]);
}

/**
 * Reads one item at the cursor; afterwards the cursor is behind it, or behind the end of the bytes
 * where there is none.
 *
 * @param depth arrays in arrays that it may have
 */
export function take(bytes: Uint8Array, cursor: Cursor, depth: number): Decoded {
  const end = bytes.length;
  const first = cursor.at < end ? bytes[cursor.at] : 255;
  const major = Math.floor(first / 32);
  let n = first % 32;
  let at = cursor.at + 1;
  if (n > 23) {
    const stop = n < 28 ? at + POW2[n - 24] : 1 / 0;
    n = 0;
    for (; at < stop && at < end; at++) n = n * 256 + bytes[at];
    at = stop;
  }
  cursor.at = at;
  if (major < 2 && (!GATEWAY || major + n < 9007199254740992)) {
    cursor.shape += 'i';
    return major < 1 ? n : -1 - n;
  }
  if (major === 2) {
    cursor.shape += 'b';
    cursor.at += n;
    return bytes.subarray(at, at + n);
  }
  if (major !== 4 || depth < 1) {
    if (GATEWAY) return cursor.rest(bytes, cursor, first, n);
    cursor.at = 1 / 0;
  }
  const list: Decoded[] = [];
  cursor.shape += '[';
  for (let k = 0; k < n && cursor.at <= end; k++) list.push(take(bytes, cursor, depth - 1));
  cursor.shape += ']';
  return list;
}

/**
 * Decodes one value that fills the bytes exactly. Never throws, and its work is bounded by the
 * bytes given, whatever lengths they claim.
 *
 * @param bytes anything
 * @param cursor where to begin, with an empty shape; afterwards `shape` says what was read
 * @returns the value, byte strings as views into `bytes`; undefined when it is not of the subset
 * @example decode(new Uint8Array([0x82, 0x18, 0x2a, 0x41, 0x07]), { at: 0, shape: '', rest: refuse }) // [42, new Uint8Array([7])]
 */
export function decode(bytes: Uint8Array, cursor: Cursor): Decoded | undefined {
  const value = take(bytes, cursor, MAX_DEPTH);
  return cursor.at === bytes.length ? value : undefined;
}
