import {
  createCipheriv,
  createDecipheriv,
  createHmac,
} from 'node:crypto';
import { flat } from '../../device/core/flat.ts';
import type { Suite } from '../../device/core/frame.ts';
import { type Aes, ccm, type Cipher, mac } from '../../device/core/secure.ts';
import type { DeviceKeys } from '../../device/first-record.ts';

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
  lock: (key, nonce, body) => {
    const cipher = createCipheriv('aes-128-ccm', key, nonce, { authTagLength: 8 });
    const locked = cipher.update(body);
    cipher.final();
    return [new Uint8Array(locked), new Uint8Array(cipher.getAuthTag())];
  },
  unlock: (key, nonce, body, tag) => {
    const decipher = createDecipheriv('aes-128-ccm', key, nonce, { authTagLength: 8 });
    decipher.setAuthTag(tag);
    try {
      const text = new Uint8Array(decipher.update(body));
      decipher.final();
      return text;
    } catch {
      return undefined;
    }
  },
};

/** The ciphers by name: the device's code, and what it has to agree with. */
export const CIPHERS = {
  ccm: { own: ccm(nodeAes), peer: peerCcm },
  mac: { own: mac(nodeHmac), peer: mac(nodeHmac) },
};

function nonce(from: number, to: number, n: number): Uint8Array {
  const bytes = Buffer.alloc(13);
  bytes[0] = 1;
  [from, to, n].forEach((value, i) => void bytes.writeUInt32LE(value, 1 + 4 * i));
  return bytes;
}

/** The least of a gateway's end of a secure link, for one device whose keys it knows. */
export interface GatewaySuite extends Suite {
  keys: Pick<DeviceKeys, 'up' | 'down'>;
  /** its own; a gateway that starts again has a higher one */
  epoch: number;
  /** the highest of the device that was heard of; nothing can be sealed before */
  deviceEpoch: number;
  /** frames that did not open */
  refused: number;
}

/** @param suite 'ccm' or 'mac' */
export function gatewaySuite(
  suite: keyof typeof CIPHERS,
  keys: GatewaySuite['keys'],
  epoch = 1,
): GatewaySuite {
  const cipher = CIPHERS[suite].peer;
  const heard = new Map<string, number>();
  const sent = new Map<string, number>();
  const next: GatewaySuite = {
    keys,
    epoch,
    deviceEpoch: 0,
    refused: 0,
    seal: (body) => {
      const pair = `${next.epoch} ${next.deviceEpoch}`;
      const n = (sent.get(pair) ?? 0) + 1;
      sent.set(pair, n);
      const once = nonce(next.epoch, next.deviceEpoch, n);
      const head = Buffer.concat([once.subarray(1, 5), once.subarray(9)]);
      return flat([new Uint8Array(head), cipher.lock(next.keys.down, once, body)]);
    },
    open: (sealed) => {
      const bytes = Buffer.from(sealed);
      if (bytes.length < 16) return undefined;
      const [from, n] = [bytes.readUInt32LE(0), bytes.readUInt32LE(4)];
      for (const to of [next.epoch, 0]) {
        const pair = `${from} ${to}`;
        if (from < next.deviceEpoch || n <= (heard.get(pair) ?? 0)) continue;
        const once = nonce(from, to, n);
        const body = cipher.unlock(next.keys.up, once, bytes.subarray(8, -8), bytes.subarray(-8));
        if (body === undefined) continue;
        heard.set(pair, n);
        next.deviceEpoch = from;
        return body;
      }
      next.refused++;
      return undefined;
    },
  };
  return next;
}
