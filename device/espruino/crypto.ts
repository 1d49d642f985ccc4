import { flat } from '../core/flat.ts';
import type { Aes } from '../core/secure.ts';
import type { EspruinoRequire } from './globals.ts';

/** Espruino's `require`; the build renames it, since a bundler would resolve it. */
declare const library: EspruinoRequire;

/**
 * AES of the board. Its CTR mode ignores the first vector (measured: two of them, one output), so the
 * stream is counter blocks in ECB; CBC, the mode when none is named, begins with a vector of zeros.
 *
 * @source espruino/Espruino: libs/crypto/jswrap_crypto.c, jswrap_crypto_AEScrypt
 */
export function boardAes(): Aes {
  const native = library('crypto').AES;
  return {
    mask: (key, blocks, text) => {
      const stream = new Uint32Array(native.encrypt(blocks, key, { mode: 'ECB' }));
      const words = new Uint32Array(text.buffer, 0, stream.length);
      for (let i = 0; i < stream.length; i++) words[i] ^= stream[i];
    },
    mac: (key, bytes) => new Uint8Array(native.encrypt(bytes, key), bytes.length - 16, 16),
  };
}

/** What makes a key of 64 bytes of a shorter one, for the inner hash and for the outer. */
const INNER = 0x36;
const OUTER = 0x5c;

/**
 * HMAC by the board's SHA-1.
 *
 * @param key 1 to 64 bytes
 * @source RFC 2104
 */
export function boardHmac(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const sha1 = library('crypto').SHA1;
  const hash = (pad: number, rest: Uint8Array): Uint8Array => {
    const filled = new Uint8Array(64).fill(pad);
    for (let i = 0; i < key.length; i++) filled[i] ^= key[i];
    return new Uint8Array(sha1(flat([filled, rest])));
  };
  return hash(OUTER, hash(INNER, bytes));
}
