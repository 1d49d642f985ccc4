import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encode } from '../../../device/core/cbor.ts';
import { GATEWAY_SHAPES, MESSAGES, pack, unpack } from '../../../device/core/messages.ts';
import { messageTable } from '../../../gateway/link/table.ts';

const SHAPES = { i: 'i', I: 'i', t: 't', b: 'b', B: 'b', p: '[[bii][bii][bii]]' };

describe('MESSAGES', () => {
  test('names each code and each message once when listed', () => {
    expect(new Set(MESSAGES.map(({ code }) => code)).size).toBe(MESSAGES.length);
    expect(new Set(MESSAGES.map(({ name }) => name)).size).toBe(MESSAGES.length);
  });

  test('agrees with GATEWAY_SHAPES when the gateway is the sender', () => {
    const rows = MESSAGES.filter(({ from }) => from === 'gateway').map(({ code, fields }) => {
      const types = Object.values(fields) as (keyof typeof SHAPES)[];
      return [code - 16, `[${types.map((type) => SHAPES[type]).join('')}]`];
    });
    expect([...GATEWAY_SHAPES.entries()]).toEqual(rows);
  });

  test('is the table in docs/link.md when the documentation is read', () => {
    const url = new URL('../../../docs/link.md', import.meta.url);
    const text = readFileSync(url, 'utf8');
    const parts = /^([\s\S]*<!-- generated[^\n]*\n)[\s\S]*(<!-- end -->\n)$/.exec(text);
    const right = `${parts?.[1]}\n${messageTable()}\n\n${parts?.[2]}`;
    if (process.env.UPDATE_DOCS === '1') writeFileSync(url, right);
    else expect(text).toBe(right);
  });
});

describe('unpack()', () => {
  test('gives code and fields when pack() made the bytes', () => {
    expect([...pack(20, [7])]).toEqual([20, 0x81, 7]);
    expect(unpack(new Uint8Array([17, 0x82, 9, 4]))).toEqual([9, 4]);
    const id = new Uint8Array(8).fill(3);
    const part = [id, 354, 4294967295];
    const offer = [12, id, [part, part, part], 99, 4, new Uint8Array(24), 60, 4294967295, 1];
    expect(unpack(pack(18, offer))).toEqual(offer);
  });

  test('says undefined when a field has another type, is missing, or the code is unknown', () => {
    const wrong: [number, Parameters<typeof pack>[1]][] = [
      [17, [9, 'x']],
      [17, [9]],
      [17, [9, 4, 4]],
      [17, [9, null]],
      [18, [12, new Uint8Array(8), [1, 2, 3], 99, 4, new Uint8Array(24), 60]],
      [19, [1, 0, 0, [1]]],
      [2, [1, 2]],
      [99, []],
    ];
    for (const [code, fields] of wrong) {
      expect([code, unpack(pack(code, fields))]).toEqual([code, undefined]);
    }
    expect(unpack(new Uint8Array(0))).toBeUndefined();
    expect(unpack(Uint8Array.from([20, ...encode(7)]))).toBeUndefined();
  });

  test('never throws when bytes are random', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 30 }),
        fc.uint8Array({ maxLength: 80 }),
        (code, rest) => {
          unpack(Uint8Array.from([code, ...rest]));
        },
      ),
      { numRuns: 3000 },
    );
  });
});
