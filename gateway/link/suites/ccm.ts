import { createCipheriv, createDecipheriv } from 'node:crypto';
import { type LinkSuite, TAG_BYTES } from './suite.ts';

const ALGORITHM = 'aes-128-ccm';
const options = { authTagLength: TAG_BYTES } as const;

/**
 * `ccm`: encrypted and authenticated. AES-128-CCM with a length field of 2 bytes and a tag of 8; the
 * frame's header is in the nonce, so there is no associated data (the parameter `aad` is for the
 * published vectors, which have some).
 *
 * @source RFC 3610, Counter with CBC-MAC (CCM): L = 2, M = 8
 */
export const ccm = {
  name: 'ccm',
  seal(key, nonce, body, aad?: Uint8Array) {
    const cipher = createCipheriv(ALGORITHM, key, nonce, options);
    if (aad !== undefined) cipher.setAAD(aad, { plaintextLength: body.length });
    const sealed = new Uint8Array(body.length + TAG_BYTES);
    sealed.set(cipher.update(body));
    cipher.final();
    sealed.set(cipher.getAuthTag(), body.length);
    return sealed;
  },
  open(key, nonce, sealed, aad?: Uint8Array) {
    const length = sealed.length - TAG_BYTES;
    if (length < 0) return undefined;
    const decipher = createDecipheriv(ALGORITHM, key, nonce, options);
    decipher.setAuthTag(sealed.subarray(length));
    if (aad !== undefined) decipher.setAAD(aad, { plaintextLength: length });
    try {
      const body = decipher.update(sealed.subarray(0, length));
      decipher.final();
      return new Uint8Array(body.buffer, body.byteOffset, body.length);
    } catch {
      return undefined; // node:crypto has no other way to say that the tag is wrong
    }
  },
} satisfies LinkSuite & { seal: unknown; open: unknown };
