/**
 * The suites `ccm` and `mac`: who is speaking is proven, and nothing is taken twice.
 *
 *   sealed  [epoch of the sender u32][n u32][body][tag 8]           little-endian
 *   nonce   [1][epoch of the sender][epoch of the receiver][n]      13 bytes
 *
 * A side's epoch is higher after each of its starts, n counts what it sent under one pair of epochs:
 * no nonce comes twice under a key. What a receiver's own epoch is not in does not open, and under
 * the sender's epoch only what has a higher n than anything before.
 */

import { type Bytes, flat } from './flat.ts';
import { type Suite, words } from './frame.ts';
import { u16 } from './model.ts';

/** A message's protection under a key and a nonce that is used once. */
export interface Cipher {
  /** gives the body, protected, and its tag of 8 bytes */
  lock: (key: Uint8Array, nonce: Uint8Array, body: Uint8Array) => Bytes[];
  /** gives the body; undefined when the tag is another one */
  unlock: (
    key: Uint8Array,
    nonce: Uint8Array,
    body: Uint8Array,
    tag: Uint8Array,
  ) => Uint8Array | undefined;
}

/** What a board does natively for `ccm`; lengths are multiples of 16. */
export interface Aes {
  /** text exclusive or AES-ECB(key, blocks), in the place of the text */
  mask: (key: Uint8Array, blocks: Uint8Array, text: Uint8Array) => void;
  /** the last block of AES-CBC(key, bytes), of which the first vector is zero */
  mac: (key: Uint8Array, bytes: Uint8Array) => Uint8Array;
}

/** Bytes up to the next whole block, zeros behind them. */
function padded(parts: Bytes[]): Uint8Array {
  const bytes = flat([parts, new Uint8Array(15)]);
  const n = bytes.length;
  return bytes.subarray(0, n - (n % 16));
}

/**
 * The tag of CCM before it is encrypted, with 8 bytes more.
 *
 * @param first the blocks in front of the text: B0, and those of associated data
 */
export function ccmMac(aes: Aes, key: Uint8Array, first: Bytes[], text: Uint8Array): Uint8Array {
  // each of them is whole blocks, so that padding the text pads them all
  return aes.mac(key, padded([first, text]));
}

/**
 * Encrypts or decrypts a block and a text behind it, which is padded, by the key's stream.
 *
 * @returns whole blocks: that of S0, for the tag, then the text's
 */
export function ccmMask(
  aes: Aes,
  key: Uint8Array,
  nonce: Uint8Array,
  first: Bytes[],
  text: Uint8Array,
): Uint8Array {
  const out = padded([first, text]);
  const blocks = new Uint8Array(out.length);
  for (let i = 0; i < out.length; i += 16) {
    blocks[i] = 1;
    blocks.set(nonce, i + 1);
    blocks[i + 14] = i / 4096;
    blocks[i + 15] = i / 16;
  }
  aes.mask(key, blocks, out);
  return out;
}

/** Flags of B0 for a tag of 8 bytes and a length of two, without associated data. */
const FLAGS = 25;

/**
 * The cipher of `ccm`: AES-128-CCM with a tag of 8 bytes, a length of two, no associated data.
 *
 * @source RFC 3610
 */
export function ccm(aes: Aes): Cipher {
  const tagOf = (key: Uint8Array, nonce: Uint8Array, text: Uint8Array): Uint8Array =>
    ccmMac(aes, key, [FLAGS, nonce, text.length / 256, text.length], text);
  return {
    lock: (key, nonce, body) => {
      const out = ccmMask(aes, key, nonce, [tagOf(key, nonce, body)], body);
      return [out.subarray(16, 16 + body.length), out.subarray(0, 8)];
    },
    unlock: (key, nonce, body, tag) => {
      const out = ccmMask(aes, key, nonce, [tag, words([0, 0])], body);
      const text = out.subarray(16, 16 + body.length);
      const right = tagOf(key, nonce, text).subarray(0, 8);
      return `${right}` === `${out.subarray(0, 8)}` ? text : undefined;
    },
  };
}

/**
 * The cipher of `mac`: the body in clear, its tag the first 8 bytes of HMAC-SHA-1 over nonce and body.
 *
 * @param hmac of a key and bytes, the board's own
 * @source RFC 2104, section 5: a truncated tag
 */
export function mac(hmac: (key: Uint8Array, bytes: Uint8Array) => Uint8Array): Cipher {
  const tagOf = (key: Uint8Array, nonce: Uint8Array, body: Uint8Array): Uint8Array =>
    hmac(key, flat([nonce, body])).subarray(0, 8);
  return {
    lock: (key, nonce, body) => [body, tagOf(key, nonce, body)],
    unlock: (key, nonce, body, tag) =>
      `${tagOf(key, nonce, body)}` === `${tag}` ? body : undefined,
  };
}

/**
 * A device's suite. Until it has heard a frame of the gateway it does not know the gateway's epoch and
 * says 0 for it. A gateway that has started again has a higher one: the device takes it with the
 * first frame that opens, and counts its own from 1 again.
 *
 * @param cipher see Cipher
 * @param epoch this device's
 * @param keys gives `[generation u16, key to the gateway 16, key from it 16]`; generation 0: no keys,
 *   nothing opens
 */
export function secureSuite(cipher: Cipher, epoch: number, keys: () => Uint8Array): Suite {
  let theirs = 0;
  let heard = 0;
  let sent = 0;
  const nonce = (from: number, to: number, n: number): Uint8Array =>
    flat([1, words([from, to, n])]);
  return {
    seal: (body) => {
      sent++;
      const key = keys().subarray(2, 18);
      return flat([words([epoch, sent]), cipher.lock(key, nonce(epoch, theirs, sent), body)]);
    },
    open: (sealed) => {
      const end = sealed.length - 8;
      if (end < 8 || u16(keys(), 0) < 1) return undefined;
      const from = u16(sealed, 0) + 65536 * u16(sealed, 2);
      const n = u16(sealed, 4) + 65536 * u16(sealed, 6);
      if (from < theirs || (from === theirs && n <= heard)) return undefined;
      const body = cipher.unlock(
        keys().subarray(18, 34),
        nonce(from, epoch, n),
        sealed.subarray(8, end),
        sealed.subarray(end, end + 8),
      );
      if (body !== undefined) {
        if (from > theirs) sent = 0;
        theirs = from;
        heard = n;
      }
      return body;
    },
  };
}
