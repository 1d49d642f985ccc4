/** How a frame of a device with keys is protected; see docs/link.md, 'Suites'. */
export interface LinkSuite {
  readonly name: SuiteName;
  /**
   * @param key 16 bytes, of this direction
   * @param nonce 13 bytes, see {@link nonceOf}; never twice under one key
   */
  seal(key: Uint8Array, nonce: Uint8Array, body: Uint8Array): Sealed;
  /** @returns the body as it was, or undefined for what was not sealed under this key and nonce */
  open(key: Uint8Array, nonce: Uint8Array, sealed: Sealed): Uint8Array | undefined;
}

/** A protected body: as long as it was, encrypted where the suite does that, and its tag. */
export interface Sealed {
  body: Uint8Array;
  /** 8 bytes */
  tag: Uint8Array;
}

/** Suites with keys. The third, `none`, knows no key: see none.ts. */
export type SuiteName = 'ccm' | 'mac';

export const KEY_BYTES = 16;
export const TAG_BYTES = 8;
/** In front of the body: the tag, then, in clear, the sender's epoch and the frame's number. */
const HEADER_BYTES = TAG_BYTES + 8;
/** The highest epoch, and the highest number of a frame under one pair of them. */
export const MOST = 2 ** 32 - 1;

/** Tells these nonces from those of any later version of the link. */
const LINK_1 = 1;

/**
 * The nonce of a frame: who sends it to whom is said by the key, when by the epochs.
 *
 * @param from epoch of the sender
 * @param to epoch of the receiver, 0 while the sender does not know it
 * @param n number of the frame under this pair of epochs, from 1
 * @returns 13 bytes
 * @example nonceOf(2, 1, 258) // new Uint8Array([1, 2, 0, 0, 0, 2, 1, 0, 0, 1, 0, 0, 0])
 */
export function nonceOf(from: number, to: number, n: number): Uint8Array {
  const nonce = new Uint8Array(13);
  const view = new DataView(nonce.buffer);
  nonce[0] = LINK_1;
  view.setUint32(1, from, true);
  view.setUint32(5, n, true);
  view.setUint32(9, to, true);
  return nonce;
}

/** A frame as it travels, before it is stuffed. */
export interface SealedFrame extends Sealed {
  /** epoch of its sender, at least 1 */
  from: number;
  /** its number, at least 1 */
  n: number;
}

/** Lays a frame out: tag, epoch, number, body; little-endian. */
export function layOut({ tag, from, n, body }: SealedFrame): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  bytes.set(tag);
  view.setUint32(TAG_BYTES, from, true);
  view.setUint32(TAG_BYTES + 4, n, true);
  bytes.set(body, HEADER_BYTES);
  return bytes;
}

/**
 * Reads what {@link layOut} wrote; never throws.
 *
 * @returns views, or undefined for what is no such frame
 */
export function takeApart(bytes: Uint8Array): SealedFrame | undefined {
  if (bytes.length <= HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const from = view.getUint32(TAG_BYTES, true);
  const n = view.getUint32(TAG_BYTES + 4, true);
  if (from === 0 || n === 0) return undefined;
  return { tag: bytes.subarray(0, TAG_BYTES), from, n, body: bytes.subarray(HEADER_BYTES) };
}
