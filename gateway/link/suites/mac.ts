import { hash, timingSafeEqual } from 'node:crypto';
import { type LinkSuite, TAG_BYTES } from './suite.ts';

/** Bytes that SHA-1 takes at once, and that it gives. */
const BLOCK = 64;
const DIGEST = 20;
const INNER = 0x36;
const OUTER = 0x5c;

/** What is hashed: the key's block, then the data; and the key's block, then the digest of that. */
let inner = Buffer.alloc(1024);
const outer = Buffer.alloc(BLOCK + DIGEST);

/**
 * The tag of `mac`: the first 8 bytes of HMAC-SHA-1. Two hashes of one call each: `createHmac` makes an
 * object for each tag, and that costs several times as much.
 *
 * @source RFC 2104 (HMAC, truncation in section 5); RFC 2202 has the vectors
 */
export function hmacTag(key: Uint8Array, ...data: Uint8Array[]): Uint8Array {
  if (key.length > BLOCK) return hmacTag(hash('sha1', key, 'buffer'), ...data);
  let end = BLOCK;
  for (const bytes of data) end += bytes.length;
  if (end > inner.length) inner = Buffer.alloc(2 * end);
  for (let i = 0; i < BLOCK; i++) {
    const byte = i < key.length ? key[i] : 0;
    inner[i] = byte ^ INNER;
    outer[i] = byte ^ OUTER;
  }
  let at = BLOCK;
  for (const bytes of data) {
    inner.set(bytes, at);
    at += bytes.length;
  }
  // as text of one byte a character: the cheapest way out of `hash`
  outer.write(hash('sha1', inner.subarray(0, end), 'latin1'), BLOCK, 'latin1');
  const digest = hash('sha1', outer, 'latin1');
  const tag = new Uint8Array(TAG_BYTES);
  for (let i = 0; i < TAG_BYTES; i++) tag[i] = digest.charCodeAt(i);
  return tag;
}

/**
 * `mac`: authenticated, not encrypted, for boards whose only native help is SHA-1. Everybody on the
 * line can read along; nobody can change, add or repeat anything.
 */
export const mac: LinkSuite = {
  name: 'mac',
  seal: (key, nonce, body) => ({ body, tag: hmacTag(key, nonce, body) }),
  open(key, nonce, { body, tag }) {
    if (tag.length !== TAG_BYTES) return undefined;
    return timingSafeEqual(hmacTag(key, nonce, body), tag) ? body.slice() : undefined;
  },
};
