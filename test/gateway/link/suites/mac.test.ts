import { describe, expect, test } from 'vitest';
import { hmacTag, mac } from '../../../../gateway/link/suites/mac.ts';
import { nonceOf } from '../../../../gateway/link/suites/suite.ts';

const text = (value: string) => new TextEncoder().encode(value);
const filled = (length: number, value: number) => new Uint8Array(length).fill(value);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** RFC 2202, section 3: key, data, digest. */
const VECTORS: [Uint8Array, Uint8Array, string][] = [
  [filled(20, 0x0b), text('Hi There'), 'b617318655057264e28bc0b6fb378c8ef146be00'],
  [text('Jefe'), text('what do ya want for nothing?'), 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79'],
  [filled(20, 0xaa), filled(50, 0xdd), '125d7342b9ac11cd91a39af48aa17b4f63f175d3'],
  [
    Uint8Array.from({ length: 25 }, (_, i) => i + 1),
    filled(50, 0xcd),
    '4c9007f4026250c6bc8414f9bf50c86c2d7235da',
  ],
  [filled(20, 0x0c), text('Test With Truncation'), '4c1a03424b55e07fe7f27be1d58bb9324a9a5a04'],
  [
    filled(80, 0xaa),
    text('Test Using Larger Than Block-Size Key - Hash Key First'),
    'aa4ae5e15272d00e95705637ce8a3b55ed402112',
  ],
  [
    filled(80, 0xaa),
    text('Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data'),
    'e8e99d0f45237d786d6bbaa7965c7808bbff1a91',
  ],
];

describe('mac', () => {
  test.each(VECTORS)(
    'hmacTag() gives the first bytes of RFC 2202, case %#',
    (key, data, digest) => {
      expect(hex(hmacTag(key, data))).toBe(digest.slice(0, 16));
      expect(hex(hmacTag(key, data.subarray(0, 3), data.subarray(3)))).toBe(digest.slice(0, 16));
    },
  );

  test('leaves the body in clear, and opens nothing that was changed', () => {
    const key = filled(16, 7);
    const nonce = nonceOf(3, 2, 1);
    const body = text('a body');
    const sealed = mac.seal(key, nonce, body);
    expect(sealed.body).toEqual(body);
    expect(mac.open(key, nonce, sealed)).toEqual(body);
    const whole = Uint8Array.of(...sealed.body, ...sealed.tag);
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const changed = whole.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const parts = { body: changed.subarray(0, body.length), tag: changed.subarray(body.length) };
      expect(mac.open(key, nonce, parts)).toBeUndefined();
    }
    expect(mac.open(key, nonce, { body, tag: sealed.tag.subarray(1) })).toBeUndefined();
    expect(mac.open(key, nonceOf(2, 3, 1), sealed)).toBeUndefined();
    expect(mac.open(filled(16, 8), nonce, sealed)).toBeUndefined();
  });
});
