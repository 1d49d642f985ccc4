import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode, type Value } from '../../../device/core/cbor.ts';
import { encodeFrame, feed, frameDecoder, plainSuite } from '../../../device/core/frame.ts';
import {
  hasLua,
  LUAS,
  luaBytes,
  luaProgram,
  runLua,
  skippedLua,
  UNHEX,
} from '../../support/lua.ts';

const CORE = luaProgram(`
  import { encode, type Value } from '../core/cbor.ts';
  import { encodeFrame, feed, frameDecoder, plainSuite } from '../core/frame.ts';
  declare const luaCrc: (bytes: Uint8Array) => number;
  const suite = plainSuite(luaCrc);
  const decoder = frameDecoder(700);
  T = {
    crc: (raw: ArrayBuffer) => \`\${luaCrc(new Uint8Array(raw))}\`,
    bytes: (raw: ArrayBuffer) => new Uint8Array(raw),
    encode: (value: Value) => \`\${encode(value)}\`,
    frame: (raw: ArrayBuffer) => \`\${encodeFrame(new Uint8Array(raw), suite.seal)}\`,
    feed: (raw: ArrayBuffer) => {
      let said = '';
      feed(decoder, new Uint8Array(raw), suite.open, (payload) => {
        said += \`[\${payload}]\`;
      });
      return \`\${decoder.bad}\${said}\`;
    },
  };
`).code;

const lines = async (lua: string, calls: string[]): Promise<string[]> => {
  const prints = calls.map((call) => `print(T:${call})`).join('\n');
  return (await runLua(lua, `do ${CORE} end\n${UNHEX}${prints}`)).trimEnd().split('\n');
};

const INTEGERS = [23, 24, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, 2 ** 52 + 1, 2 ** 53 - 1];
const bytes = fc.uint8Array({ minLength: 1, maxLength: 600 });
const gappy = fc.array(fc.constantFrom(0, 0, 1, 255), { minLength: 1, maxLength: 600 });

for (const lua of LUAS) {
  describe.skipIf(!hasLua(lua))(`${lua}${skippedLua(lua)}`, () => {
    it("luaCrc() equals zlib's when given any bytes", async () => {
      const all = [new Uint8Array(1), ...fc.sample(bytes, { numRuns: 40, seed: 5 })];
      const calls = all.map((b) => `crc(${luaBytes(b)})`);
      expect(await lines(lua, calls)).toEqual(all.map((b) => String(crc32(b))));
    });

    it('encode() gives the same bytes as Node when it is integers of every length, text and bytes', async () => {
      const values: [Value, string][] = [
        ...[0, ...INTEGERS].map((n): [Value, string] => [n, `${n}`]),
        ...INTEGERS.map((n): [Value, string] => [-1 - n, `-1-${n}`]),
        [null, 'false'],
        ['ok', "'ok'"],
        ['', "''"],
        [[1, [null, 'x'], Uint8Array.of(0, 255)], `{1,{false,'x'},T:bytes(X"00ff")}`],
      ];
      const calls = values.map(([, text]) => `encode(${text})`);
      expect(await lines(lua, calls)).toEqual(values.map(([value]) => encode(value).join()));
    });

    it('feed() hands on what Node does when frames come whole, in pieces, damaged or too long', async () => {
      const suite = plainSuite(crc32);
      const payloads = [
        ...fc.sample(bytes, { numRuns: 25, seed: 6 }),
        ...fc.sample(gappy, { numRuns: 25, seed: 7 }).map((list) => Uint8Array.from(list)),
        new Uint8Array(900).fill(7),
      ];
      const frames = payloads.map((payload) => encodeFrame(payload, suite.seal));
      const framed = await lines(
        lua,
        payloads.map((payload) => `frame(${luaBytes(payload)})`),
      );
      expect(framed).toEqual(frames.map((frame) => frame.join()));
      const stream = Buffer.concat(frames);
      for (let at = 400; at < stream.length; at += 61) stream[at]! ^= 4;
      const pieces: Uint8Array[] = [];
      for (let at = 0, size = 1; at < stream.length; at += size) {
        size = (((size * 75 + 74) % 65537) % 240) + 1;
        pieces.push(stream.subarray(at, at + size));
      }
      const decoder = frameDecoder(700);
      const expected = pieces.map((piece) => {
        let said = '';
        feed(decoder, piece, suite.open, (payload) => {
          said += `[${payload}]`;
        });
        return `${decoder.bad}${said}`;
      });
      expect(decoder.bad).toBeGreaterThan(5);
      expect(
        await lines(
          lua,
          pieces.map((piece) => `feed(${luaBytes(piece)})`),
        ),
      ).toEqual(expected);
    });
  });
}
