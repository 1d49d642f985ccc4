import { expect, test } from 'vitest';
import { TICK, WINDOW } from '../../../device/core/inputs.ts';
import { CHUNK, CONFIRM, OFFER, pack, REVERT, STATUS } from '../../../device/core/messages.ts';
import { NONE, type Offer, readSlot } from '../../../device/core/slot.ts';
import { tinyModel } from '../../../gateway/bench/faults/tiny-model.ts';
import { updateBench } from '../../support/update-bench.ts';

const PAGE = 1024;

type Bench = ReturnType<typeof updateBench>;

test('next() installs an offered model on trial and confirms it', () => {
  const b = updateBench();
  b.deliver(tinyModel(1));
  expect(codes(b)).toEqual([1, 2, 3, 4]);
  expect(b.ran).toEqual(['0:0', '1:2']);
  b.step(CONFIRM, [1]);
  expect(b.ran).toEqual(['0:0', '1:2', '1:1']);
  b.boot();
  expect(b.ran).toEqual(['1:1']);
});

/** Codes of the statuses sent since a mark. */
function codes(b: Bench, from = 0): number[] {
  return b.sent
    .slice(from)
    .filter(([code]) => code === STATUS)
    .map((bytes) => bytes[3]);
}

test('next() answers at once when the running version is offered again', () => {
  const b = updateBench();
  b.deliver(tinyModel(1));
  const from = b.sent.length;
  b.step(OFFER, tinyModel(1).offer);
  expect(codes(b, from)).toEqual([2, 4]);
  b.step(CONFIRM, [1]);
  b.step(OFFER, tinyModel(1).offer);
  expect(codes(b, from)).toEqual([2, 4, 5, 2, 5]);
});

test('next() refuses an offer with a code of its own when it cannot be', () => {
  const b = updateBench();
  b.deliver(tinyModel(7));
  const offer = (change: (o: Offer) => void): number[] => {
    const o = structuredClone(tinyModel(9, 3).offer);
    change(o);
    const from = b.sent.length;
    b.step(OFFER, o);
    return codes(b, from);
  };
  expect(offer(() => {})).toEqual([12]); // a trial is going on
  b.step(CONFIRM, [7]);
  expect(offer((o) => (o[0] = 6))).toEqual([9]);
  expect(offer((o) => (o[0] = 7))).toEqual([9]); // another version of the same number
  expect(offer((o) => (o[2][1][1] = 0))).toEqual([7]);
  expect(offer((o) => (o[2][1][1] = -5))).toEqual([7]);
  expect(offer((o) => (o[2][2][1] = 8 * PAGE))).toEqual([11]);
  expect(offer((o) => (o[2][2][1] = 2 ** 45))).toEqual([11]);
});

test('next() fetches only what the running model lacks', () => {
  const b = updateBench();
  b.deliver(tinyModel(1));
  b.step(CONFIRM, [1]);
  const from = b.sent.length;
  b.deliver(tinyModel(2, 1));
  const wants = b.sent.slice(from).filter(([code]) => code === 3);
  expect(wants.map((bytes) => [...bytes.slice(2, 5)])).toEqual([[2, 2, 0]]);
  expect(b.ran.at(-1)).toBe('2:2');
  expect(readSlot(b.c, 1).f[0]).toBe(2);
});

test('next() ignores a chunk when it is not the one that was wanted', () => {
  const b = updateBench();
  const model = tinyModel(1);
  b.step(OFFER, model.offer);
  const piece = model.parts[0].slice(0, 196);
  const wrong = [
    [2, 0, 0, piece],
    [1, 1, 0, piece],
    [1, 0, 4, piece],
    [1, 0, 0, new Uint8Array(0)],
    [1, 0, 0, piece.slice(0, 30)],
    [1, 0, 0, new Uint8Array(200)],
  ];
  for (const f of wrong) b.step(CHUNK, f);
  expect([b.state().part, b.state().at]).toEqual([0, 0]);
  b.step(CHUNK, [1, 0, 0, piece]);
  expect([b.state().part, b.state().at]).toEqual([1, 0]);
});

test('next() takes an update up where it was when the same offer comes again', () => {
  const b = updateBench();
  const model = tinyModel(1);
  b.step(OFFER, model.offer);
  b.step(CHUNK, [1, 0, 0, model.parts[0]]);
  b.step(CHUNK, [1, 1, 0, model.parts[1].slice(0, 256)]);
  const from = b.sent.length;
  b.step(OFFER, model.offer);
  expect(b.sent.slice(from)).toEqual([
    [...pack(STATUS, [1, 1, 0])],
    [...pack(3, [1, 1, 256, 160])],
  ]);
});

test('next() asks again, later each time, when no chunk comes', () => {
  const b = updateBench();
  b.step(OFFER, tinyModel(1).offer, 100);
  const asked: number[] = [];
  let sent = b.sent.length;
  for (let now = 100; now < 130_000; now += 100) {
    b.step(TICK, [], now);
    if (b.sent.length > sent) asked.push(now);
    sent = b.sent.length;
  }
  expect(asked).toEqual([2100, 6100, 14_100, 30_100, 62_100, 94_100, 126_100]);
});

test('next() refuses what arrived when a part has another crc', () => {
  const b = updateBench();
  const model = tinyModel(1);
  model.parts[2][9] ^= 1;
  b.deliver(model);
  expect(b.sent.at(-1)).toEqual([...pack(STATUS, [1, 8, 2])]);
  expect(b.ran).toEqual(['0:0']);
  expect(readSlot(b.c, 0)).toBe(NONE);
});

test('next() never makes a slot whole when the golden vectors differ', () => {
  const b = updateBench(PAGE, 8, 3);
  b.deliver(tinyModel(1));
  expect(b.sent.at(-1)).toEqual([...pack(STATUS, [1, 10, 3])]);
  expect(readSlot(b.c, 0)).toBe(NONE);
  b.boot();
  expect(b.ran).toEqual(['0:0']);
});

test('next() goes back by itself when trial windows run out', () => {
  const b = updateBench();
  b.deliver(tinyModel(1));
  b.step(CONFIRM, [1]);
  b.deliver(tinyModel(2, 1, 5));
  for (let i = 0; i < 4; i++) b.step(WINDOW, []);
  expect(b.ran.at(-1)).toBe('2:2');
  b.step(WINDOW, []);
  expect(b.ran.at(-1)).toBe('1:1');
  expect(b.sent.at(-1)).toEqual([...pack(STATUS, [2, 13, 0])]);
});

test('startUpdate() goes back when a trial was booted three times without confirmation', () => {
  const b = updateBench();
  b.deliver(tinyModel(1));
  b.step(CONFIRM, [1]);
  b.deliver(tinyModel(2));
  const ran: string[][] = [];
  for (let i = 0; i < 5; i++) {
    b.boot();
    ran.push([...b.ran]);
  }
  expect(ran).toEqual([['2:2'], ['2:2'], ['2:2'], ['1:1'], ['1:1']]);
});

test('next() goes back to the release before when the gateway orders it', () => {
  const b = updateBench();
  b.deliver(tinyModel(1));
  b.step(CONFIRM, [1]);
  b.deliver(tinyModel(2));
  b.step(REVERT, [2]);
  expect(b.ran.at(-1)).toBe('1:1');
  b.step(REVERT, [2]); // said twice
  expect(codes(b).slice(-2)).toEqual([6, 6]);
  b.step(REVERT, [1]); // what lies beside it is newer: no way back
  expect(codes(b).at(-1)).toBe(9);
  expect(b.ran.at(-1)).toBe('1:1');
});

test('next() runs a release again without fetching it when it was reverted before', () => {
  const b = updateBench();
  b.deliver(tinyModel(1));
  b.step(CONFIRM, [1]);
  b.deliver(tinyModel(2));
  b.step(REVERT, [2]);
  const wants = b.sent.filter(([code]) => code === 3).length;
  b.step(OFFER, tinyModel(2).offer);
  expect(b.ran.at(-1)).toBe('2:2');
  expect(b.sent.filter(([code]) => code === 3).length).toBe(wants);
});

test('startUpdate() keeps the newest record when the log has turned its pages many times', () => {
  const b = updateBench();
  b.deliver(tinyModel(1));
  b.step(CONFIRM, [1]);
  for (let release = 2; release < 120; release++) {
    b.deliver(tinyModel(release, 1));
    b.step(CONFIRM, [release]);
    if (release % 7 === 0) b.boot();
  }
  b.boot();
  expect(b.ran).toEqual(['119:1']);
  expect(b.state().made).toBeGreaterThan(200); // 16 records a page
});
