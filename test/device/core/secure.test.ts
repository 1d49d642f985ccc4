import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { flat } from '../../../device/core/flat.ts';
import { ccmMask, ccmTag, secureSuite } from '../../../device/core/secure.ts';
import { testKeys } from '../../../gateway/bench/faults/keyed-flash.ts';
import { nodeAes, nodeHmac } from '../../../gateway/link/virtual/node-ciphers.ts';
import { CIPHERS, gatewaySuite } from '../../support/node-ciphers.ts';

const vectors = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8'));
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');

describe('ccmTag() and ccmMask()', () => {
  test('give the packets of RFC 3610, whose associated data stand in the first blocks', () => {
    const { packets } = vectors('rfc3610') as { packets: Record<string, string>[] };
    expect(packets).toHaveLength(12);
    for (const { key, nonce, associated, text, encrypted, tag } of packets) {
      const [k, once, more, clear] = [key, nonce, associated, text].map((h) => bytes(h!));
      const first = [64 + 25, once!, 0, clear!.length, 0, more!.length, more!];
      const pad = new Uint8Array(14 - more!.length);
      const right = ccmTag(nodeAes, k!, [first, pad], clear!);
      const out = ccmMask(nodeAes, k!, once!, [right, new Uint8Array(8), clear!]);
      expect(hex(out.subarray(16, 16 + clear!.length))).toBe(encrypted);
      expect(hex(out.subarray(0, 8))).toBe(tag);
    }
  });
});

test('nodeHmac() gives the digests of RFC 2202', () => {
  const { cases } = vectors('rfc2202') as { cases: Record<string, string>[] };
  for (const { key, data, digest } of cases) {
    expect(hex(nodeHmac(bytes(key!), bytes(data!)))).toBe(digest);
  }
});

const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });
const thirteen = fc.uint8Array({ minLength: 13, maxLength: 13 });
const head = new Uint8Array([1, 0, 0, 0, 2, 0, 0, 0]);

test('ccm() agrees with the AES-128-CCM of node:crypto both ways when messages are random', () => {
  const { own, peer } = CIPHERS.ccm;
  fc.assert(
    fc.property(sixteen, thirteen, fc.uint8Array({ maxLength: 5000 }), (key, nonce, body) => {
      const sealed = own.lock(key, nonce, head, body);
      expect(hex(sealed)).toBe(hex(peer.lock(key, nonce, head, body)));
      expect(hex(own.unlock(key, nonce, sealed)!)).toBe(hex(body));
      sealed[(sealed.length * 7) % 8]! ^= 16;
      expect(own.unlock(key, nonce, sealed)).toBeUndefined();
    }),
    { numRuns: 200 },
  );
});

for (const name of ['ccm', 'mac'] as const) {
  /** A device and a gateway that have the same keys. */
  const pair = (epoch = 41, theirs = 7) => {
    const keys = flat([1, 0, testKeys.up, testKeys.down]);
    const device = secureSuite(CIPHERS[name].own, epoch, keys);
    const gateway = gatewaySuite(name, testKeys, theirs);
    return { device, gateway };
  };
  const body = new Uint8Array([17, 0x82, 9, 4]);

  describe(`secureSuite() with ${name}`, () => {
    test('opens what the gateway sealed, and the gateway what it sealed', () => {
      const { device, gateway } = pair();
      for (let n = 0; n < 5; n++) {
        expect(gateway.open(device.seal(body))).toEqual(body);
        expect(device.open(gateway.seal(body))).toEqual(body);
      }
      expect([gateway.deviceEpoch, gateway.refused]).toEqual([41, 0]);
    });

    test('opens nothing when any bit of a frame has changed, or it is cut', () => {
      const { device, gateway } = pair();
      gateway.open(device.seal(body));
      const sealed = gateway.seal(body);
      for (let bit = 0; bit < sealed.length * 8; bit++) {
        const bent = sealed.slice();
        bent[bit >> 3]! ^= 1 << (bit & 7);
        expect([bit, device.open(bent)]).toEqual([bit, undefined]);
      }
      for (let n = 0; n < sealed.length; n++) {
        expect(device.open(sealed.subarray(0, n))).toBeUndefined();
      }
      expect(device.open(sealed)).toEqual(body);
    });

    test('opens each frame once, and none that was sealed before it', () => {
      const { device, gateway } = pair();
      gateway.open(device.seal(body));
      const [first, second] = [gateway.seal(body), gateway.seal(body)];
      expect(device.open(second)).toEqual(body);
      expect([device.open(second), device.open(first)]).toEqual([undefined, undefined]);
    });

    test('opens nothing of before its own start, or of before the gateway started again', () => {
      const { device, gateway } = pair();
      gateway.open(device.seal(body));
      const old = gateway.seal(body);
      const again = pair(42).device;
      expect(again.open(old)).toBeUndefined();
      const later = gatewaySuite(name, testKeys, 8);
      later.deviceEpoch = 41;
      expect(device.open(later.seal(body))).toEqual(body);
      expect(device.open(old)).toBeUndefined();
      expect(gateway.open(device.seal(body))).toBeUndefined(); // it speaks to the new one
    });

    test('counts from 1 again under a new pair of epochs, and repeats no frame', () => {
      const { device } = pair();
      const seen = new Set<string>();
      for (let epoch = 7; epoch < 10; epoch++) {
        const gateway = gatewaySuite(name, testKeys, epoch);
        gateway.deviceEpoch = 41;
        device.open(gateway.seal(body));
        for (let n = 1; n < 4; n++) {
          const sealed = device.seal(body);
          expect(Buffer.from(sealed).readUInt32LE(12)).toBe(n);
          seen.add(hex(sealed));
        }
      }
      expect(seen.size).toBe(9);
    });

    test('opens nothing under another key, and nothing at all without keys', () => {
      const { device, gateway } = pair();
      gateway.open(device.seal(body));
      const stranger = gatewaySuite(name, { ...testKeys, down: testKeys.up });
      stranger.deviceEpoch = 41;
      expect(device.open(stranger.seal(body))).toBeUndefined();
      const zeros = { up: new Uint8Array(16), down: new Uint8Array(16) };
      const empty = secureSuite(CIPHERS[name].own, 41, new Uint8Array(54));
      const taker = gatewaySuite(name, zeros);
      taker.deviceEpoch = 41;
      expect(empty.open(taker.seal(body))).toBeUndefined();
    });
  });
}
