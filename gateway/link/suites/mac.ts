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
  seal(key, nonce, body) {
    const sealed = new Uint8Array(body.length + TAG_BYTES);
    sealed.set(body);
    sealed.set(hmacTag(key, nonce, body), body.length);
    return sealed;
  },
  open(key, nonce, sealed) {
    const length = sealed.length - TAG_BYTES;
    if (length < 0) return undefined;
    const body = sealed.slice(0, length);
    const isRight = timingSafeEqual(hmacTag(key, nonce, body), sealed.subarray(length));
    return isRight ? body : undefined;
  },
};
