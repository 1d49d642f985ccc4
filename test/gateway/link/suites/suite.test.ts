import { describe, expect, test } from 'vitest';
import { layOut, takeApart } from '../../../../gateway/link/suites/suite.ts';

describe('layOut()', () => {
  test('puts the tag in front, then epoch and number, little-endian, then the body', () => {
    const tag = Uint8Array.from([9, 8, 7, 6, 5, 4, 3, 2]);
    const body = Uint8Array.from([200, 0, 201]);
    const frame = { tag, from: 0x01020304, n: 0xfffefdfc, body };
    const bytes = layOut(frame);
    expect([...bytes]).toEqual([
      ...[9, 8, 7, 6, 5, 4, 3, 2],
      ...[4, 3, 2, 1, 0xfc, 0xfd, 0xfe, 0xff],
      ...[200, 0, 201],
    ]);
    expect(takeApart(bytes)).toEqual(frame);
  });
});

describe('takeApart()', () => {
  test('refuses what is too short, and what has no epoch or no number', () => {
    const bytes = layOut({ tag: new Uint8Array(8), from: 1, n: 1, body: Uint8Array.of(1) });
    for (let length = 0; length < bytes.length; length++) {
      expect(takeApart(bytes.slice(0, length))).toBeUndefined();
    }
    for (const zeroed of [8, 12]) {
      const none = bytes.slice();
      none.fill(0, zeroed, zeroed + 4);
      expect(takeApart(none)).toBeUndefined();
    }
  });
});
