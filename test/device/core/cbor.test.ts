import { Encoder } from 'cbor-x';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decode as decodeAt,
  encode,
  readRest,
  refuse,
  type Value,
} from '../../../device/core/cbor.ts';

const peer = new Encoder({ useRecords: false, tagUint8Array: false, mapsAsObjects: true });
const decode = (bytes: Uint8Array) => decodeAt(bytes, { at: 0, shape: '', rest: readRest });

/** cbor-x writes numbers beyond 32 bits as floats unless they are BigInt. */
function forPeer(value: Value): unknown {
  if (typeof value === 'number') {
    return value > 4294967295 || value < -4294967296 ? BigInt(value) : value;
  }
  return Array.isArray(value) ? value.map(forPeer) : value;
}

const edges = [0, 23, 24, 255, 256, 65535, 65536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];
const integers = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer(),
  fc.constantFrom(...edges, ...edges.map((edge) => -edge - 1).filter(Number.isSafeInteger)),
);
const ascii = fc.string({
  unit: fc.integer({ min: 0, max: 127 }).map((c) => String.fromCharCode(c)),
  maxLength: 300,
});
const leaf = fc.oneof(integers, ascii, fc.constant(null), fc.uint8Array({ maxLength: 300 }));
const inner = fc.array(leaf, { maxLength: 30 });
const values: fc.Arbitrary<Value> = fc.oneof(
  leaf,
  fc.array(fc.oneof(leaf, fc.array(fc.oneof(leaf, inner), { maxLength: 5 })), { maxLength: 30 }),
) as fc.Arbitrary<Value>;

describe('encode()', () => {
  test('gives the bytes of cbor-x when values are of the subset', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(Buffer.from(encode(value)).equals(peer.encode(forPeer(value)))).toBe(true);
      }),
      { numRuns: 500 },
    );
    for (const edge of edges) {
      for (const value of [edge, -edge]) {
        expect([value, ...encode(value)]).toEqual([value, ...peer.encode(forPeer(value))]);
      }
    }
  });

  test('writes int8 arrays as the bytes of their memory, when they are views too', () => {
    const view = new Int8Array([9, -1, -128, 127]).subarray(1);
    expect([...encode(view)]).toEqual([0x43, 255, 128, 127]);
  });

  test('has the documented example', () => {
    expect([...encode([1, -500, null, 'ok'])]).toEqual([
      0x84, 0x01, 0x39, 0x01, 0xf3, 0xf6, 0x62, 0x6f, 0x6b,
    ]);
  });
});

describe('decode()', () => {
  test('gives back what encode() and cbor-x wrote when values are of the subset', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(decode(encode(value))).toEqual(value);
        expect(decode(new Uint8Array(peer.encode(forPeer(value))))).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test('gives byte strings as views when it decodes', () => {
    const bytes = new Uint8Array([0x82, 0x18, 0x2a, 0x41, 0x07]);
    const value = decode(bytes) as [number, Uint8Array];
    expect(value).toEqual([42, new Uint8Array([7])]);
    expect(value[1].buffer).toBe(bytes.buffer);
  });

  test('tells the shape when the value is one', () => {
    const cursor = { at: 0, shape: '', rest: readRest };
    decodeAt(encode([1, [new Uint8Array(2), 'a'], null, []]), cursor);
    expect(cursor.shape).toBe('[i[bt]n[]]');
  });

  test('agrees with cbor-x or says undefined when bytes are random', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), (bytes) => {
        const value = decode(bytes);
        if (value === undefined) return;
        expect(value).toEqual(peer.decode(bytes));
      }),
      { numRuns: 3000 },
    );
  });

  test('says undefined when bytes are cut, added, too deep, or of another type', () => {
    const whole = encode([1, 'abc', new Uint8Array([1, 2]), [70000, null]]);
    for (let n = 0; n < whole.length; n++) expect(decode(whole.subarray(0, n))).toBeUndefined();
    expect(decode(Uint8Array.from([...whole, 0]))).toBeUndefined();
    const foreign = [
      '818181818100',
      'a10102',
      'c100',
      'f7',
      'f5',
      'f93c00',
      '9f01ff',
      '1c',
      '61ff',
      '3bffffffffffffffff',
    ];
    for (const hex of foreign)
      expect([hex, decode(Buffer.from(hex, 'hex'))]).toEqual([hex, undefined]);
  });

  test('takes no text or null when told to refuse the rest', () => {
    for (const value of ['a', null, [1, 'a']]) {
      expect(decodeAt(encode(value), { at: 0, shape: '', rest: refuse })).toBeUndefined();
    }
    const bytes = encode([1, [new Uint8Array([5])], -9]);
    expect(decodeAt(bytes, { at: 0, shape: '', rest: refuse })).toEqual([
      1,
      [new Uint8Array([5])],
      -9,
    ]);
  });

  test('ends at once when a length claims more than there is', () => {
    for (const hex of [
      '9bffffffffffffffff',
      '5bffffffffffffffff00',
      '7b001fffffffffffff41',
      '9affffffff01',
    ]) {
      expect(decode(Buffer.from(hex, 'hex'))).toBeUndefined();
    }
  });
});
