/*
 * The update machine: test, confirm, revert. Power may go at any flash operation.
 *
 * What runs after a boot:
 *
 *   newest record  its slot  boots left  other slot  runs         record written
 *   none           any       any         any         nothing      -
 *   confirmed      whole     any         any         its slot     -
 *   confirmed      broken    any         whole       the other    confirmed, other
 *   confirmed      broken    any         broken      nothing      -
 *   trial          whole     yes         any         its slot     trial, boots + 1
 *   trial          whole     no          whole       the other    confirmed, other (a revert)
 *   trial          whole     no          broken      its slot     - (there is no way back)
 *   trial          broken    any         whole       the other    confirmed, other (a revert)
 *   trial          broken    any         broken      nothing      -
 */

import { CHUNK, CONFIRM, OFFER, pack, REVERT, STATUS, WANT } from './messages.ts';
import {
  type Head,
  headOf,
  NONE,
  type Offer,
  partAt,
  RECORD_BYTES,
  readSlot,
  type SlotConfig,
  slotAt,
  slotStart,
} from './slot.ts';

/**
 * The table above: n nothing, s its slot, t its slot and count the boot, o the other. Index: 8 for
 * trial, 4 for a whole slot, 2 for boots left, 1 for another slot that is whole.
 */
const BOOT = 'nonossssnonosott';

/* Codes of `status`: see STATUSES in messages.ts. */
const ACCEPTED = 1;
const INSTALLED = 2;
const EQUAL = 3;
const TRIAL = 4;
const CONFIRMED = 5;
const REVERTED = 6;
const REFUSED_SIZE = 7;
const REFUSED_CRC = 8;
const REFUSED_RELEASE = 9;
const DIFFERENT = 10;
const NO_SPACE = 11;
const BUSY = 12;
const RAN_OUT = 13;

export interface UpdateConfig extends SlotConfig {
  /** boots on trial without a confirmation before the device goes back by itself */
  maxBoots: number;
  /** bytes asked for at a time; a multiple of 4 */
  chunk: number;
  /** wait for a chunk before it is asked for again; doubles up to 16 times this */
  retryMs: number;
}

/* Inputs beside the messages OFFER, CHUNK, CONFIRM and REVERT. */
/** Fields: [0 to 2 a part with a wrong crc, 3 the golden vectors differ, 4 all is well]. */
export const DONE = 0;
/** One window was classified. */
export const WINDOW = 1;
export const TICK = 2;

/* Effects, to be carried out one at a time, in order. Addresses count from the file's start. */
/** [ERASE, at]: the page that begins there */
export const ERASE = 0;
/** [WRITE, at, bytes] */
export const WRITE = 1;
/** [COPY, from, to, bytes] */
export const COPY = 2;
/** [TEST, slot, head]: crc of each part, then the golden vectors; answered by DONE */
export const TEST = 3;
/** [RUN, head, kind]: this model from now on; kind 1 confirmed, 2 trial */
export const RUN = 4;
/** [SEND, payload] */
export const SEND = 5;

export type UpdateEffect =
  | [t: typeof ERASE, at: number]
  | [t: typeof WRITE, at: number, bytes: Uint8Array]
  | [t: typeof COPY, from: number, to: number, n: number]
  | [t: typeof TEST, slot: number, head: Head]
  | [t: typeof RUN, head: Head, kind: number]
  | [t: typeof SEND, payload: Uint8Array];

export interface UpdateState {
  c: UpdateConfig;
  /** the models of both slots, where they are whole, and NONE */
  heads: Head[];
  /** slot that runs, 2 for none */
  run: number;
  /** 0 empty, 1 confirmed, 2 trial */
  kind: number;
  /** classified on trial */
  windows: number;
  /** the log's newest sequence, and where its next record goes */
  seq: number;
  page: number;
  pos: number;
  /** what is being fetched, and the next byte of it; part 3 when there is no more to fetch */
  coming: Head;
  part: number;
  at: number;
  gap: number;
  due: number;
  /** of the newest step */
  effects: UpdateEffect[];
}

function say(s: UpdateState, release: number, code: number, detail: number): void {
  s.effects.push([SEND, pack(STATUS, [release, code, detail])]);
}

/** Writes the state that holds from now on; what is before it in `effects` is on flash by then. */
function record(s: UpdateState, kind: number, slot: number, boots: number): void {
  const page = s.c.page;
  if (s.pos > page - RECORD_BYTES) {
    s.page = 1 - s.page;
    s.pos = 0;
    s.effects.push([ERASE, s.page * page]);
  }
  s.seq++;
  const r = new Uint8Array(RECORD_BYTES - 4);
  const high = Math.floor(s.seq / 256);
  r.set([s.seq % 256, high % 256, Math.floor(high / 256), kind, slot, boots], 0);
  s.effects.push([WRITE, s.page * page + s.pos, s.c.seal(r)]);
  s.pos += RECORD_BYTES;
  start(s, kind, slot);
}

function start(s: UpdateState, kind: number, slot: number): void {
  s.run = slot;
  s.kind = kind;
  s.windows = 0;
  s.effects.push([RUN, s.heads[slot], kind]);
}

/** The slot that does not run. */
function target(s: UpdateState): number {
  return s.run === 0 ? 1 : 0;
}

function want(s: UpdateState, now: number): void {
  const f = s.coming.f;
  s.due = now + s.gap;
  s.effects.push([
    SEND,
    pack(WANT, [f[0], s.part, s.at, Math.min(f[2][s.part][1] - s.at, s.c.chunk)]),
  ]);
}

/** Whether the running model has this part of what is coming. */
function has(s: UpdateState, part: number): boolean {
  return `${s.heads[s.run].f[2][part]}` === `${s.coming.f[2][part]}`;
}

/** Asks for the next piece, or for the test when there is none. */
function fetch(s: UpdateState, now: number): void {
  const head = s.coming;
  while (s.part < 3 && (s.at >= head.f[2][s.part][1] || has(s, s.part))) {
    s.part++;
    s.at = 0;
  }
  s.gap = s.c.retryMs;
  if (s.part > 2) s.effects.push([TEST, target(s), head]);
  else want(s, now);
}

/** Puts a tested model on trial. */
function install(s: UpdateState, head: Head): void {
  const slot = target(s);
  s.heads[slot] = head;
  s.coming = NONE;
  say(s, head.f[0], INSTALLED, 0);
  say(s, head.f[0], EQUAL, 0);
  record(s, 2, slot, 0);
  say(s, head.f[0], TRIAL, 0);
}

function offer(s: UpdateState, f: Offer, now: number) {
  const c = s.c;
  const release = f[0];
  const head = headOf(pack(OFFER, f)); // its own bytes: the message's are valid only now
  const slot = target(s);
  const there = s.heads[slot];
  const running = s.heads[s.run];
  const room = c.page * c.slotPages;
  if (s.kind > 0 && `${running.f[1]}` === `${f[1]}`) {
    say(s, release, INSTALLED, 0);
    return say(s, release, s.kind === 2 ? TRIAL : CONFIRMED, 0);
  }
  if (s.kind === 2) return say(s, release, BUSY, 0);
  if (release <= running.f[0]) return say(s, release, REFUSED_RELEASE, running.f[0]);
  for (let p = 0; p < 3; p++) if (f[2][p][1] < 1) return say(s, release, REFUSED_SIZE, p);
  if (partAt(head, 3) > room) return say(s, release, NO_SPACE, room);
  say(s, release, ACCEPTED, 0);
  // Tested before a power cut, or reverted: it only has to run.
  if (`${there.f}` === `${f}`) return install(s, there);
  if (`${s.coming.f}` !== `${f}`) {
    s.coming = head;
    s.heads[slot] = NONE;
    s.part = 0;
    s.at = 0;
    // The slot's first page goes first: nothing half erased may look whole.
    for (let at = 0; at < partAt(head, 3); at += c.page) {
      s.effects.push([ERASE, slotAt(c, slot) + at]);
    }
    for (let p = 0; p < 3; p++) {
      if (has(s, p)) {
        s.effects.push([
          COPY,
          slotAt(c, s.run) + partAt(running, p),
          slotAt(c, slot) + partAt(head, p),
          f[2][p][1],
        ]);
      }
    }
  }
  fetch(s, now);
}

function chunk(s: UpdateState, f: [number, number, number, Uint8Array], now: number) {
  const head = s.coming;
  const n = f[3].length;
  const left = s.part > 2 ? 0 : head.f[2][s.part][1] - s.at;
  if (f[0] !== head.f[0] || f[1] !== s.part || f[2] !== s.at || n < 1 || n > left) return;
  // Only the last piece of a part may end between multiples of 4: flash is written in words.
  if (n < left && n % 4 > 0) return;
  s.effects.push([
    WRITE,
    slotAt(s.c, target(s)) + partAt(head, s.part) + s.at,
    new Uint8Array(f[3]),
  ]);
  s.at += n;
  fetch(s, now);
}

function back(s: UpdateState, code: number) {
  const left = s.heads[s.run].f[0];
  const other = s.heads[1 - s.run];
  if (other === NONE || other.f[0] > left) return say(s, left, REFUSED_RELEASE, 0);
  record(s, 1, 1 - s.run, 0);
  say(s, left, code, 0);
}

/** Finds the log's newest record: [sequence, kind, slot, boots]; leaves its end in the state. */
function readLog(s: UpdateState): number[] {
  const c = s.c;
  let newest = [0, 0, 0, 0];
  for (let page = 0; page < 2; page++) {
    let here = false;
    let pos = 0;
    for (; pos <= c.page - RECORD_BYTES; pos += RECORD_BYTES) {
      const r = c.read(page * c.page + pos, RECORD_BYTES);
      let all = 255;
      for (let i = 0; i < RECORD_BYTES; i++) all = Math.min(all, r[i]);
      if (all === 255) break; // erased: records are written in order
      const seq = r[0] + r[1] * 256 + r[2] * 65536;
      if (seq > newest[0] && c.open(r) !== undefined) {
        newest = [seq, r[3], r[4], r[5]];
        here = true;
      }
    }
    if (here) {
      s.page = page;
      s.pos = pos;
    }
  }
  return newest;
}

/**
 * Boots: reads the log and the slots and decides by the table above.
 *
 * @param c see UpdateConfig
 * @returns the state, with what is to be done first
 * @source MCUboot, 'Image trailer' and 'Swap info': test, confirm, revert
 */
export function startUpdate(c: UpdateConfig): UpdateState {
  const s: UpdateState = {
    c: c,
    heads: [readSlot(c, 0), readSlot(c, 1), NONE],
    run: 2,
    kind: 0,
    windows: 0,
    seq: 0,
    // Without a record the first one goes to page 0, and erases it: it may hold anything.
    page: 1,
    pos: c.page,
    coming: NONE,
    part: 3,
    at: 0,
    gap: 0,
    due: 0,
    effects: [],
  };
  const newest = readLog(s);
  s.seq = newest[0];
  if (s.seq > 0) {
    const kind = newest[1];
    const slot = newest[2];
    const whole = s.heads[slot] !== NONE;
    const left = newest[3] < c.maxBoots;
    const other = s.heads[1 - slot] !== NONE;
    const does = BOOT.charAt(kind * 8 - 8 + (whole ? 4 : 0) + (left ? 2 : 0) + (other ? 1 : 0));
    if (does === 't') record(s, 2, slot, newest[3] + 1);
    if (does === 's') start(s, kind, slot);
    if (does === 'o') {
      record(s, 1, 1 - slot, 0);
      say(s, s.heads[slot].f[0], RAN_OUT, 0);
    }
  }
  return s;
}

/**
 * One step of the update machine: no clock, no flash.
 *
 * @param s from `startUpdate` or the step before; belongs to the machine, which changes it in place,
 *   since a copy is more than a small board can afford
 * @param code OFFER, CHUNK, CONFIRM or REVERT with their fields; DONE, WINDOW or TICK
 * @param f fields
 * @param now ms since boot
 * @returns the state, with what to do in `effects`, in order
 */
export function next(s: UpdateState, code: number, f: unknown[], now: number): UpdateState {
  s.effects = [];
  const coming = s.coming;
  const release = f[0] as number;
  const running = s.heads[s.run].f[0];
  if (code === OFFER) offer(s, f as Offer, now);
  if (code === CONFIRM && s.kind > 0) {
    if (s.kind > 1 && release === running) record(s, 1, s.run, 0);
    say(s, running, s.kind > 1 ? TRIAL : CONFIRMED, 0);
  }
  if (code === REVERT) {
    if (s.kind > 0 && release === running) back(s, REVERTED);
    else say(s, release, REVERTED, 0);
  }
  if (code === WINDOW && s.kind > 1) {
    s.windows++;
    const limit = s.heads[s.run].f[6];
    if (limit > 0 && s.windows >= limit && s.heads[1 - s.run] !== NONE) back(s, RAN_OUT);
  }
  if (code === CHUNK) chunk(s, f as [number, number, number, Uint8Array], now);
  if (code === TICK && s.part < 3 && now >= s.due) {
    s.gap = Math.min(s.gap * 2, s.c.retryMs * 16);
    want(s, now);
  }
  if (code === DONE && s.part > 2 && coming !== NONE) {
    if (release > 3) {
      s.effects.push([WRITE, slotAt(s.c, target(s)), slotStart(s.c, coming)]);
      install(s, coming);
    } else {
      s.coming = NONE;
      say(s, coming.f[0], release > 2 ? DIFFERENT : REFUSED_CRC, release);
    }
  }
  return s;
}
