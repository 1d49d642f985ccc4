/*
 * The update machine: test, confirm, revert. Power may go at any flash operation.
 *
 * What runs after a boot, and the record that it writes:
 *
 *   newest record  its slot  boots left  other slot  runs         record written
 *   none           any       any         any         nothing      empty
 *   empty          any       any         any         nothing      empty
 *   confirmed      whole     any         any         its slot     confirmed
 *   confirmed      broken    any         whole       the other    confirmed, other
 *   confirmed      broken    any         broken      nothing      empty
 *   trial          whole     yes         any         its slot     trial, boots + 1
 *   trial          whole     no          whole       the other    confirmed, other (a revert)
 *   trial          whole     no          broken      its slot     trial, boots + 1 (no way back)
 *   trial          broken    any         whole       the other    confirmed, other (a revert)
 *   trial          broken    any         broken      nothing      empty
 */

import { flat } from './flat.ts';
import { DONE, TICK, WINDOW } from './inputs.ts';
import {
  CHUNK,
  CONFIRM,
  OFFER,
  pack,
  REKEY,
  REVERT,
  STATUS,
  say,
  WANT,
  WELCOME,
} from './messages.ts';
import { u16 } from './model.ts';
import { SECURE } from './options.ts';
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

/* Codes of `status`, for both ends: see STATUSES in messages.ts. */
export const ACCEPTED = 1;
const INSTALLED = 2;
export const EQUAL = 3;
export const TRIAL = 4;
export const CONFIRMED = 5;
export const REVERTED = 6;
const REFUSED_SIZE = 7;
const REFUSED_CRC = 8;
export const REFUSED_RELEASE = 9;
const DIFFERENT = 10;
const NO_SPACE = 11;
export const BUSY = 12;
export const RAN_OUT = 13;
export const REKEYED = 14;
const REFUSED_BOARD = 15;
const REFUSED_STALE = 16;
const REFUSED_GOLDEN = 17;

/** Golden windows of an offer: each costs a board an inference, one after the other, in one go. */
export const MOST_GOLDEN = 64;

export interface UpdateConfig extends SlotConfig {
  /** boots on trial without a confirmation before the device goes back by itself */
  maxBoots: number;
  /** bytes asked for at a time; a multiple of 4 */
  chunk: number;
  /** wait for a chunk before it is asked for again; doubles up to 16 times this */
  retryMs: number;
  /** CRC-32 of 'board task': what a model must be for */
  kind: number;
}

/*
 * Effects, to be carried out one at a time, in order; beside them payloads to send, whose first byte
 * is 1 to 5. Addresses count from the file's start.
 */
/** [ERASE, at]: the page that begins there */
export const ERASE = 6;
/** [WRITE, at, bytes] */
export const WRITE = 7;
/** [COPY, from, to, bytes] */
export const COPY = 8;
/** [TEST, head, slot]: crc of each part, then the golden vectors; answered by DONE */
export const TEST = 9;
/** [RUN, head, slot, kind, keys]: this model and these keys from now on; kind 0 none, 1 confirmed, 2 trial */
export const RUN = 10;

export type UpdateEffect =
  | [t: typeof ERASE, at: number]
  | [t: typeof WRITE, at: number, bytes: Uint8Array]
  | [t: typeof COPY, from: number, to: number, n: number]
  | [t: typeof TEST, head: Head, slot: number]
  | [t: typeof RUN, head: Head, slot: number, kind: number, keys: Uint8Array]
  | [t: 1 | 2 | 3 | 4 | 5, ...payload: number[]];

export interface UpdateState {
  c: UpdateConfig;
  /** the models of both slots, where they are whole, and NONE */
  heads: Head[];
  /** slot that runs, 2 for none */
  run: number;
  /** 0 empty, 1 confirmed, 2 trial */
  kind: number;
  /** of the newest record: see slot.ts */
  keys: Uint8Array;
  /** that the gateway has said last, s since 1970; 0 for none */
  time: number;
  /** classified on trial */
  windows: number;
  /** the log's newest sequence, its page (0 or 1), and where in it the next record goes */
  made: number;
  side: number;
  pos: number;
  /** what is being fetched, and the next byte of it; part 3 when there is no more to fetch */
  coming: Head;
  part: number;
  at: number;
  /** fields of the newest `want`; the wait after it, and when it is said again */
  want: number[];
  wait: number;
  due: number;
  /** of the newest step */
  out: UpdateEffect[];
}

/** CRC-32 of a place in the log where nothing was written. */
const ERASED = 258049978;

function tell(s: UpdateState, release: number, code: number, detail: number): void {
  say(s.out, STATUS, [release, code, detail]);
}

/** Writes the state that holds from now on; what is before it in `out` is on flash by then. */
function record(s: UpdateState, kind: number, slot: number, boots: number): void {
  const page = s.c.page;
  if (s.pos > page - RECORD_BYTES) {
    s.side = 1 - s.side;
    s.pos = 0;
    s.out.push([ERASE, s.side * page]);
  }
  s.made++;
  s.run = slot;
  s.kind = kind;
  s.windows = 0;
  s.out.push(
    [
      WRITE,
      s.side * page + s.pos,
      s.c.seal(flat([s.made, s.made / 256, s.made / 65536, kind, slot, boots, s.keys])),
    ],
    [RUN, s.heads[slot], slot, kind, s.keys],
  );
  s.pos += RECORD_BYTES;
}

/** The slot that does not run. */
function target(s: UpdateState): number {
  return s.run === 0 ? 1 : 0;
}

/** Whether the running model has this part of what is coming. */
function has(s: UpdateState, part: number): boolean {
  return `${s.heads[s.run].f[2][part]}` === `${s.coming.f[2][part]}`;
}

/** Asks for the next piece, or for the test when there is none. */
function fetch(s: UpdateState, wait: number, now: number): void {
  const f = s.coming.f;
  while (s.part < 3 && (s.at >= f[2][s.part][1] || has(s, s.part))) {
    s.part++;
    s.at = 0;
  }
  s.want = [];
  s.wait = wait;
  s.due = now + wait;
  if (s.part > 2) s.out.push([TEST, s.coming, target(s)]);
  else {
    s.want = [f[0], s.part, s.at, Math.min(f[2][s.part][1] - s.at, s.c.chunk)];
    say(s.out, WANT, s.want);
  }
}

/** Puts a tested model on trial. */
function install(s: UpdateState, head: Head): void {
  const release = head.f[0];
  const slot = target(s);
  s.heads[slot] = head;
  s.coming = NONE;
  tell(s, release, INSTALLED, 0);
  tell(s, release, EQUAL, 0);
  record(s, 2, slot, 0);
  tell(s, release, TRIAL, 0);
}

function offer(s: UpdateState, f: Offer, now: number): void {
  const c = s.c;
  const release = f[0];
  const head = headOf(pack(OFFER, f)); // its own bytes: the message's are valid only now
  const slot = target(s);
  const running = s.heads[s.run];
  const room = c.page * c.slotPages;
  let code = ACCEPTED;
  let detail = 0;
  if (s.kind > 0 && `${running.f[1]}` === `${f[1]}`) {
    tell(s, release, INSTALLED, 0);
    code = s.kind > 1 ? TRIAL : CONFIRMED;
  } else if (s.kind > 1) code = BUSY;
  else if (f[7] !== c.kind) code = REFUSED_BOARD;
  else if (f[8] < s.time) code = REFUSED_STALE;
  else if (release <= running.f[0]) {
    code = REFUSED_RELEASE;
    detail = running.f[0];
  } else if (f[2].some((part) => part[1] < 1)) code = REFUSED_SIZE;
  else if (f[4] > MOST_GOLDEN) code = REFUSED_GOLDEN;
  else if (partAt(head, 3) > room) {
    code = NO_SPACE;
    detail = room;
  }
  tell(s, release, code, detail);
  if (code !== ACCEPTED) return;
  if (`${s.heads[slot].f}` === `${f}`) {
    install(s, s.heads[slot]); // tested before a power cut, or reverted: it only has to run
    return;
  }
  if (`${s.coming.f}` !== `${f}`) {
    s.coming = head;
    s.heads[slot] = NONE;
    s.part = 0;
    s.at = 0;
    // The slot's first page goes first: nothing half erased may look whole.
    for (let at = 0; at < partAt(head, 3); at += c.page) {
      s.out.push([ERASE, slotAt(c, slot) + at]);
    }
    for (let p = 0; p < 3; p++) {
      if (has(s, p)) {
        const from = slotAt(c, s.run) + partAt(running, p);
        s.out.push([COPY, from, slotAt(c, slot) + partAt(head, p), f[2][p][1]]);
      }
    }
  }
  fetch(s, c.retryMs, now);
}

/** Takes exactly what was wanted: pieces are multiples of 4, but for a part's last one. */
function chunk(s: UpdateState, f: [number, number, number, Uint8Array], now: number): void {
  const data = new Uint8Array(f[3]);
  if (`${[f[0], f[1], f[2], data.length]}` !== `${s.want}`) return;
  s.out.push([WRITE, slotAt(s.c, target(s)) + partAt(s.coming, s.part) + s.at, data]);
  s.at += data.length;
  fetch(s, s.c.retryMs, now);
}

function back(s: UpdateState, code: number): void {
  const left = s.heads[s.run].f[0];
  const other = s.heads[1 - s.run];
  if (other === NONE || other.f[0] > left) code = REFUSED_RELEASE;
  else record(s, 1, 1 - s.run, 0);
  tell(s, left, code, 0);
}

/**
 * Boots: reads the log and the slots and decides by the table above.
 *
 * @param c see UpdateConfig
 * @returns the state, with what is to be done first in `out`
 * @source MCUboot, 'Image trailer' and 'Swap info': test, confirm, revert
 */
export function startUpdate(c: UpdateConfig): UpdateState {
  let newest: Uint8Array = new Uint8Array(RECORD_BYTES);
  const s: UpdateState = {
    c: c,
    heads: [readSlot(c, 0), readSlot(c, 1), NONE],
    run: 2,
    kind: 0,
    keys: newest,
    time: 0,
    windows: 0,
    made: 0,
    side: 1,
    pos: c.page,
    coming: NONE,
    part: 3,
    at: 0,
    want: [],
    wait: 0,
    due: 0,
    out: [],
  };
  for (let side = 0; side < 2; side++) {
    for (let at = 0; at < c.page; at += RECORD_BYTES) {
      const r = c.read(side * c.page + at, RECORD_BYTES);
      const made = u16(r, 0) + 65536 * r[2];
      if (made > s.made && c.open(r) !== undefined) {
        newest = r;
        s.made = made;
        s.side = side;
        s.pos = at + RECORD_BYTES;
      } else if (side === s.side && c.crc32(r) !== ERASED) s.pos = c.page; // a torn one: none follows
      if (r[3] === 255) break; // records are written in order
    }
  }
  s.keys = newest.subarray(6, 60);
  const boots = newest[5];
  let kind = newest[3];
  let slot = kind > 0 ? newest[4] : 2;
  const broken = s.heads[slot] === NONE;
  if (kind > 0 && (broken || (kind > 1 && boots >= c.maxBoots)) && s.heads[1 - slot] !== NONE) {
    tell(s, s.heads[slot].f[0], RAN_OUT, 0);
    slot = 1 - slot;
    kind = 1;
  } else if (broken) {
    kind = 0;
    slot = 2;
  }
  record(s, kind, slot, boots + 1);
  return s;
}

/**
 * One step of the update machine: no clock, no flash.
 *
 * @param s from `startUpdate`; belongs to the machine, which changes it in place, since a copy is
 *   more than a small board can afford
 * @param code OFFER, CHUNK, CONFIRM or REVERT with their fields; DONE, WINDOW or TICK; others
 *   change nothing
 * @param f fields
 * @param now ms since boot
 * @returns what to do, in order
 */
export function next(s: UpdateState, code: number, f: unknown[], now: number): UpdateEffect[] {
  s.out = [];
  const first = f[0] as number; // a release, or what DONE found
  const running = s.heads[s.run].f;
  const runs = s.kind > 0 && first === running[0];
  if (code === OFFER) offer(s, f as Offer, now);
  if (code === CHUNK) chunk(s, f as [number, number, number, Uint8Array], now);
  if (code === CONFIRM && s.kind > 0) {
    if (s.kind > 1 && runs) record(s, 1, s.run, 0);
    tell(s, running[0], s.kind > 1 ? TRIAL : CONFIRMED, 0);
  }
  if (code === REVERT) {
    if (runs) back(s, REVERTED);
    else tell(s, first, REVERTED, 0);
  }
  if (code === WINDOW && s.kind > 1) {
    s.windows++;
    const limit = running[6];
    if (limit > 0 && s.windows >= limit && s.heads[1 - s.run] !== NONE) back(s, RAN_OUT);
  }
  if (code === TICK && s.part < 3 && now >= s.due) {
    fetch(s, Math.min(s.wait * 2, s.c.retryMs * 16), now);
  }
  if (code === WELCOME) s.time = f[1] as number;
  if (SECURE && code === REKEY) {
    const keys = f[1] as Uint8Array;
    if (first > u16(s.keys, 0) && keys.length === 32) {
      s.keys = flat([first, first / 256, keys, new Uint8Array(20)]);
      record(s, s.kind, s.run, 0);
    }
    tell(s, u16(s.keys, 0), REKEYED, 0);
  }
  if (code === DONE && f[1] === s.coming) {
    if (first > 3) {
      s.out.push([WRITE, slotAt(s.c, target(s)), slotStart(s.c, s.coming)]);
      install(s, s.coming);
    } else {
      tell(s, s.coming.f[0], first > 2 ? DIFFERENT : REFUSED_CRC, first);
      s.coming = NONE;
    }
  }
  return s.out;
}
