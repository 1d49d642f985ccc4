import { expect, it } from 'vitest';
import { decode, readRest } from '../../../device/core/cbor.ts';
import { MESSAGES, pack, SAMPLE } from '../../../device/core/messages.ts';
import { parseMessage } from '../../../gateway/link/messages.ts';
import { readSample } from '../../../gateway/link/read-sample.ts';
import { createRandom } from '../../../gateway/random.ts';

const names = Object.keys(MESSAGES.find(({ code }) => code === SAMPLE)!.fields);
const random = createRandom(5);
const sizes = [23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1];
const count = (): number => random.integer(2) * sizes[random.integer(sizes.length)]!;
const bytes = (): Uint8Array | null =>
  random.integer(2) === 0
    ? null
    : Uint8Array.from({ length: random.integer(300) }, () => random.integer(256));

/** By the way that all messages take. */
function slowly(payload: Uint8Array): Record<string, unknown> | undefined {
  const cursor = { at: 1, shape: '', rest: readRest };
  const fields = decode(payload, cursor) as unknown[] | undefined;
  if (payload[0] !== SAMPLE || !/^\[i{7}[bn][bn][in]\]$/.test(cursor.shape)) return undefined;
  return fields && Object.fromEntries(names.map((name, k) => [name, fields[k]]));
}

it('readSample() reads what a device writes', () => {
  for (let i = 0; i < 2000; i++) {
    const numbers = Array.from({ length: 7 }, count);
    const label = random.integer(2) === 0 ? null : count();
    const payload = pack(SAMPLE, [...numbers, bytes(), bytes(), label]);
    const read = readSample(payload);
    expect(read).toBeDefined();
    expect(read).toEqual(slowly(payload));
  }
});

it('readSample() takes of damaged bytes nothing that is no message, and nothing differently', () => {
  let taken = 0;
  for (let i = 0; i < 20_000; i++) {
    const payload = pack(SAMPLE, [...Array.from({ length: 7 }, count), bytes(), bytes(), null]);
    for (let k = random.integer(3); k >= 0; k--) {
      payload[2 + random.integer(Math.min(30, payload.length - 2))] = random.integer(256);
    }
    const cut = payload.subarray(0, payload.length - random.integer(2));
    const read = readSample(cut);
    if (read === undefined) continue;
    taken++;
    expect(read).toEqual(slowly(cut));
  }
  expect(taken).toBeGreaterThan(100);
});

it('parseMessage() still takes samples that are written in another way', () => {
  const wide = new Uint8Array([
    2, 0x8a, 9, 1, 0, 1, 3, 20, 5, 0xf6, 0xf6, 0x1b, 0, 0, 0, 0, 0, 0, 0, 2,
  ]);
  expect(readSample(wide)).toBeUndefined();
  expect(parseMessage(wide)).toMatchObject({ name: 'sample', body: { session: 9, label: 2 } });
});
