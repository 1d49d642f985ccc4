/*
 * What lies in the flash file: two slots for models and a log of which one counts.
 *
 *   file    [log page 0][log page 1][slot A pages][slot B pages]    addresses count from its start
 *   slot    [length, u16][0 0][sealed offer][pre][backbone][head]   each at a multiple of 4
 *   record  sealed [sequence, u24 | kind | slot | boots | keys]     64 bytes; little-endian
 *   keys    [generation, u16 | to the gateway, 16 | from it, 16 | 20 zeros]
 *
 * `sealed` is a frame's payload with its crc behind it; the offer is the message that brought the
 * model, golden vectors included. A slot's parts are written and self-tested first, its offer last:
 * the crc of the offer makes the slot whole. Every record holds the whole state (kind: 0 empty,
 * 1 confirmed, 2 trial); of those with a right crc the newest counts. The pages take turns: a page is
 * erased only while the newest record lies in the other. Each boot writes a record, so that its
 * sequence is the boot's own: the device's epoch. What flashes a device with keys writes the first.
 */

import { flat } from './flat.ts';
import type { Suite } from './frame.ts';
import { unpack } from './messages.ts';
import { align, u16 } from './model.ts';

export const RECORD_BYTES = 64;

/** Of the board and of this device; does not change while it runs. */
export interface SlotConfig {
  /** bytes of a flash page */
  page: number;
  slotPages: number;
  /** seals and opens what lies in flash */
  seal: Suite['seal'];
  open: Suite['open'];
  crc32: (bytes: Uint8Array) => number;
  /** n > 0 bytes at an address of the file */
  read: (at: number, n: number) => Uint8Array;
}

/** Fields of the message `offer`. */
export type Offer = [
  release: number,
  version: Uint8Array,
  parts: [id: Uint8Array, length: number, crc32: number][],
  goldenSeed: number,
  goldenCount: number,
  golden: Uint8Array,
  trialWindows: number,
  kind: number,
  expires: number,
];

/** A model in a slot, or on its way into one. */
export interface Head {
  /** the message */
  b: Uint8Array;
  /** its fields, views of it */
  f: Offer;
}

/** Stands for no model: release 0. It has no more than is asked of it. */
export const NONE = { f: [0, new Uint8Array(8), []] } as unknown as Head;

/**
 * Reads the message that describes a model.
 *
 * @param b an `offer`, kept as long as the result
 * @returns the head; NONE for anything else
 */
export function headOf(b: Uint8Array): Head {
  const fields = unpack(b);
  return fields === undefined ? NONE : { b: b, f: fields as unknown as Offer };
}

/** First byte of a slot in the file. */
export function slotAt(c: SlotConfig, slot: number): number {
  return (2 + slot * c.slotPages) * c.page;
}

/**
 * Where a part begins, from the start of its slot.
 *
 * @param part 0 pre, 1 backbone, 2 head, 3 the end
 */
export function partAt(head: Head, part: number): number {
  let at = align(head.b.length + 8);
  for (let i = 0; i < part; i++) at += align(head.f[2][i][1]);
  return at;
}

/** Bytes of one part in its slot. */
export function partOf(c: SlotConfig, slot: number, head: Head, part: number): Uint8Array {
  return c.read(slotAt(c, slot) + partAt(head, part), head.f[2][part][1]);
}

/** The first part whose bytes have another crc than the offer says; 3 when all are right. */
export function firstBad(c: SlotConfig, slot: number, head: Head): number {
  let part = 0;
  while (part < 3 && c.crc32(partOf(c, slot, head, part)) === head.f[2][part][2]) part++;
  return part;
}

/** The model in a slot, or NONE when anything in it is not whole. */
export function readSlot(c: SlotConfig, slot: number): Head {
  const at = slotAt(c, slot);
  const room = c.page * c.slotPages;
  const n = u16(c.read(at, 4), 0);
  const sealed = n > 0 && n < room ? c.open(c.read(at + 4, n)) : undefined;
  const head = sealed === undefined ? NONE : headOf(sealed);
  // sizes that lie are not read: where flash ends, a board would end with them
  return head !== NONE && partAt(head, 3) <= room && firstBad(c, slot, head) > 2 ? head : NONE;
}

/**
 * Bytes that make a slot whole, for its first address.
 *
 * @param head see headOf
 */
export function slotStart(c: SlotConfig, head: Head): Uint8Array {
  const sealed = c.seal(head.b);
  return flat([sealed.length, sealed.length / 256, 0, 0, sealed]);
}
