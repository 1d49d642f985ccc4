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

import { DONE, TICK, WINDOW } from './inputs.ts';
import { CHUNK, CONFIRM, OFFER, pack, REVERT, STATUS, say, WANT } from './messages.ts';
import { u16 } from './model.ts';
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
/** [RUN, head, slot, kind]: this model from now on; kind 1 confirmed, 2 trial */
export const RUN = 10;

export type UpdateEffect =
  | [t: typeof ERASE, at: number]
  | [t: typeof WRITE, at: number, bytes: Uint8Array]
  | [t: typeof COPY, from: number, to: number, n: number]
  | [t: typeof TEST, head: Head, slot: number]
  | [t: typeof RUN, head: Head, slot: number, kind: number]
  | [t: 1 | 2 | 3 | 4 | 5, ...payload: number[]];

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

function tell(s: UpdateState, release: number, code: number, detail: number): void {
  say(s, STATUS, [release, code, detail]);
}

function start(s: UpdateState, kind: number, slot: number): void {
  s.run = slot;
  s.kind = kind;
  s.windows = 0;
  s.out.push([RUN, s.heads[slot], slot, kind]);
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
  const r = new Uint8Array(RECORD_BYTES - 4);
  const high = Math.floor(s.made / 256);
  r.set([s.made % 256, high % 256, Math.floor(high / 256), kind, slot, boots], 0);
  s.out.push([WRITE, s.side * page + s.pos, s.c.seal(r)]);
  s.pos += RECORD_BYTES;
  start(s, kind, slot);
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
    say(s, WANT, s.want);
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
  const empty = f[2].findIndex((part) => part[1] < 1);
  let code = ACCEPTED;
  let detail = 0;
  if (s.kind > 0 && `${running.f[1]}` === `${f[1]}`) {
    tell(s, release, INSTALLED, 0);
    code = s.kind > 1 ? TRIAL : CONFIRMED;
  } else if (s.kind > 1) code = BUSY;
  else if (release <= running.f[0]) {
    code = REFUSED_RELEASE;
    detail = running.f[0];
  } else if (empty >= 0) {
    code = REFUSED_SIZE;
    detail = empty;
  } else if (partAt(head, 3) > room) {
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
  const s: UpdateState = {
    c: c,
    heads: [readSlot(c, 0), readSlot(c, 1), NONE],
    run: 2,
    kind: 0,
    windows: 0,
    made: 0,
    // The first record after a boot goes to the other page, and erases it: it may hold anything.
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
  let newest: Uint8Array = new Uint8Array(RECORD_BYTES);
  for (let side = 0; side < 2; side++) {
    for (let at = 0; at < c.page; at += RECORD_BYTES) {
      const r = c.read(side * c.page + at, RECORD_BYTES);
      const made = u16(r, 0) + 65536 * r[2];
      if (r[3] === 255) break; // erased: records are written in order, and none behind a torn one
      if (made > s.made && c.open(r) !== undefined) {
        newest = r;
        s.made = made;
        s.side = side;
      }
    }
  }
  const kind = newest[3];
  const slot = newest[4];
  const boots = newest[5] + 1;
  const whole = s.heads[slot] !== NONE;
  const other = s.heads[1 - slot] !== NONE;
  if (kind > 0) {
    if (whole && kind > 1 && boots <= c.maxBoots) record(s, 2, slot, boots);
    else if (whole && (kind < 2 || !other)) start(s, kind, slot);
    else if (other) {
      record(s, 1, 1 - slot, 0);
      tell(s, s.heads[slot].f[0], RAN_OUT, 0);
    }
  }
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
