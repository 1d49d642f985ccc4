import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFrame, feed, frameDecoder, plainSuite } from '../../../device/core/frame.ts';

const suite = plainSuite((bytes) => crc32(bytes));
const plain = (bytes: Uint8Array) => bytes;

function collect(stream: Uint8Array, pieces: number[] = [], max = 4096) {
  const decoder = frameDecoder(max);
  const got: { payload: number[]; wireBytes: number }[] = [];
  let from = 0;
  for (let k = 0; from < stream.length; k++) {
    const size = pieces.length > 0 ? pieces[k % pieces.length] : stream.length;
    feed(decoder, stream.subarray(from, from + size), suite.open, (payload, wireBytes) =>
      got.push({ payload: [...payload], wireBytes }),
    );
    from += size;
  }
  return { got, bad: decoder.bad };
}

const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

describe('encodeFrame()', () => {
  test('gives the stuffing of the paper when runs end, and when they fill a block', () => {
    const frame = (bytes: number[]) => [...encodeFrame(Uint8Array.from(bytes), plain)];
    expect(frame([])).toEqual([0, 1, 0]);
    expect(frame([0])).toEqual([0, 1, 1, 0]);
    expect(frame([1, 0, 2])).toEqual([0, 2, 1, 2, 2, 0]);
    const run = Array.from({ length: 254 }, (_, k) => k + 1);
    expect(frame(run)).toEqual([0, 255, ...run, 0]);
    expect(frame([...run, 9])).toEqual([0, 255, ...run, 2, 9, 0]);
    expect(frame([...run, 0])).toEqual([0, 255, ...run, 1, 1, 0]);
  });

  test('never holds a zero inside when payloads are random', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1200 }), (payload) => {
        const frame = encodeFrame(payload, suite.seal);
        expect(frame.length).toBeLessThanOrEqual(
          payload.length + 4 + Math.floor((payload.length + 4) / 254) + 3,
        );
        expect(frame.subarray(1, -1).includes(0)).toBe(false);
        expect([frame[0], frame.at(-1)]).toEqual([0, 0]);
      }),
    );
  });
});

describe('plainSuite()', () => {
  test('opens what it sealed, and nothing with a bit changed', () => {
    expect([...plainSuite(() => 258).seal(new Uint8Array([7]))]).toEqual([7, 2, 1, 0, 0]);
    const sealed = suite.seal(new Uint8Array([1, 2, 3]));
    expect(suite.open(sealed)).toEqual(new Uint8Array([1, 2, 3]));
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const bent = sealed.slice();
      bent[bit >> 3] ^= 1 << (bit & 7);
      expect(suite.open(bent)).toBeUndefined();
    }
    expect(suite.open(new Uint8Array([1, 2, 3]))).toBeUndefined();
    expect(suite.open(new Uint8Array(4))).toBeUndefined(); // nothing, with the CRC-32 of nothing
  });
});

describe('feed()', () => {
  test('hands on every payload with its bytes on the wire when pieces are of any size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 700 }), { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 5 }),
        (payloads, pieces) => {
          const frames = payloads.map((payload) => encodeFrame(payload, suite.seal));
          const { got, bad } = collect(join(...frames), pieces);
          expect(bad).toBe(0);
          expect(got).toEqual(
            payloads.map((payload, k) => ({ payload: [...payload], wireBytes: frames[k].length })),
          );
        },
      ),
    );
  });

  test('delivers a good frame when anything at all stands before it', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 900 }),
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        (junk, payload) => {
          const { got } = collect(join(junk, encodeFrame(payload, suite.seal)), [], 600);
          expect(got.at(-1)?.payload).toEqual([...payload]);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('delivers the frame behind when any byte of a frame is changed, delimiters included', () => {
    const first = encodeFrame(new Uint8Array([5, 0, 6, 0, 0, 7]), suite.seal);
    const second = encodeFrame(new Uint8Array([8, 9]), suite.seal);
    for (let at = 0; at < first.length; at++) {
      for (const value of [0, 1, 2, 255, first[at] ^ 4]) {
        const bent = first.slice();
        bent[at] = value;
        const { got } = collect(join(bent, second));
        expect(got.at(-1)?.payload).toEqual([8, 9]);
        if (got.length > 1) expect(got[0].payload).toEqual([5, 0, 6, 0, 0, 7]);
      }
    }
  });

  test('counts a frame as bad when it is longer than the buffer, and takes one that just fits', () => {
    const fits = encodeFrame(new Uint8Array(60).fill(1), suite.seal);
    const long = encodeFrame(new Uint8Array(61).fill(1), suite.seal);
    const { got, bad } = collect(join(long, fits), [], 65);
    expect([got.length, bad]).toEqual([1, 1]);
  });

  test('counts frames when their stuffing is none, whatever bytes that leaves', () => {
    const ones = new Uint8Array([0, ...Array(8).fill(255), 0]); // ff ff ff ff is its own CRC-32
    expect(collect(ones)).toEqual({ got: [], bad: 1 });
    const behind = new Uint8Array([0, 10, ...Array(7).fill(255), 0]);
    expect(collect(behind)).toEqual({ got: [], bad: 1 });
    expect(collect(new Uint8Array([0, 1, 1, 1, 1, 1, 0]))).toEqual({ got: [], bad: 1 });
    const longer = encodeFrame(new Uint8Array([7, 8]), suite.seal);
    longer[1]++;
    expect(collect(longer)).toEqual({ got: [], bad: 1 });
  });

  test('counts frames when they are too short for a checksum or run over their end', () => {
    expect(collect(new Uint8Array([0, 2, 1, 0, 0, 9, 1, 1, 0])).bad).toBe(2);
  });
});
