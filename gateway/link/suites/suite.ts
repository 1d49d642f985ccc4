/** How a frame of a device with keys is protected; see docs/link.md, 'Suites'. */
export interface LinkSuite {
  readonly name: SuiteName;
  /**
   * @param key 16 bytes, of this direction
   * @param nonce 13 bytes, see {@link nonceOf}; never twice under one key
   * @returns body, encrypted where the suite does that, and its tag
   */
  seal(key: Uint8Array, nonce: Uint8Array, body: Uint8Array): Uint8Array;
  /** @returns the body, or undefined for what was not sealed under this key and nonce */
  open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

/** Suites with keys. The third, `none`, knows no key: see none.ts. */
export type SuiteName = 'ccm' | 'mac';

export const KEY_BYTES = 16;
export const TAG_BYTES = 8;
/** Sender's epoch and number of the frame, in clear in front of what is sealed. */
export const HEADER_BYTES = 8;
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
 * @example nonceOf(2, 1, 258) // new Uint8Array([1, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 0])
 */
export function nonceOf(from: number, to: number, n: number): Uint8Array {
  const nonce = new Uint8Array(13);
  const view = new DataView(nonce.buffer);
  nonce[0] = LINK_1;
  view.setUint32(1, from, true);
  view.setUint32(5, to, true);
  view.setUint32(9, n, true);
  return nonce;
}
