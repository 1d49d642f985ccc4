/**
 * Frames on a byte stream: COBS between two zeros, so that a zero always means "here a frame ends".
 *
 * The zero in front costs a byte and buys this: whatever happens to one frame, its delimiters
 * included, the frame behind it is still delivered.
 *
 * @source S. Cheshire and M. Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM ToN 7(2), 1999
 */

import { flat } from './flat.ts';

/** How payloads are protected. `open` gives undefined for what it does not accept. */
export interface Suite {
  seal: (payload: Uint8Array) => Uint8Array;
  open: (sealed: Uint8Array) => Uint8Array | undefined;
}

/** What a frame decoder remembers between two pieces of the stream. */
export interface FrameDecoder {
  kept: Uint8Array;
  /** Bytes of the frame so far; more than `kept` holds when the frame is too long. */
  filled: number;
  /** Frames that were too long, malformed or not accepted by the suite. */
  bad: number;
}

/** Integers as the bytes that they have in memory: four each, little-endian. */
export function words(values: number[]): Uint8Array {
  return new Uint8Array(new Uint32Array(values).buffer);
}

/** CRC-32 of any bytes with their own CRC-32, little-endian, behind them; of no others. Four zeros, a line
 * that is stuck, are none with theirs: nobody says nothing. */
const RESIDUE = 558161692;

/**
 * The suite `none`: a CRC-32 behind the payload, little-endian. Finds accidents, not attackers.
 *
 * @param crc32 unsigned CRC-32 (IEEE 802.3) of bytes, the host's own
 * @returns the suite
 * @example plainSuite(() => 258).seal(new Uint8Array([7])) // new Uint8Array([7, 2, 1, 0, 0])
 */
export function plainSuite(crc32: (bytes: Uint8Array) => number): Suite {
  const seal = (payload: Uint8Array) => flat([payload, words([crc32(payload)])]);
  const open = (sealed: Uint8Array) => {
    const n = sealed.length - 4;
    return n < 1 || crc32(sealed) !== RESIDUE ? undefined : sealed.subarray(0, n);
  };
  return { seal: seal, open: open };
}

/**
 * Makes one frame, ready for the wire.
 *
 * @param payload any bytes
 * @param seal the suite's protection
 * @returns zero, the stuffed bytes, zero: at most length/254 + 3 bytes more than was sealed
 * @example encodeFrame(new Uint8Array([1, 0, 2]), (bytes) => bytes) // new Uint8Array([0, 2, 1, 2, 2, 0])
 */
export function encodeFrame(payload: Uint8Array, seal: Suite['seal']): Uint8Array {
  const bytes = seal(payload);
  const size = bytes.length;
  const out = new Uint8Array(size + Math.floor(size / 254) + 3);
  let from = 0;
  let at = 1;
  // indexOf, subarray and set are native on every host; a loop over bytes is not.
  for (;;) {
    let end = bytes.indexOf(0, from);
    if (end < 0) end = size;
    if (end > from + 254) end = from + 254;
    out[at] = end - from + 1;
    out.set(bytes.subarray(from, end), at + 1);
    at += end - from + 1;
    if (end === size) return out.subarray(0, at + 1);
    // A full run of 254 stands for itself; a shorter one also for the zero behind it.
    from = end - from === 254 ? end : end + 1;
  }
}

/**
 * Undoes the stuffing in place. What was no stuffing gives bytes that no suite opens.
 *
 * @param bytes what stood between two zeros; overwritten
 * @returns a view of the sealed bytes
 */
function unstuff(bytes: Uint8Array): Uint8Array {
  let at = 0;
  let from = 0;
  while (from < bytes.length) {
    const code = bytes[from];
    bytes.set(bytes.subarray(from + 1, from + code), at);
    from += code;
    at += code - 1;
    if (code < 255 && from < bytes.length) {
      bytes[at++] = 0;
    }
  }
  // a run that is longer than the frame was no stuffing
  return bytes.subarray(0, from > bytes.length ? 0 : at);
}

/**
 * A decoder at the start of a stream.
 *
 * @param maxBytes the longest stuffed frame that is taken; its whole memory
 * @returns the decoder's state, for `feed`
 */
export function frameDecoder(maxBytes: number): FrameDecoder {
  return { kept: new Uint8Array(maxBytes), filled: 0, bad: 0 };
}

/**
 * Takes received bytes, in pieces of any size, and hands on every good frame. Never throws by
 * itself: what is bad is counted in `decoder.bad` and skipped up to the next zero.
 *
 * @param decoder state, changed in place
 * @param received the next bytes of the stream
 * @param open the suite's check
 * @param onPayload called with each payload, a view that is valid only during the call, and with
 *   the bytes that its frame took on the wire
 */
export function feed(
  decoder: FrameDecoder,
  received: Uint8Array,
  open: Suite['open'],
  onPayload: (payload: Uint8Array, wireBytes: number) => void,
): void {
  const kept = decoder.kept;
  let from = 0;
  for (;;) {
    const zero = received.indexOf(0, from);
    const piece = received.subarray(from, zero < 0 ? received.length : zero);
    let filled = decoder.filled;
    if (filled + piece.length <= kept.length) kept.set(piece, filled);
    filled += piece.length;
    decoder.filled = zero < 0 ? filled : 0;
    if (zero < 0) return;
    from = zero + 1;
    if (filled > 0) {
      // Too long a frame is opened as an empty one, and counts as any that is not accepted.
      const payload = open(unstuff(kept.subarray(0, filled > kept.length ? 0 : filled)));
      if (payload === undefined) decoder.bad++;
      else onPayload(payload, filled + 2);
    }
  }
}
