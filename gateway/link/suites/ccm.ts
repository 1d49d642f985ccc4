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
    const text = cipher.update(body);
    cipher.final();
    return { body: text, tag: cipher.getAuthTag() };
  },
  open(key, nonce, { body, tag }, aad?: Uint8Array) {
    if (tag.length !== TAG_BYTES) return undefined;
    const decipher = createDecipheriv(ALGORITHM, key, nonce, options);
    decipher.setAuthTag(tag);
    if (aad !== undefined) decipher.setAAD(aad, { plaintextLength: body.length });
    try {
      const text = decipher.update(body);
      decipher.final();
      return new Uint8Array(text.buffer, text.byteOffset, text.length);
    } catch {
      return undefined; // node:crypto has no other way to say that the tag is wrong
    }
  },
} satisfies LinkSuite & { seal: unknown; open: unknown };
