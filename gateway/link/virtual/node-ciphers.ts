import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { type Aes, type Cipher, ccm, mac } from '../../../device/core/secure.ts';

/** What the device's code asks of a board's AES, by Node. */
export const nodeAes: Aes = {
  mask: (key, blocks, text) => {
    const ecb = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
    const stream = ecb.update(blocks);
    for (let i = 0; i < text.length; i++) text[i]! ^= stream[i]!;
  },
  mac: (key, bytes) => {
    const cbc = createCipheriv('aes-128-cbc', key, Buffer.alloc(16)).setAutoPadding(false);
    return new Uint8Array(cbc.update(bytes).subarray(-16));
  },
};

/** HMAC-SHA-1 by Node. */
export function nodeHmac(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha1', key).update(bytes).digest());
}

/** AES-128-CCM as a whole by Node: nothing of the device's code is in it. */
export const peerCcm: Cipher = {
  lock: (key, nonce, head, body) => {
    const cipher = createCipheriv('aes-128-ccm', key, nonce, { authTagLength: 8 });
    const locked = cipher.update(body);
    cipher.final();
    return new Uint8Array(Buffer.concat([cipher.getAuthTag(), head, locked]));
  },
  unlock: (key, nonce, sealed) => {
    const decipher = createDecipheriv('aes-128-ccm', key, nonce, { authTagLength: 8 });
    decipher.setAuthTag(sealed.subarray(0, 8));
    try {
      const text = new Uint8Array(decipher.update(sealed.subarray(16)));
      decipher.final();
      return text;
    } catch {
      return undefined;
    }
  },
};

/** The device's own code of each suite, on what a board would do natively. */
export const CIPHERS: Record<'ccm' | 'mac', Cipher> = { ccm: ccm(nodeAes), mac: mac(nodeHmac) };
