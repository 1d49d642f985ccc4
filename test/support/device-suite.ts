import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import type { Suite } from '../../device/core/frame.ts';
import type { KeyPair } from '../../gateway/link/keys.ts';

/** A device's end of `ccm` and `mac` in Node, from the contract alone; the keys may be exchanged. */
export interface DeviceSuite extends Suite {
  keys: Omit<KeyPair, 'generation'> & { generation: number };
  readonly epoch: number;
  /** the gateway's epoch that it knows, 0 for none */
  readonly theirs: number;
  /** number of the last frame that it sent */
  sent: number;
}

function nonce(from: number, to: number, n: number): Buffer {
  const bytes = Buffer.alloc(13);
  bytes[0] = 1;
  for (const [i, value] of [from, n, to].entries()) bytes.writeUInt32LE(value, 1 + 4 * i);
  return bytes;
}

const ciphers = {
  ccm: {
    lock(key: Uint8Array, iv: Uint8Array, body: Uint8Array): Buffer {
      const cipher = createCipheriv('aes-128-ccm', key, iv, { authTagLength: 8 });
      const text = cipher.update(body);
      cipher.final();
      return Buffer.concat([text, cipher.getAuthTag()]);
    },
    unlock(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
      const at = sealed.length - 8;
      const decipher = createDecipheriv('aes-128-ccm', key, iv, { authTagLength: 8 });
      decipher.setAuthTag(sealed.subarray(at));
      try {
        const body = decipher.update(sealed.subarray(0, at));
        decipher.final();
        return Uint8Array.from(body);
      } catch {
        return undefined;
      }
    },
  },
  mac: {
    lock(key: Uint8Array, iv: Uint8Array, body: Uint8Array): Buffer {
      const tag = createHmac('sha1', key).update(iv).update(body).digest().subarray(0, 8);
      return Buffer.concat([body, tag]);
    },
    unlock(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
      const body = sealed.slice(0, sealed.length - 8);
      return ciphers.mac.lock(key, iv, body).equals(sealed) ? body : undefined;
    },
  },
};

/** @param epoch of this boot, above that of the one before */
export function deviceSuite(name: 'ccm' | 'mac', keys: KeyPair, epoch: number): DeviceSuite {
  const cipher = ciphers[name];
  let theirs = 0;
  let heard = 0;
  const suite: DeviceSuite = {
    keys,
    epoch,
    sent: 0,
    get theirs() {
      return theirs;
    },
    seal(body) {
      suite.sent++;
      const head = Buffer.alloc(8);
      head.writeUInt32LE(epoch, 0);
      head.writeUInt32LE(suite.sent, 4);
      const { up } = suite.keys;
      const locked = cipher.lock(up, nonce(epoch, theirs, suite.sent), body);
      const at = locked.length - 8;
      return Uint8Array.from(Buffer.concat([locked.subarray(at), head, locked.subarray(0, at)]));
    },
    open(sealed) {
      if (sealed.length < 16) return undefined;
      const head = Buffer.from(sealed.slice(8, 16));
      const [from, n] = [head.readUInt32LE(0), head.readUInt32LE(4)];
      if (from < theirs || (from === theirs && n <= heard)) return undefined;
      const locked = Buffer.concat([sealed.subarray(16), sealed.subarray(0, 8)]);
      const body = cipher.unlock(suite.keys.down, nonce(from, epoch, n), locked);
      if (body === undefined) return undefined;
      if (from > theirs) suite.sent = 0;
      theirs = from;
      heard = n;
      return body;
    },
  };
  return suite;
}
