import { createHmac, timingSafeEqual } from 'node:crypto';
import { type LinkSuite, TAG_BYTES } from './suite.ts';

/**
 * The tag of `mac`: the first 8 bytes of HMAC-SHA-1.
 *
 * @source RFC 2104 (HMAC, truncation in section 5); RFC 2202 has the vectors
 */
export function hmacTag(key: Uint8Array, ...data: Uint8Array[]): Uint8Array {
  const hmac = createHmac('sha1', key);
  for (const bytes of data) hmac.update(bytes);
  return new Uint8Array(hmac.digest()).subarray(0, TAG_BYTES);
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
