import type { Suite } from '../../device/core/frame.ts';
import type { DeviceKeys } from '../../device/first-record.ts';
import { CIPHERS as ciphers, peerCcm } from '../../gateway/link/virtual/node-ciphers.ts';

/** The ciphers by name: the device's code, and what it has to agree with. */
export const CIPHERS = {
  ccm: { own: ciphers.ccm, peer: peerCcm },
  mac: { own: ciphers.mac, peer: ciphers.mac },
};

/** `[1][epoch of the sender][n][epoch of the receiver]` */
function nonce(from: number, n: number, to: number): Uint8Array {
  const bytes = Buffer.alloc(13);
  bytes[0] = 1;
  [from, n, to].forEach((value, i) => void bytes.writeUInt32LE(value, 1 + 4 * i));
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
      const once = nonce(next.epoch, n, next.deviceEpoch);
      return cipher.lock(next.keys.down, once, new Uint8Array(once.subarray(1, 9)), body);
    },
    open: (sealed) => {
      const bytes = Buffer.from(sealed);
      if (bytes.length < 16) return undefined;
      const [from, n] = [bytes.readUInt32LE(8), bytes.readUInt32LE(12)];
      for (const to of [next.epoch, 0]) {
        const pair = `${from} ${to}`;
        if (from < next.deviceEpoch || n <= (heard.get(pair) ?? 0)) continue;
        const body = cipher.unlock(next.keys.up, nonce(from, n, to), new Uint8Array(sealed));
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
