import { expect, test } from 'vitest';
import { virtualClock } from '../../../../gateway/link/virtual/clock.ts';
import { firstHalf, flatImage, VirtualFlash } from '../../../../gateway/link/virtual/flash.ts';
import { VirtualStorage } from '../../../../gateway/link/virtual/storage.ts';

const shape = { start: 4096, pageBytes: 64, pages: 8 };

test('VirtualFlash.write() only clears bits, VirtualFlash.erase() sets a whole page', () => {
  const flash = new VirtualFlash(shape);
  flash.write(4100, new Uint8Array([0xf0, 1, 2, 3]));
  flash.write(4100, new Uint8Array([0x3c, 255, 255, 255]));
  expect([...flash.read(4099, 6)]).toEqual([255, 0x30, 1, 2, 3, 255]);
  expect(flash.overwritten).toBe(1);
  flash.write(4160, new Uint8Array(4));
  flash.erase(4130);
  expect([...flash.read(4100, 4), ...flash.read(4160, 2)]).toEqual([255, 255, 255, 255, 0, 0]);
});

test('VirtualFlash.write() throws when it is not in words or outside', () => {
  const flash = new VirtualFlash(shape);
  expect(() => flash.write(4098, new Uint8Array(4))).toThrow(RangeError);
  expect(() => flash.write(4096, new Uint8Array(3))).toThrow(RangeError);
  expect(() => flash.write(4096 + 512, new Uint8Array(4))).toThrow(RangeError);
  expect(() => flash.read(4000, 4)).toThrow(RangeError);
});

test('VirtualFlash.image() is what a power cut leaves', () => {
  const flash = new VirtualFlash(shape);
  flash.write(4096, new Uint8Array([1, 2, 3, 4]));
  flash.erase(4096);
  const at = (count: number, tear?: typeof firstHalf): number[] => [
    ...new VirtualFlash(shape, flash.image(count, tear)).read(4096, 4),
  ];
  expect(at(0)).toEqual([255, 255, 255, 255]);
  expect(at(0, firstHalf)).toEqual([1, 2, 255, 255]);
  expect(at(1)).toEqual([1, 2, 3, 4]);
  expect(at(1, (index) => index === 1)).toEqual([1, 255, 3, 4]);
  expect(at(2)).toEqual([255, 255, 255, 255]);
  expect(flatImage(shape, flash.image(1)).length).toBe(512);
});

test('VirtualFlash does nothing any more when it has no power', () => {
  const flash = new VirtualFlash(shape);
  flash.onOp = (index) => {
    flash.dead = index === 1;
  };
  for (let i = 0; i < 3; i++) flash.write(4096 + 4 * i, new Uint8Array(4));
  expect(flash.ops.length).toBe(1);
  expect(flash.read(4100, 1)[0]).toBe(255);
});

test('VirtualStorage.write() lays files out one behind the other and does not replace them', () => {
  const flash = new VirtualFlash(shape);
  const storage = new VirtualStorage(flash);
  expect(storage.getFree()).toBe(512);
  storage.write('a', 'hello');
  storage.write('b.json', '{"x":1}', 0, 100);
  expect(storage.list()).toEqual(['a', 'b.json']);
  expect(storage.getFree()).toBe(512 - 32 - 8 - 32 - 100);
  expect(Buffer.from(storage.read('a')!).toString()).toBe('hello');
  expect(() => storage.write('a', 'other')).toThrow('does not replace');
  expect(() => storage.write('c', 'x', 0, 400)).toThrow('Unable to find or create file');
});

test('virtualClock() calls timers in order when it moves', async () => {
  const clock = virtualClock(100);
  const seen: string[] = [];
  const note = (name: string) => () => seen.push(`${name}@${clock.now()}`);
  clock.setTimeout(note('b'), 20);
  clock.setTimeout(note('a'), 10);
  clock.setTimeout(note('c'), 20);
  clock.clearTimeout(clock.setTimeout(note('never'), 5));
  clock.setTimeout(() => clock.setTimeout(note('inner'), 3), 12);
  await clock.advance(15);
  expect(seen).toEqual(['a@110', 'inner@115']);
  await clock.advance(5);
  expect(seen).toEqual(['a@110', 'inner@115', 'b@120', 'c@120']);
  expect(clock.now()).toBe(120);
});
