import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { plainSuite } from '../../../device/core/frame.ts';
import { DONE, TICK, WINDOW } from '../../../device/core/inputs.ts';
import { CHUNK, CONFIRM, OFFER, pack, REVERT, STATUS } from '../../../device/core/messages.ts';
import {
  firstBad,
  type Head,
  headOf,
  NONE,
  type Offer,
  partAt,
  readSlot,
  slotAt,
  slotStart,
} from '../../../device/core/slot.ts';
import {
  COPY,
  ERASE,
  next,
  RUN,
  startUpdate,
  TEST,
  type UpdateConfig,
  type UpdateEffect,
  type UpdateState,
  WRITE,
} from '../../../device/core/update.ts';
import { tinyModel } from '../../support/tiny-model.ts';

const PAGE = 1024;
const suite = plainSuite(crc32);

/** Flash of one slot file, and a shell that carries out effects; tests say what TEST answers. */
function board(verdict = 4) {
  const flash = new Uint8Array(18 * PAGE).fill(255);
  const c: UpdateConfig = {
    page: PAGE,
    slotPages: 8,
    kind: tinyModel(1).offer[7],
    seal: suite.seal,
    open: suite.open,
    crc32,
    read: (at, n) => flash.slice(at, at + n),
    maxBoots: 3,
    chunk: 256,
    retryMs: 2000,
  };
  const sent: number[][] = [];
  const ran: string[] = [];
  let s: UpdateState;
  const carry = (effects: UpdateEffect[]): void => {
    for (const e of effects) {
      if (e[0] === ERASE) flash.fill(255, e[1], e[1] + PAGE);
      if (e[0] === WRITE) for (let i = 0; i < e[2].length; i++) flash[e[1] + i] &= e[2][i];
      if (e[0] === COPY) flash.copyWithin(e[2], e[1], e[1] + e[3]);
      if (e[0] === RUN && e[3] > 0) ran.push(`${e[1].f[0]}:${e[3]}`);
      if (e[0] < ERASE) sent.push([...e] as number[]);
      if (e[0] === TEST) {
        const bad = firstBad(c, e[2], e[1]);
        step(DONE, [bad < 3 ? bad : verdict, e[1]]);
      }
    }
  };
  const step = (code: number, f: unknown[], now = 0): void => {
    carry(next(s, code, f, now));
  };
  const boot = (): void => {
    ran.length = 0;
    s = startUpdate(c);
    carry(s.out);
  };
  boot();
  return { c, flash, sent, ran, step, boot, state: () => s };
}

type Board = ReturnType<typeof board>;

/** Offers a model and answers every want. */
function deliver(b: Board, model = tinyModel(1)): void {
  b.step(OFFER, model.offer);
  for (let turn = 0; turn < 99 && b.state().part < 3; turn++) {
    const { part, at } = b.state();
    const bytes = model.parts[part].slice(at, at + 256);
    b.step(CHUNK, [model.offer[0], part, at, bytes]);
  }
}

/** Puts a whole model into a slot, as a finished transfer leaves it. */
function put(b: Board, slot: number, release: number): Head {
  const model = tinyModel(release, release);
  const head = headOf(pack(OFFER, model.offer as never));
  b.flash.set(slotStart(b.c, head), slotAt(b.c, slot));
  for (let p = 0; p < 3; p++) b.flash.set(model.parts[p], slotAt(b.c, slot) + partAt(head, p));
  return head;
}

function putRecord(b: Board, kind: number, slot: number, boots: number): void {
  b.flash.fill(255, 0, 2 * PAGE);
  const state = Uint8Array.from({ length: 60 }, (_, i) => [1, 0, 0, kind, slot, boots][i] ?? i);
  b.flash.set(suite.seal(state), 0);
}

/** Rows of the table in update.ts, 'any' spelled out. */
function rows(): string[][] {
  const source = readFileSync(new URL('../../../device/core/update.ts', import.meta.url), 'utf8');
  const lines = source
    .split('\n')
    .filter((line) => /^ \* {3}(none|empty|confirmed|trial) /.test(line));
  const spell = (row: string[], column: number, both: string[]): string[][] =>
    row[column] === 'any' ? both.map((v) => row.with(column, v)) : [row];
  return lines
    .map((line) => line.slice(5).trim().split(/ {2,}/))
    .flatMap((row) => spell(row, 1, ['whole', 'broken']))
    .flatMap((row) => spell(row, 2, ['yes', 'no']))
    .flatMap((row) => spell(row, 3, ['whole', 'broken']));
}

test('startUpdate() does what its table says in every row', () => {
  const seen = new Set<string>();
  for (const [newest, its, left, other, runs, written] of rows()) {
    const b = board();
    const slot = seen.size % 2;
    put(b, slot, 5);
    put(b, 1 - slot, 4);
    if (its === 'broken') b.flash[slotAt(b.c, slot) + 300] ^= 255;
    if (other === 'broken') b.flash[slotAt(b.c, 1 - slot) + 300] ^= 255;
    const found = ['empty', 'confirmed', 'trial'].indexOf(newest);
    b.flash.fill(255, 0, 2 * PAGE);
    if (found >= 0) putRecord(b, found, slot, left === 'yes' ? 2 : 3);
    b.boot();
    const row = [newest, its, left, other].join(' ');
    const kind = ['empty', 'confirmed', 'trial'].findIndex((name) => written.startsWith(name));
    const expected = { nothing: [], 'its slot': [`5:${kind}`], 'the other': ['4:1'] }[runs];
    expect([row, b.ran]).toEqual([row, expected]);
    const record = suite.open(b.flash.slice(found < 0 ? 0 : 64, found < 0 ? 64 : 128))!;
    const goes = kind === 0 ? 2 : runs === 'the other' ? 1 - slot : slot;
    expect([row, ...record.slice(3, 5)]).toEqual([row, kind, goes]);
    if (kind === 2) expect([row, record[5]]).toEqual([row, left === 'yes' ? 3 : 4]);
    expect(record[0]).toBe(found < 0 ? 1 : 2);
    if (found >= 0)
      expect([...record.slice(6)]).toEqual(Array.from({ length: 54 }, (_, i) => i + 6));
    seen.add(row);
  }
  expect(seen.size).toBe(32); // 4 newest × 2 × 2 × 2
});

test('next() installs an offered model on trial and confirms it', () => {
  const b = board();
  deliver(b);
  expect(codes(b)).toEqual([1, 2, 3, 4]);
  expect(b.ran).toEqual(['1:2']);
  b.step(CONFIRM, [1]);
  expect(b.ran).toEqual(['1:2', '1:1']);
  b.boot();
  expect(b.ran).toEqual(['1:1']);
});

/** Codes of the statuses sent since a mark. */
function codes(b: Board, from = 0): number[] {
  return b.sent
    .slice(from)
    .filter(([code]) => code === STATUS)
    .map((bytes) => bytes[3]);
}

test('next() answers at once when the running version is offered again', () => {
  const b = board();
  deliver(b);
  const from = b.sent.length;
  b.step(OFFER, tinyModel(1).offer);
  expect(codes(b, from)).toEqual([2, 4]);
  b.step(CONFIRM, [1]);
  b.step(OFFER, tinyModel(1).offer);
  expect(codes(b, from)).toEqual([2, 4, 5, 2, 5]);
});

test('next() refuses an offer with a code of its own when it cannot be', () => {
  const b = board();
  deliver(b, tinyModel(7));
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
  const b = board();
  deliver(b);
  b.step(CONFIRM, [1]);
  const from = b.sent.length;
  deliver(b, tinyModel(2, 1));
  const wants = b.sent.slice(from).filter(([code]) => code === 3);
  expect(wants.map((bytes) => [...bytes.slice(2, 5)])).toEqual([[2, 2, 0]]);
  expect(b.ran.at(-1)).toBe('2:2');
  expect(readSlot(b.c, 1).f[0]).toBe(2);
});

test('next() ignores a chunk when it is not the one that was wanted', () => {
  const b = board();
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
  const b = board();
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
  const b = board();
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
  const b = board();
  const model = tinyModel(1);
  model.parts[2][9] ^= 1;
  deliver(b, model);
  expect(b.sent.at(-1)).toEqual([...pack(STATUS, [1, 8, 2])]);
  expect(b.ran).toEqual([]);
  expect(readSlot(b.c, 0)).toBe(NONE);
});

test('next() never makes a slot whole when the golden vectors differ', () => {
  const b = board(3);
  deliver(b);
  expect(b.sent.at(-1)).toEqual([...pack(STATUS, [1, 10, 3])]);
  expect(readSlot(b.c, 0)).toBe(NONE);
  b.boot();
  expect(b.ran).toEqual([]);
});

test('next() goes back by itself when trial windows run out', () => {
  const b = board();
  deliver(b, tinyModel(1));
  b.step(CONFIRM, [1]);
  deliver(b, tinyModel(2, 1, 5));
  for (let i = 0; i < 4; i++) b.step(WINDOW, []);
  expect(b.ran.at(-1)).toBe('2:2');
  b.step(WINDOW, []);
  expect(b.ran.at(-1)).toBe('1:1');
  expect(b.sent.at(-1)).toEqual([...pack(STATUS, [2, 13, 0])]);
});

test('startUpdate() goes back when a trial was booted three times without confirmation', () => {
  const b = board();
  deliver(b, tinyModel(1));
  b.step(CONFIRM, [1]);
  deliver(b, tinyModel(2));
  const ran: string[][] = [];
  for (let i = 0; i < 5; i++) {
    b.boot();
    ran.push([...b.ran]);
  }
  expect(ran).toEqual([['2:2'], ['2:2'], ['2:2'], ['1:1'], ['1:1']]);
});

test('next() goes back to the release before when the gateway orders it', () => {
  const b = board();
  deliver(b, tinyModel(1));
  b.step(CONFIRM, [1]);
  deliver(b, tinyModel(2));
  b.step(REVERT, [2]);
  expect(b.ran.at(-1)).toBe('1:1');
  b.step(REVERT, [2]); // said twice
  expect(codes(b).slice(-2)).toEqual([6, 6]);
  b.step(REVERT, [1]); // what lies beside it is newer: no way back
  expect(codes(b).at(-1)).toBe(9);
  expect(b.ran.at(-1)).toBe('1:1');
});

test('next() runs a release again without fetching it when it was reverted before', () => {
  const b = board();
  deliver(b, tinyModel(1));
  b.step(CONFIRM, [1]);
  deliver(b, tinyModel(2));
  b.step(REVERT, [2]);
  const wants = b.sent.filter(([code]) => code === 3).length;
  b.step(OFFER, tinyModel(2).offer);
  expect(b.ran.at(-1)).toBe('2:2');
  expect(b.sent.filter(([code]) => code === 3).length).toBe(wants);
});

test('startUpdate() keeps the newest record when the log has turned its pages many times', () => {
  const b = board();
  deliver(b, tinyModel(1));
  b.step(CONFIRM, [1]);
  for (let release = 2; release < 120; release++) {
    deliver(b, tinyModel(release, 1));
    b.step(CONFIRM, [release]);
    if (release % 7 === 0) b.boot();
  }
  b.boot();
  expect(b.ran).toEqual(['119:1']);
  expect(b.state().made).toBeGreaterThan(200); // 16 records a page
});
