/**
 * The suites `ccm` and `mac`: who is speaking is proven, and nothing is taken twice.
 *
 *   sealed  [tag 8][epoch of the sender u32][n u32][body]           little-endian
 *   nonce   [1][epoch of the sender][n][epoch of the receiver]      13 bytes
 *
 * A side's epoch is higher after each of its starts, n counts what it sent under one pair of epochs:
 * no nonce comes twice under a key. What a receiver's own epoch is not in does not open, and under
 * the sender's epoch only what has a higher n than anything before.
 */

import { type Bytes, flat } from './flat.ts';
import { type Suite, words } from './frame.ts';
import { u16 } from './model.ts';

/** What a message begins with: tag, epoch, n. */
const FRONT = 16;

/** A message's protection under a key and a nonce that is used once. */
export interface Cipher {
  /** gives the sealed message; `head` is its epoch and n */
  lock: (key: Uint8Array, nonce: Uint8Array, head: Uint8Array, body: Uint8Array) => Uint8Array;
  /** gives the body; undefined when the tag is another one */
  unlock: (key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array) => Uint8Array | undefined;
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
  return bytes.subarray(0, bytes.length - (bytes.length % 16));
}

/**
 * The first 8 bytes of CCM's tag before it is encrypted.
 *
 * @param first the blocks in front of the text: B0, and those of associated data
 */
export function ccmTag(aes: Aes, key: Uint8Array, first: Bytes[], text: Uint8Array): Uint8Array {
  // the first ones are whole blocks, so that padding the text pads them all
  return aes.mac(key, padded([first, text])).subarray(0, 8);
}

/**
 * Encrypts or decrypts by CCM's stream: S0 for the first block, which begins with the tag, S1 on for
 * the text behind it.
 *
 * @param parts the bytes of both
 * @returns whole blocks
 */
export function ccmMask(aes: Aes, key: Uint8Array, nonce: Uint8Array, parts: Bytes[]): Uint8Array {
  const out = padded(parts);
  const blocks = new Uint8Array(out.length);
  for (let i = 0; i < out.length; i += 16) {
    blocks.set(nonce, i + 1);
    blocks[i] = 1;
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
    ccmTag(aes, key, [FLAGS, nonce, text.length / 256, text.length], text);
  return {
    lock: (key, nonce, head, body) => {
      const out = ccmMask(aes, key, nonce, [tagOf(key, nonce, body), head, body]);
      out.set(head, 8);
      return out.subarray(0, FRONT + body.length);
    },
    unlock: (key, nonce, sealed) => {
      const out = ccmMask(aes, key, nonce, [sealed]);
      const text = out.subarray(FRONT, sealed.length);
      return `${tagOf(key, nonce, text)}` === `${out.subarray(0, 8)}` ? text : undefined;
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
    lock: (key, nonce, head, body) => flat([tagOf(key, nonce, body), head, body]),
    unlock: (key, nonce, sealed) => {
      const body = sealed.subarray(FRONT, sealed.length);
      return `${tagOf(key, nonce, body)}` === `${sealed.subarray(0, 8)}` ? body : undefined;
    },
  };
}

/** A suite with the keys that it uses now: see slot.ts; generation 0: nothing opens. */
export interface SecureSuite extends Suite {
  secret: Uint8Array;
}

/**
 * A device's suite. Until it has heard a frame of the gateway it does not know the gateway's epoch and
 * says 0 for it. A gateway that has started again has a higher one: the device takes it with the
 * first frame that opens, and counts its own from 1 again.
 *
 * @param cipher see Cipher
 * @param epoch this device's
 * @param secret its keys, of generation 0 where it has none
 */
export function secureSuite(cipher: Cipher, epoch: number, secret: Uint8Array): SecureSuite {
  let theirs = 0;
  let heard = 0;
  let sent = 0;
  const nonce = (head: Uint8Array, to: number): Uint8Array => flat([1, head, words([to])]);
  const suite: SecureSuite = {
    secret: secret,
    seal: (body) => {
      sent++;
      const head = words([epoch, sent]);
      return cipher.lock(suite.secret.subarray(2, 18), nonce(head, theirs), head, body);
    },
    open: (sealed) => {
      if (sealed.length < FRONT || u16(suite.secret, 0) < 1) return undefined;
      const head = sealed.subarray(8, FRONT);
      const from = u16(head, 0) + 65536 * u16(head, 2);
      const n = u16(head, 4) + 65536 * u16(head, 6);
      if (from < theirs || (from === theirs && n <= heard)) return undefined;
      const body = cipher.unlock(suite.secret.subarray(18, 34), nonce(head, epoch), sealed);
      if (body !== undefined) {
        if (from > theirs) sent = 0;
        theirs = from;
        heard = n;
      }
      return body;
    },
  };
  return suite;
}
