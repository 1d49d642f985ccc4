import { describe, expect, test } from 'vitest';
import { ccm } from '../../../../gateway/link/suites/ccm.ts';
import { nonceOf } from '../../../../gateway/link/suites/suite.ts';

const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));
const show = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const split = (bytes: Uint8Array) => {
  const at = Math.max(0, bytes.length - 8);
  return { body: bytes.subarray(0, at), tag: bytes.subarray(at) };
};
const range = (from: number, to: number) =>
  Uint8Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** RFC 3610, section 8: those packet vectors whose tag has 8 bytes and whose payload is a count. */
const KEY = 'c0c1c2c3c4c5c6c7c8c9cacbcccdcecf';
const VECTORS: [nonce: string, aad: number, last: number, sealed: string][] = [
  [
    '00000003020100a0a1a2a3a4a5',
    8,
    0x1e,
    '588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0',
  ],
  [
    '00000004030201a0a1a2a3a4a5',
    8,
    0x1f,
    '72c91a36e135f8cf291ca894085c87e3cc15c439c9e43a3ba091d56e10400916',
  ],
  [
    '00000005040302a0a1a2a3a4a5',
    8,
    0x20,
    '51b1e5f44a197d1da46b0f8e2d282ae871e838bb64da8596574adaa76fbd9fb0c5',
  ],
  [
    '00000006050403a0a1a2a3a4a5',
    12,
    0x1e,
    'a28c6865939a9a79faaa5c4c2a9d4a91cdac8c96c861b9c9e61ef1',
  ],
  [
    '00000007060504a0a1a2a3a4a5',
    12,
    0x1f,
    'dcf1fb7b5d9e23fb9d4e131253658ad86ebdca3e51e83f077d9c2d93',
  ],
  [
    '00000008070605a0a1a2a3a4a5',
    12,
    0x20,
    '6fc1b011f006568b5171a42d953d469b2570a4bd87405a0443ac91cb94',
  ],
];

describe('ccm', () => {
  test.each(VECTORS)('seals and opens packet %s of RFC 3610', (nonce, aad, last, sealed) => {
    const body = range(aad, last);
    const head = range(0, aad - 1);
    const mine = ccm.seal(hex(KEY), hex(nonce), body, head);
    expect(show(mine.body) + show(mine.tag)).toBe(sealed);
    expect(ccm.open(hex(KEY), hex(nonce), split(hex(sealed)), head)).toEqual(body);
  });

  test('opens nothing that was changed anywhere, nor what is too short', () => {
    const nonce = nonceOf(3, 2, 1);
    const sealed = ccm.seal(hex(KEY), nonce, range(1, 40));
    const whole = Uint8Array.of(...sealed.body, ...sealed.tag);
    expect(ccm.open(hex(KEY), nonce, split(whole))).toEqual(range(1, 40));
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const changed = whole.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(ccm.open(hex(KEY), nonce, split(changed))).toBeUndefined();
    }
    for (let length = 0; length < whole.length; length++) {
      expect(ccm.open(hex(KEY), nonce, split(whole.slice(0, length)))).toBeUndefined();
    }
    expect(ccm.open(hex(KEY), nonceOf(3, 2, 2), sealed)).toBeUndefined();
    expect(ccm.open(range(0, 15), nonce, sealed)).toBeUndefined();
  });

  test('seals nothing into a tag alone', () => {
    const nonce = nonceOf(1, 0, 1);
    const sealed = ccm.seal(hex(KEY), nonce, new Uint8Array(0));
    expect([sealed.body.length, sealed.tag.length]).toEqual([0, 8]);
    expect(ccm.open(hex(KEY), nonce, sealed)).toEqual(new Uint8Array(0));
  });
});
